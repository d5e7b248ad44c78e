"""The frontier's jobs. Only a worker loads this module: it brings numpy with it."""

from __future__ import annotations

import logging
from typing import Any

from procrastinate.contrib.django import app

from labeling.catalog.models import Project
from labeling.frontier import events, services
from labeling.frontier.compute.arriving import check_arrivals
from labeling.frontier.compute.certifying import certify_project
from labeling.frontier.compute.explaining import explain_decision
from labeling.frontier.compute.watching import watch_project
from labeling.frontier.decisions import counts as decision_counts
from labeling.frontier.explanations import JOB_KIND as EXPLAIN
from labeling.frontier.models import Certificate
from labeling.frontier.waiting import waiting_by_reason
from labeling.jobs.handlers import handles
from labeling.jobs.progress import Progress
from labeling.queue import priority

log = logging.getLogger(__name__)


@handles("certify")
def certify(progress: Progress) -> dict[str, Any]:
    return certify_project(progress)


@handles("decide")
def decide(progress: Progress) -> dict[str, Any]:
    """Returns {decided, audited, waiting: {reason: photos}}, the reasons of the newest photos that wait (``waiting``).

    What came in is people's afterwards, also where this fails: until then nobody is asked about it.
    """
    project = Project.objects.get(pk=progress.job.project_id or 0)
    priority.ask_drawn_first(project=project)
    try:
        check_arrivals(project)
        told = services.decide(project=project)
    finally:
        services.leave_rest_to_people(project=project)
    return {**told, "waiting": waiting_by_reason(project)}


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


@app.periodic(cron="53 3 * * *")
@app.task(name="hilltop.check_decision_counts", queue="cpu", queueing_lock="hilltop.check_decision_counts")
def check_decision_counts(timestamp: int) -> None:
    """Every night: count anew what the machine decided, and put right what differs."""
    wrong = decision_counts.mend()
    if wrong:
        log.warning("%d kept counts of decisions differed from a recount and were put right", wrong)
