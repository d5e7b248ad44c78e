"""What was said of photos elsewhere comes in: as an answer that is not blind, as a ground truth, or as a hint to reviewers.

Whoever calls has looked that it may (``labeling.exchange.imports``). None of it certifies anything: an answer has the draw
of a sweep's, whose ground truths prove nothing; a ground truth has an origin of its own; a ruling beside a hint was told.
Taking it back is a row as well: a retraction, or a withdrawal. (docs/decisions/0040-labels-from-elsewhere.md)
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from django.db import connection, transaction
from django.utils import timezone

from labeling.catalog.models import Guideline, Item, Project
from labeling.catalog.selectors import current_guideline
from labeling.people.models import User
from labeling.truth import events
from labeling.truth.answering import withdraw_answers
from labeling.truth.current import current_rounds, newest_truths
from labeling.truth.making_gold import refused_as_gold
from labeling.truth.models import (
    Annotation,
    AnswerKind,
    Dispute,
    Draw,
    Gold,
    GroundTruth,
    Hint,
    HoldReason,
    Origin,
    Retraction,
    UnusableReason,
)
from labeling.truth.settling import lock_photos, withdraw_truths
from labeling.truth.settling_several import settle_swept

#: Elsewhere nobody is asked for our reasons.
_REASONS = {AnswerKind.HOLD: HoldReason.OTHER, AnswerKind.UNUSABLE: UnusableReason.OTHER}

# As text: a queryset takes nearly as long to compose a thousand rows as the database needs for them.
_SETTLE = """
INSERT INTO truth_groundtruth
    (project_id, item_id, kind, label_class_id, origin, draw, guideline_id, supersedes_id, created_at)
SELECT %(project)s, n.item, n.kind, n.class, %(origin)s, %(draw)s, %(guideline)s, n.supersedes, %(now)s
FROM unnest(%(items)s::bigint[], %(kinds)s::text[], %(classes)s::bigint[], %(ends)s::bigint[])
     n (item, kind, class, supersedes)
