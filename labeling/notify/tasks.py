"""The jobs of events. Only a worker loads this module."""

from __future__ import annotations

from procrastinate.contrib.django import app

from labeling.jobs.services import QUICK
from labeling.notify import calling_back, delivering, tidying, weeks
from labeling.notify.listening import LOOK, PRIORITY, TASK, wake


@app.task(name=TASK, queue=QUICK, lock=TASK, priority=PRIORITY)
def deliver() -> None:
    delivering.deliver()
    if delivering.something_is_due():
        wake()


@app.periodic(cron="* * * * *")
@app.task(name="hilltop.deliver_due", queue=QUICK, queueing_lock="hilltop.deliver_due")
def deliver_due(timestamp: int) -> None:
    """Every minute: what is to be tried again, and what a job that broke off left."""
    if delivering.something_is_due():
        wake()


@app.task(name=LOOK, queue=QUICK, lock=LOOK, priority=PRIORITY)
def call_back() -> None:
    calling_back.look()


@app.periodic(cron="* * * * *")
@app.task(name="hilltop.call_back_due", queue=QUICK, queueing_lock="hilltop.call_back_due", lock=LOOK)
def call_back_due(timestamp: int) -> None:
    """Every minute: deadlines, photos that could not come in, and what was decided while a call back was being opened."""
    calling_back.look()


@app.periodic(cron="41 2 * * *")
@app.task(name="hilltop.tidy_events", queue="cpu", queueing_lock="hilltop.tidy_events")
def tidy_events(timestamp: int) -> None:
    tidying.remove_old()


@app.periodic(cron="* * * * *")
@app.task(
    name="hilltop.end_endpoints",
    queue=QUICK,
    queueing_lock="hilltop.end_endpoints",
    lock="hilltop.end_endpoints",
)
def end_endpoints(timestamp: int) -> None:
    tidying.end_removed()


@app.periodic(cron="13 * * * *")
@app.task(
    name="hilltop.tell_weeks", queue="cpu", queueing_lock="hilltop.tell_weeks", lock="hilltop.tell_weeks"
)
def tell_of_weeks(timestamp: int) -> None:
    weeks.tell_weeks()
