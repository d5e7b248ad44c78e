"""The catalog's background jobs. Only a worker loads this module."""

from __future__ import annotations

import logging
from typing import Any

from procrastinate.contrib.django import app

from labeling.catalog import file_counts, looking, remaking, watched
from labeling.catalog.intake import taking_in
from labeling.catalog.intake.handing_in import JOB_KIND
from labeling.jobs.handlers import handles
from labeling.jobs.progress import Progress

log = logging.getLogger(__name__)


@handles(JOB_KIND)
def intake(progress: Progress) -> dict[str, Any]:
    return dict(taking_in.work_through(progress))


@handles(watched.JOB_KIND)
def look_at_source(progress: Progress) -> dict[str, Any]:
    return looking.look(progress)


@app.periodic(cron="* * * * *")
@app.task(name="hilltop.look_at_sources", queue="cpu", queueing_lock="hilltop.look_at_sources")
def look_at_sources(timestamp: int) -> None:
    watched.look_at_what_is_due()


@handles(remaking.JOB_KIND)
def remake_renditions(progress: Progress) -> dict[str, Any]:
    return dict(remaking.remake(progress))


# A worker that starts makes up for the last run it missed, so an upgrade is followed up within minutes.
@app.periodic(cron="*/10 * * * *")
@app.task(name="hilltop.remake_renditions", queue="cpu", queueing_lock="hilltop.remake_renditions")
def look_for_outdated(timestamp: int) -> None:
    remaking.request_remaking()


@app.periodic(cron="37 3 * * *")
@app.task(name="hilltop.check_file_counts", queue="cpu", queueing_lock="hilltop.check_file_counts")
def check_file_counts(timestamp: int) -> None:
    """Every night: count the files of all intakes anew, and put right what differs."""
    wrong = file_counts.mend()
    if wrong:
        log.error("%d kept counts of files differed from a recount and were put right", wrong)
