"""The frontier's jobs. Only a worker loads this module: it brings numpy with it."""

from __future__ import annotations

from typing import Any

from labeling.catalog.models import Project
from labeling.frontier import events, services
from labeling.frontier.compute.arriving import check_arrivals
from labeling.frontier.compute.certifying import certify_project
from labeling.frontier.compute.explaining import explain_decision
from labeling.frontier.compute.watching import watch_project
from labeling.frontier.explanations import JOB_KIND as EXPLAIN
from labeling.frontier.models import Certificate
from labeling.jobs.handlers import handles
from labeling.jobs.progress import Progress
from labeling.queue import priority


@handles("certify")
def certify(progress: Progress) -> dict[str, Any]:
    return certify_project(progress)


@handles("decide")
def decide(progress: Progress) -> dict[str, Any]:
    """Returns {decided, audited}."""
    project = Project.objects.get(pk=progress.job.project_id or 0)
    priority.ask_drawn_first(project=project)
    check_arrivals(project)
    return dict(services.decide(project=project))


@handles(EXPLAIN)
def explain(progress: Progress) -> dict[str, Any]:
    return explain_decision(progress)


@handles("watch")
def watch(progress: Progress) -> dict[str, Any]:
    told = watch_project(progress)
    if told["suspended"]:
        events.suspended.send(
            sender=Certificate, project=Project.objects.get(pk=progress.job.project_id or 0)
        )
    return told
