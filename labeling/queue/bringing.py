"""Answers that were given elsewhere take one of the places that photos' answers have, and give it back."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from labeling.catalog.models import Project
from labeling.people.models import User
from labeling.queue.entries import share_ranking
from labeling.queue.models import Slot
from labeling.queue.places import ARRIVALS
from labeling.truth import services as truth
from labeling.truth.models import Annotation, Draw

# As ``want_all``: where one answer was to be enough, all are wanted from now on.
_TAKE = """
UPDATE queue_entry e
SET taken = e.taken + 1, free = GREATEST(e.free, %(wanted)s - e.taken, i.answers_wanted - e.taken) - 1,
    first_holder_id = COALESCE(e.first_holder_id, n.holder)
FROM unnest(%(items)s::bigint[], %(holders)s::bigint[]) n (item, holder) JOIN catalog_item i ON i.id = n.item
WHERE e.ranking_id = %(ranking)s AND e.item_id = n.item AND e.band <= %(arrivals)s AND e.free > 0
RETURNING e.item_id, e.round, e.ladder_id, e.band, e.position, e.confidence
"""


@dataclass(frozen=True, slots=True)
class _Taken:
    """A place among the answers of a photo, and where it stood in the order."""

    round: int
    context: dict[str, Any]


@transaction.atomic
def bring_answers(
    *, project: Project, words: Sequence[truth.Word], sources: Mapping[int, int], of: uuid.UUID
) -> dict[int, int]:
    """Count each as one of the answers that are wanted of its photo; item id -> id of the annotation.

    A photo of which nobody is to be asked for one is missing there. ``sources``: item id -> id of the account whose answer
    it is. ``of``: the import. The photos are locked, and each is named once.
    """
    taken = _take(project, {word.item_id: sources[word.item_id] for word in words})
    holders = {item_id: sources[item_id] for item_id in taken}
    words = [word for word in words if word.item_id in taken]
    made = truth.bring_answers(project=project, words=words, sources=holders, of=of)
    used: dict[tuple[int, int], set[int]] = defaultdict(set)
    slots = Slot.objects.filter(item__in=taken, number__isnull=False)
    for item_id, round, number in slots.values_list("item", "round", "number"):
        used[item_id, round].add(number or 0)
    now = timezone.now()
    Slot.objects.bulk_create(
        [
            Slot(
                project=project,
                item_id=item_id,
                round=place.round,
                holder_id=holders[item_id],
                number=_lowest_free(used[item_id, place.round]),
                draw=Draw.SWEEP,
                context=place.context,
                leased_at=now,
                expires_at=now,
                annotation_id=made[item_id],
            )
            for item_id, place in taken.items()
        ],
        update_conflicts=True,  # whose answer was taken back has one
        unique_fields=["item", "round", "holder"],
        update_fields=["number", "draw", "context", "leased_at", "expires_at", "skipped_at", "annotation"],
    )
    return made


def _take(project: Project, holders: Mapping[int, int]) -> dict[int, _Taken]:
    ranking = share_ranking(project)
    if ranking is None or not holders:
        return {}
    items = sorted(holders)
    with connection.cursor() as cursor:
        cursor.execute(
            _TAKE,
            {
                "wanted": project.answers_per_image,
                "items": items,
                "holders": [holders[item_id] for item_id in items],
                "ranking": ranking.pk,
                "arrivals": ARRIVALS,
            },
        )
        return {
            item_id: _Taken(
                round, {"ladder": ladder, "band": band, "position": position, "confidence": confidence}
            )
            for item_id, round, ladder, band, position, confidence in cursor.fetchall()
        }


def _lowest_free(used: set[int]) -> int:
    return next(n for n in range(len(used) + 1) if n not in used)


@transaction.atomic
def take_answers_back(*, project: Project, ids: Collection[int], by: User) -> set[int]:
    """Their places are free again, as if they had been skipped; those of the annotations (ids) that stood until now."""
    share_ranking(project)
    truth.lock_photos(Annotation.objects.filter(pk__in=ids).values_list("item", flat=True))
    Slot.objects.filter(annotation__in=ids).update(
        number=None, annotation=None, skipped_at=timezone.now(), expires_at=timezone.now()
    )
    return truth.take_answers_back(project=project, ids=ids, by=by)
