"""The worker's part of the queue: re-score, re-order and swap in."""

from __future__ import annotations

from typing import Any

from labeling.catalog.models import Project
from labeling.jobs.handlers import handles
from labeling.jobs.progress import Progress
from labeling.queue.rescoring import rescore


@handles("rank")
def rank(progress: Progress) -> dict[str, Any]:
    """One project. Returns {ranking, photos, unscored, scored, seconds}."""
    done = rescore([Project.objects.get(pk=progress.job.project_id or 0)], progress)
    (told,) = done["projects"]
    return {**told, "seconds": done["seconds"]}


@handles("rescore")
def rescore_many(progress: Progress) -> dict[str, Any]:
    """The projects that the job names: those of one backbone share one pass over the embeddings."""
    named = progress.args.get("projects", [])
    projects = Project.objects.filter(pk__in=named, archived_at__isnull=True).order_by("pk")
    return rescore(list(projects), progress)
