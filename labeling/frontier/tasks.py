"""The frontier's jobs. Only a worker loads this module: it brings numpy with it."""

from __future__ import annotations

from typing import Any

from procrastinate.contrib.django import app

from labeling.catalog.models import Project
from labeling.frontier import services
from labeling.frontier.compute import monitoring
from labeling.frontier.compute.certifying import certify_project
from labeling.frontier.compute.explaining import explain_decision
from labeling.frontier.compute.watching import watch_project
from labeling.frontier.explanations import KIND as EXPLAIN
from labeling.frontier.monitors.services import KIND as MONITOR
from labeling.frontier.monitors.services import monitor_when_due, request_monitoring
from labeling.jobs.handlers import handles
from labeling.jobs.runner import Progress
from labeling.queue import aside


@handles("certify")
def certify(progress: Progress) -> dict[str, Any]:
    return certify_project(progress)


@handles("decide")
def decide(progress: Progress) -> dict[str, Any]:
    """Returns {decided, audited}."""
    project = Project.objects.get(pk=progress.job.project_id or 0)
    aside.offer_what_was_drawn(project=project)
    return dict(services.decide(project=project))


@handles(EXPLAIN)
def explain(progress: Progress) -> dict[str, Any]:
    return explain_decision(progress)


@handles("watch")
def watch(progress: Progress) -> dict[str, Any]:
    told = watch_project(progress)
    if told["suspended"]:
        request_monitoring(project=Project.objects.get(pk=progress.job.project_id or 0))
    return told


@handles(MONITOR)
def monitor(progress: Progress) -> dict[str, Any]:
    return monitoring.look(progress)


@app.periodic(cron="7 * * * *")
@app.task(name="hilltop.monitor", queue="cpu", queueing_lock="hilltop.monitor")
def monitor_projects(timestamp: int) -> None:
    """Every hour: let the monitors look wherever a look is due."""
    for project in Project.objects.filter(archived_at__isnull=True).order_by("pk"):
        monitor_when_due(project=project)
