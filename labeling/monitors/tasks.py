"""The monitors' jobs. Only a worker loads this module: it brings numpy with it."""

from __future__ import annotations

from typing import Any

from procrastinate.contrib.django import app

from labeling.catalog.models import Project
from labeling.jobs.handlers import handles
from labeling.jobs.progress import Progress
from labeling.monitors import run
from labeling.monitors.services import JOB_KIND, at_work, monitor_when_due


@handles(JOB_KIND)
def monitor(progress: Progress) -> dict[str, Any]:
    return run.look(progress)


@app.periodic(cron="7 * * * *")
@app.task(name="hilltop.monitor", queue="cpu", queueing_lock="hilltop.monitor")
def monitor_projects(timestamp: int) -> None:
    """Every hour: let the monitors look wherever a look is due."""
    for project in Project.objects.filter(archived_at__isnull=True).order_by("pk"):
        monitor_when_due(project=project)


@app.periodic(cron="* * * * *")
@app.task(name="hilltop.monitor_at_work", queue="cpu", queueing_lock="hilltop.monitor_at_work")
def monitor_projects_at_work(timestamp: int) -> None:
    """Every minute: the same where people answered or photos came just now."""
    for project in Project.objects.filter(pk__in=at_work(), archived_at__isnull=True).order_by("pk"):
        monitor_when_due(project=project)
