"""Photos that are about to be erased leave what is in force, and come back into it. What people said stays, as it was said.

The ground truth is withdrawn, a dispute ends without a ruling, and gold is asked no more: rows like any other. So nothing is
trained on them or exported any more, and every count follows. The first word on a photo stays the first word: what was
proven with it was proven.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.db import transaction

from labeling.catalog.models import Guideline, Project
from labeling.catalog.selectors import current_guideline
from labeling.database.append_only import erasing
from labeling.truth.current import newest_truth
from labeling.truth.models import Annotation, Dispute, Gold, GroundTruth, Outcome, Ruling, TruthKind
from labeling.truth.settling import lock_photos, raise_dispute, withdraw_truths


@transaction.atomic
def leave(*, project: Project, item_ids: Collection[int], at: datetime) -> None:
    """While the project still holds them. ``at``: by which :func:`come_back` knows what was done here."""
    lock_photos(item_ids)
    guideline = current_guideline(project)
    settled = GroundTruth.objects.current().filter(item__in=item_ids).values_list("item", flat=True)
    withdraw_truths(project=project, item_ids=list(settled), guideline=guideline)
    for dispute in Dispute.objects.open().filter(item__in=item_ids):
        Ruling.objects.create(dispute=dispute, outcome=Outcome.WITHDRAWN, guideline=guideline)
    Gold.objects.filter(item__in=item_ids, retired_at__isnull=True).update(retired_at=at)


@transaction.atomic
def come_back(*, project: Project, item_id: int, since: datetime) -> bool:
    """After the project holds it again; whether people need not be asked about it."""
    lock_photos([item_id])
    Gold.objects.filter(item=item_id, retired_at=since).update(retired_at=None)
    ended = Ruling.objects.filter(
        dispute__item=item_id, outcome=Outcome.WITHDRAWN, reviewer__isnull=True, created_at__gte=since
    ).select_related("dispute")
    settled = _truth_again(project, item_id, since)
    for ruling in ended:
        was = ruling.dispute
        raise_dispute(project, item_id, was.round, was.cause, note=was.note, held=was.held)
    return settled or bool(ended)


def _truth_again(project: Project, item_id: int, since: datetime) -> bool:
    end = newest_truth(item_id)
    before = end.supersedes if end is not None else None
    if end is None or before is None or end.kind != TruthKind.WITHDRAWN or end.created_at < since:
        return end is not None and end.kind != TruthKind.WITHDRAWN
    GroundTruth.objects.create(
        project=project,
        item_id=item_id,
        kind=before.kind,
        label_class_id=before.label_class_id,
        origin=before.origin,
        draw=before.draw,
        guideline=Guideline.objects.get(pk=before.guideline_id),
        supersedes=end,
    )
    return True


def forget_texts(item_ids: Collection[int]) -> None:
    """What people wrote of these photos goes; what they decided stays."""
    with erasing():
        Annotation.objects.filter(item__in=item_ids).exclude(comment="").update(comment="")
        Dispute.objects.filter(item__in=item_ids).exclude(note="").update(note="")
        Ruling.objects.filter(dispute__item__in=item_ids).update(comment="", note="")
