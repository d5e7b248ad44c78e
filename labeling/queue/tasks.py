"""The worker's part of the queue: re-score, re-order and swap in."""

from __future__ import annotations

import logging
from typing import Any

from procrastinate.contrib.django import app

from labeling.catalog.models import Project
from labeling.jobs.handlers import handles
from labeling.jobs.progress import Progress
from labeling.queue import entry_counts, placing
from labeling.queue.joining import join_order
from labeling.queue.requests import request_places
from labeling.queue.rescoring import rescore

log = logging.getLogger(__name__)


@handles("rank")
def rank(progress: Progress) -> dict[str, Any]:
    """One project. Returns {ranking, photos, unscored, scored, seconds}."""
    done = rescore([Project.objects.get(pk=progress.job.project_id or 0)], progress)
    (told,) = done["projects"]
    return {**told, "seconds": done["seconds"]}


@handles("place")
def place(progress: Progress) -> dict[str, Any]:
    return join_order(progress)


@handles("rescore")
def rescore_many(progress: Progress) -> dict[str, Any]:
    """The projects that the job names: those of one backbone share one pass over the embeddings."""
    named = progress.args.get("projects", [])
    projects = Project.objects.filter(pk__in=named, archived_at__isnull=True).order_by("pk")
    done = rescore(list(projects), progress)
    for project in projects:  # what came while it was at work was not placed
        request_places(project=project)
    return done


@app.periodic(cron="47 3 * * *")
@app.task(name="hilltop.check_entry_counts", queue="cpu", queueing_lock="hilltop.check_entry_counts")
def check_entry_counts(timestamp: int) -> None:
    """Every night: count anew what waits and what is settled in each band, and put right what differs."""
    wrong = entry_counts.mend() + placing.mend()
    if wrong:
        log.error("%d kept counts of photos by band differed from a recount and were put right", wrong)
