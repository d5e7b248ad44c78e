"""Ask for another order, in the background."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

from django.db import transaction

from labeling.catalog.models import Project
from labeling.jobs.models import Job
from labeling.jobs.services import enqueue, enqueue_once
from labeling.people.models import User
from labeling.queue.models import Ranking
from labeling.queue.outgrown import has_outgrown


@transaction.atomic
def request_ranking(*, project: Project, by: User | None = None) -> Job:
    """Re-score and re-rank the pool in the background. Requests that come while one waits are one."""
    return enqueue_once(kind="rank", project_id=project.pk, by=by)


@transaction.atomic
def request_places(*, project: Project) -> Job:
    """Photos have embeddings now: they get places in the order there is (``joining``), or another one where that is due."""
    ranking = Ranking.objects.filter(project=project, current=True).first()
    if ranking is None or has_outgrown(project, ranking):
        return request_ranking(project=project)
    return enqueue_once(kind="place", project_id=project.pk)


@transaction.atomic
def request_rescoring(*, projects: Sequence[Project], by: User | None = None) -> Job:
    """Re-score and re-rank several projects in one job; those on one backbone share one pass over the embeddings."""
    named = sorted(project.pk for project in projects)
    told = hashlib.sha256(json.dumps(named).encode()).hexdigest()[:16]
    return enqueue(
        kind="rescore",
        args={"projects": named},
        requested_by=by,
        dedupe=f"rescore:{told}",
        lock="rescore",
    )
