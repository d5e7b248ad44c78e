"""Labels that one blind answer settles, because it is what the machine says and somebody proved how often that is right.

Truth knows nothing of the proof: the rooms above say which photo (docs/decisions/0026). Such a label is marked
(:attr:`Origin.ASSISTED`), and gives way to whatever people settle strictly.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction
from django.utils.translation import gettext as _

from labeling.catalog import selectors as catalog
from labeling.catalog.models import Project
from labeling.refusals import Refused
from labeling.truth import events
from labeling.truth.current import current_rounds, photo_state
from labeling.truth.models import Annotation, AnswerKind, Dispute, Draw, GroundTruth, Origin, TruthKind
from labeling.truth.settling import Basis, append_truth, lock_photo, lock_photos, was_audited


@transaction.atomic
def settle_by_answer(*, project: Project, annotation: Annotation) -> GroundTruth:
    """Settle a photo by this one answer to it, as the class that it counts as today.

    Raises :class:`Refused` ``conflict`` (409) where the photo is settled or in dispute, or was drawn at random, and where
    the answer is not blind, names no class of today, or stands no more.
    """
    item_id, round = annotation.item_id, annotation.round
    lock_photo(item_id)
    state = photo_state(project, item_id, round)
    class_id = catalog.class_resolution(project).get(annotation.label_class_id or 0)
    audited = was_audited(item_id)
    if (
        state.over
        or state.in_force
        or state.disputed
        or state.swept
        or audited
        or state.wanted is not None
        or class_id is None
        or annotation.kind != AnswerKind.CLASS
        or annotation.draw == Draw.GOLD
        or not Annotation.objects.for_agreement().filter(pk=annotation.pk).exists()
    ):
        raise Refused("conflict", _("One answer cannot settle this photo."))
    truth = append_truth(
        project=project,
        item_id=item_id,
        kind=TruthKind.CLASS,
        label_class_id=class_id,
        origin=Origin.ASSISTED,
        guideline_id=annotation.guideline_id,
        basis=Basis(audited=audited, supersedes=state.newest_truth, swept=state.swept),
    )
    events.settled.send(sender=Annotation, project=project, item_ids=[item_id])
    return truth


@transaction.atomic
def withdraw_assisted(*, project: Project, item_ids: Sequence[int]) -> int:
    """Withdraw what one answer settled of these photos, and ask for their second person; return how many there were.

    The answer stays. Photos that people settled strictly meanwhile are left alone, and those in dispute wait for the ruling.
    """
    if not item_ids:
        return 0
    lock_photos(item_ids)
    assisted = list(
        GroundTruth.objects.assisted().filter(project=project, item__in=item_ids).order_by("item_id")
    )
    if not assisted:
        return 0
    guideline = catalog.current_guideline(project)
    GroundTruth.objects.bulk_create(
        GroundTruth(
            project=project,
            item_id=truth.item_id,
            kind=TruthKind.WITHDRAWN,
            origin=Origin.WITHDRAWAL,
            draw=truth.draw,
            guideline=guideline,
            supersedes=truth,
        )
        for truth in assisted
    )
    in_dispute = set(
        Dispute.objects.open()
        .filter(item__in=[truth.item_id for truth in assisted])
        .values_list("item_id", flat=True)
    )
    asked = [truth.item_id for truth in assisted if truth.item_id not in in_dispute]
    if asked:
        events.reopened.send(sender=GroundTruth, project=project, rounds=current_rounds(asked))
    return len(assisted)
