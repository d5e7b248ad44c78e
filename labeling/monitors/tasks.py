"""The monitors' jobs. Only a worker loads this module: it brings numpy with it."""

from __future__ import annotations

from typing import Any

from procrastinate.contrib.django import app

from labeling.catalog.models import Project
from labeling.jobs.handlers import handles
from labeling.jobs.progress import Progress
from labeling.monitors import run
from labeling.monitors.services import JOB_KIND, monitor_when_due


@handles(JOB_KIND)
def monitor(progress: Progress) -> dict[str, Any]:
    return run.look(progress)


@app.periodic(cron="7 * * * *")
@app.task(name="hilltop.monitor", queue="cpu", queueing_lock="hilltop.monitor")
def monitor_projects(timestamp: int) -> None:
    """Every hour: let the monitors look wherever a look is due."""
    for project in Project.objects.filter(archived_at__isnull=True).order_by("pk"):
        monitor_when_due(project=project)
