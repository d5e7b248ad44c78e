"""What was said of photos elsewhere comes in: as an answer that is not blind, as a ground truth, or as a hint to reviewers.

Whoever calls has looked that it may (``labeling.exchange.imports``). None of it certifies anything: an answer has the draw
of a sweep's, whose ground truths prove nothing; a ground truth has an origin of its own; a ruling beside a hint was told.
Taking it back is a row as well: a retraction, or a withdrawal. (docs/decisions/0040-labels-from-elsewhere.md)
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from labeling.catalog.models import Guideline, Project
from labeling.catalog.selectors import current_guideline
from labeling.people.models import User
from labeling.truth import events
from labeling.truth.answering import withdraw_answer
from labeling.truth.current import current_round, current_rounds, photo_state, truth_in_force
from labeling.truth.models import (
    Annotation,
    AnswerKind,
    Dispute,
    Draw,
    GroundTruth,
    Hint,
    HoldReason,
    Origin,
    Retraction,
    UnusableReason,
)
from labeling.truth.settling import lock_photo, settle, withdraw_truth

#: Elsewhere nobody is asked for our reasons.
_REASONS = {AnswerKind.HOLD: HoldReason.OTHER, AnswerKind.UNUSABLE: UnusableReason.OTHER}


@dataclass(frozen=True, slots=True)
class Word:
    """What was said of a photo: a class of the project, hold, or unusable."""

    item_id: int
    kind: str
    label_class_id: int | None = None


@transaction.atomic
def bring_answer(*, project: Project, source: User, word: Word, of: uuid.UUID) -> Annotation:
    """Append ``source``'s answer to a photo that waits for one, and what follows from it. ``of``: the import.

    Unlike :func:`~labeling.truth.services.record_answer` it looks neither at the time that was taken nor at checklists, and
    a machine's consent is no second opinion to it.
    """
    lock_photo(word.item_id)
    round, guideline = current_round(word.item_id), current_guideline(project)
    undone = Retraction.objects.filter(
        annotation__item_id=word.item_id,
        annotation__round=round,
        annotation__labeler=source,
        replaced_by__isnull=True,
    ).first()
    annotation = Annotation.objects.create(
        project=project,
        item_id=word.item_id,
        round=round,
        labeler=source,
        key=uuid.uuid4(),
        kind=word.kind,
        label_class_id=word.label_class_id,
        reason=_REASONS.get(AnswerKind(word.kind), ""),
        guideline=guideline,
        draw=Draw.SWEEP,
        context={"import": str(of)},
        view_ms=0,
        replaces=undone,
    )
    settle(project, word.item_id, round, guideline, photo_state(project, word.item_id, round))
    return annotation


@transaction.atomic
def take_answer_back(*, project: Project, annotation: Annotation, by: User) -> bool:
    """As its labeler would, whenever: what rested on it is withdrawn, but for what a reviewer has ruled since.

    Returns whether it stood until now.
    """
    photo = lock_photo(annotation.item_id)
    if Retraction.objects.filter(annotation=annotation).exists():
        return False
    withdraw_answer(project, annotation, by, photo.answers_wanted)
    return True


@transaction.atomic
def bring_truths(
    *, project: Project, words: Sequence[Word], guideline: Guideline, supersedes: Mapping[int, int]
) -> dict[int, int]:
    """Settle photos that nothing settles yet; item id -> id of its ground truth.

    ``supersedes``: the end of a photo's chain of ground truths, a withdrawal, where it has one. Their photos are locked, and
    none was drawn at random.
    """
    made = GroundTruth.objects.bulk_create(
        GroundTruth(
            project=project,
            item_id=word.item_id,
            kind=word.kind,
            label_class_id=word.label_class_id,
            origin=Origin.IMPORTED,
            draw=Draw.SWEEP,
            guideline=guideline,
            supersedes_id=supersedes.get(word.item_id),
        )
        for word in words
    )
    if made:
        events.imported.send(sender=GroundTruth, project=project, item_ids=[truth.item_id for truth in made])
    return {truth.item_id: truth.pk for truth in made}


@transaction.atomic
def take_truth_back(*, project: Project, truth: GroundTruth) -> bool:
    """Withdraw an imported ground truth, and ask people; False where it is in force no more, whoever saw to that."""
    lock_photo(truth.item_id)
    now = truth_in_force(truth.item_id)
    if now is None or now.pk != truth.pk:
        return False
    if Dispute.objects.open().filter(item=truth.item_id).exists():
        return False  # a reviewer is asked already, and says what it is
    withdraw_truth(
        project=project, item_id=truth.item_id, guideline=current_guideline(project), origin=Origin.UNDONE
    )
    events.reopened.send(sender=GroundTruth, project=project, rounds=current_rounds([truth.item_id]))
    return True


@transaction.atomic
def bring_hint(*, project: Project, word: Word, said_by: str) -> Hint:
    """Let reviewers read what somebody elsewhere said of the photo."""
    lock_photo(word.item_id)
    return Hint.objects.create(
        project=project,
        item_id=word.item_id,
        kind=word.kind,
        label_class_id=word.label_class_id,
        said_by=said_by,
    )


def take_hint_back(*, hint: Hint) -> bool:
    """Whether it was shown until now."""
    return bool(Hint.objects.filter(pk=hint.pk, retired_at__isnull=True).update(retired_at=timezone.now()))