RETURNING item_id, id
"""


@dataclass(frozen=True, slots=True)
class Word:
    """What was said of a photo: a class of the project, hold, or unusable."""

    item_id: int
    kind: str
    label_class_id: int | None = None


@transaction.atomic
def bring_answers(
    *, project: Project, words: Sequence[Word], sources: Mapping[int, int], of: uuid.UUID
) -> dict[int, int]:
    """Append an answer to each of these photos, and what follows from it; item id -> id of the annotation.

    ``sources``: item id -> id of the account whose answer it is. ``of``: the import. The photos are locked and wait for
    answers: nothing settles them, no reviewer is asked, none was drawn at random.

    Unlike :func:`~labeling.truth.services.record_answer` it looks neither at the time that was taken nor at checklists, and
    a machine's consent is no second opinion to it.
    """
    rounds, guideline = current_rounds(sources), current_guideline(project)
    undone = {
        (item_id, labeler_id): pk
        for pk, item_id, labeler_id, round in Retraction.objects.filter(
            annotation__item__in=sources,
            annotation__labeler__in=set(sources.values()),
            replaced_by__isnull=True,
        ).values_list("pk", "annotation__item", "annotation__labeler", "annotation__round")
        if round == rounds[item_id]
    }
    made = Annotation.objects.bulk_create(
        Annotation(
            project=project,
            item_id=word.item_id,
            round=rounds[word.item_id],
            labeler_id=sources[word.item_id],
            key=uuid.uuid4(),
            kind=word.kind,
            label_class_id=word.label_class_id,
            reason=_REASONS.get(AnswerKind(word.kind), ""),
            guideline=guideline,
            draw=Draw.SWEEP,
            context={"import": str(of)},
            view_ms=0,
            replaces_id=undone.get((word.item_id, sources[word.item_id])),
        )
        for word in words
    )
    settle_swept(project=project, rounds=rounds, guideline=guideline)
    return {annotation.item_id: annotation.pk for annotation in made}


@transaction.atomic
def take_answers_back(*, project: Project, ids: Collection[int], by: User) -> set[int]:
    """As their labelers would, whenever: what rested on them is withdrawn, but for what a reviewer has ruled since.

    ``ids``: of annotations. Returns those that stood until now.
    """
    given = list(Annotation.objects.filter(pk__in=ids).order_by("pk"))
    lock_photos(each.item_id for each in given)
    undone = set(Retraction.objects.filter(annotation__in=ids).values_list("annotation", flat=True))
    standing = [each for each in given if each.pk not in undone]
    items = {each.item_id for each in standing}
    wanted = dict(Item.objects.filter(pk__in=items).values_list("pk", "answers_wanted"))
    withdraw_answers(project=project, annotations=standing, by=by, wanted=wanted)
    return {each.pk for each in standing}


@transaction.atomic
def bring_truths(
    *, project: Project, words: Sequence[Word], guideline: Guideline, supersedes: Mapping[int, int]
) -> dict[int, int]:
    """Settle photos that nothing settles yet; item id -> id of its ground truth.

    ``supersedes``: the end of a photo's chain of ground truths, a withdrawal, where it has one. Their photos are locked, and
    none was drawn at random.
    """
    return _settle(project, words, guideline, supersedes, origin=Origin.IMPORTED, draw=Draw.SWEEP)


@transaction.atomic
def bring_gold(
    *, project: Project, words: Sequence[Word], guideline: Guideline, supersedes: Mapping[int, int], by: User
) -> dict[int, int]:
    """Declare what these photos are known, each a class, and ask them blind; item id -> id of the gold.

    What was retired with the same class is asked again. The photos are locked; nobody has begun on one, nothing else settles
    it, and none is an exemplar. Raises :class:`Refused` ``drawn`` (409) if one was drawn at random.
    """
    found = {word.item_id: word for word in words}
    again = Gold.objects.filter(item__in=found)
    again.update(retired_at=None)
    made = dict(again.values_list("item_id", "pk"))
    new = [word for word in words if word.item_id not in made]
    for refused in refused_as_gold(project, [word.item_id for word in new]).values():
        raise refused
    made |= {
        gold.item_id: gold.pk
        for gold in Gold.objects.bulk_create(
            Gold(project=project, item_id=word.item_id, label_class_id=word.label_class_id, added_by=by)
            for word in new
            if word.label_class_id is not None
        )
    }
    _settle(project, new, guideline, supersedes, origin=Origin.GOLD, draw=Draw.GOLD)
    return made


def _settle(
    project: Project,
    words: Sequence[Word],
    guideline: Guideline,
    supersedes: Mapping[int, int],
    *,
    origin: str,
    draw: str,
) -> dict[int, int]:
    with connection.cursor() as cursor:
        cursor.execute(
            _SETTLE,
            {
                "project": project.pk,
                "items": [word.item_id for word in words],
                "kinds": [str(word.kind) for word in words],
                "classes": [word.label_class_id for word in words],
                "ends": [supersedes.get(word.item_id) for word in words],
                "origin": str(origin),
                "draw": str(draw),
                "guideline": guideline.pk,
                "now": timezone.now(),
            },
        )
        made = dict(cursor.fetchall())
    if made:
        events.imported.send(sender=GroundTruth, project=project, item_ids=list(made))
    return made


@transaction.atomic
def take_truths_back(*, project: Project, ids: Collection[int]) -> set[int]:
    """Withdraw imported ground truths (ids), and ask people; return those that were in force until now.

    One of a photo that is before a reviewer stays: they are asked already, and say what it is.
    """
    items = set(GroundTruth.objects.filter(pk__in=ids).values_list("item", flat=True))
    lock_photos(items)
    disputed = set(Dispute.objects.open().filter(item__in=items).values_list("item", flat=True))
    back = {
        item_id: truth.pk
        for item_id, truth in newest_truths(items).items()
        if truth.pk in ids and item_id not in disputed
    }
    if back:
        guideline = current_guideline(project)
        withdraw_truths(project=project, item_ids=list(back), guideline=guideline, origin=Origin.UNDONE)
        events.reopened.send(sender=GroundTruth, project=project, rounds=current_rounds(back))
    return set(back.values())


def bring_hints(*, project: Project, words: Sequence[Word], said_by: Mapping[int, str]) -> dict[int, int]:
    """Let reviewers read what somebody elsewhere said of photos; item id -> id of the hint. ``said_by``: by item id."""
    made = Hint.objects.bulk_create(
        Hint(
            project=project,
            item_id=word.item_id,
            kind=word.kind,
            label_class_id=word.label_class_id,
            said_by=said_by[word.item_id],
        )
        for word in words
    )
    return {hint.item_id: hint.pk for hint in made}


@transaction.atomic
def take_hints_back(*, ids: Collection[int]) -> set[int]:
    """Those of these hints (ids) that were shown until now."""
    shown = Hint.objects.select_for_update().filter(pk__in=ids, retired_at__isnull=True).order_by("pk")
    back = set(shown.values_list("pk", flat=True))
    Hint.objects.filter(pk__in=back).update(retired_at=timezone.now())
    return back
