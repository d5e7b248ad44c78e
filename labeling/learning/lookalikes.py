"""Settled photos that look like one in dispute, for the reviewer to compare it with.

Alike in look: near in the space of the project's backbone, whatever any model makes of it, so that a ruling stays a word of
people's own. A worker finds them, as only workers read embeddings; pages read what it found last.
"""

from __future__ import annotations

from django.db import transaction

from labeling.catalog.models import Project
from labeling.catalog.selectors import class_resolution
from labeling.jobs.models import Job, JobState
from labeling.jobs.services import enqueue
from labeling.learning.models import Lookalikes
from labeling.truth.models import Dispute, GroundTruth, Origin, TruthKind

JOB_KIND = "lookalikes"
#: A reviewer may be waiting.
SOON = 5


@transaction.atomic
def request_lookalikes(*, project: Project) -> Job | None:
    """A job that compares every open dispute with what is settled by then; ``None`` where none is open.

    One that still waits will see the caller's rows too. A running one may have passed them by; the row lock keeps a
    waiting one from starting before the caller commits.
    """
    if not Dispute.objects.open().filter(waits__project=project).exists():
        return None
    waiting = (
        Job.objects.of_project(project.pk)
        .filter(kind=JOB_KIND, state=JobState.QUEUED, cancel_requested_at__isnull=True)
        .select_for_update()
        .first()
    )
    if waiting is not None:
        return waiting
    return enqueue(kind=JOB_KIND, project_id=project.pk, lock=f"{JOB_KIND}:{project.pk}", priority=SOON)


def lookalikes_of(project: Project, item_id: int, limit: int) -> dict[int, list[int]]:
    """Up to ``limit`` settled item ids a class in force (merges followed), the most alike first.

    By what the photos are settled as today: one that was settled otherwise since stands under its new class. Gold is left
    out, as a reviewer may be asked it.
    """
    found = Lookalikes.objects.filter(item=item_id, item__project=project).first()
    if found is None:
        return {}
    resolution = class_resolution(project)
    truths = (
        GroundTruth.objects.strict()
        .filter(item__in=[item for item, _class in found.nearest], kind=TruthKind.CLASS)
        .exclude(origin=Origin.GOLD)
    )
    settled = dict(truths.values_list("item", "label_class"))
    alike: dict[int, list[int]] = {}
    for item, _class in found.nearest:
        counts_as = resolution.get(settled.get(item) or 0)
        if counts_as is not None and len(ids := alike.setdefault(counts_as, [])) < limit:
            ids.append(item)
    return alike
