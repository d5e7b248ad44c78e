"""Photos enter the current order and leave it."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import IntegrityError, connection, transaction

from labeling.catalog.models import Item, Project
from labeling.database import locks
from labeling.database.locks import Lock
from labeling.database.partitions import Partition
from labeling.queue import pace
from labeling.queue.models import Entry, Ranking, Slot
from labeling.queue.places import ARRIVALS, ASKED_FIRST
from labeling.truth.models import Annotation, Draw

#: Not by the audit's keys: what people take of an unranked queue would be what the audit draws next.
_random = random.SystemRandom()


@transaction.atomic
def append_arrivals(*, project: Project, item_ids: list[int]) -> None:
    """New photos wait behind the ranked ones, in random order, and can be labeled at once."""
    ranking = share_ranking(project)
    if ranking is None:
        try:
            with transaction.atomic():
                ranking = Ranking.objects.create(
                    project=project, number=0, strategy="arrival", bands=1, current=True
                )
                room = Partition("queue_entry", "ranking_id", ranking.pk)
                room.create()
                room.build_indexes()
                room.attach()
        except IntegrityError:
            ranking = Ranking.objects.get(project=project, current=True)
    Entry.objects.bulk_create(
        [
            Entry(
                ranking=ranking,
                item_id=item_id,
                band=ARRIVALS,
                position=_random.randrange(2**31),
                free=project.answers_per_image,
                late=True,
            )
            for item_id in item_ids
        ],
        ignore_conflicts=True,
    )


@transaction.atomic(savepoint=False)
def remove_several(*, project: Project, item_ids: list[int]) -> None:
    """Settled or disputed photos need no more answers; the pace may move on.

    As text: every second answer comes here, and querysets take longer to compose than the database needs for them.
    """
    locks.share(Lock.RANKING, project.pk)
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM queue_ranking WHERE project_id = %s AND current", [project.pk])
        for (ranking_id,) in cursor.fetchall():
            cursor.execute(
                "DELETE FROM queue_entry WHERE ranking_id = %s AND item_id = ANY(%s)", [ranking_id, item_ids]
            )
    pace.move_inward(project)


@transaction.atomic
def put_back(*, project: Project, rounds: Mapping[int, int]) -> None:
    """Photos need answers again: their entries return with the slots that are taken in this round.

    ``rounds``: item id -> round.
    """
    ranking = share_ranking(project)
    if ranking is None:
        return
    # As in give_back: whoever is taking a photo at this moment must be counted.
    there = Entry.objects.select_for_update().filter(ranking=ranking, item__in=rounds)
    list(there.order_by("item_id").values_list("item_id"))
    slots: dict[int, list[Slot]] = {item_id: [] for item_id in rounds}
    for slot in Slot.objects.filter(item__in=rounds).order_by("-leased_at"):
        slots[slot.item_id].append(slot)
    # Those that were erased meanwhile are in no project.
    more = dict(Item.objects.filter(project=project, pk__in=rounds).values_list("pk", "answers_wanted"))
    current = pace.current_band(project)
    entries = [
        _returning(
            ranking,
            item_id,
            round,
            slots[item_id],
            band_now=current,
            # More than others get, where it was drawn to prove something.
            wanted=max(project.answers_per_image, more[item_id] or 0),
        )
        for item_id, round in rounds.items()
        if item_id in more
    ]
    if entries:
        with connection.cursor() as cursor:
            cursor.execute(_RETURN, [ranking.pk, *map(list, zip(*entries, strict=True))])


# As text: an import that is taken back brings a thousand at a time, and a queryset takes longer to compose that than the
# database needs for it. The columns are those of _returning.
_RETURN = """
INSERT INTO queue_entry (ranking_id, item_id, ladder_id, band, position, confidence, draw, round, taken, free,
                         first_holder_id, late)
SELECT %s, n.*, true
FROM unnest(%s::bigint[], %s::bigint[], %s::smallint[], %s::integer[], %s::float8[], %s::text[], %s::smallint[],
            %s::smallint[], %s::smallint[], %s::bigint[]) n
ON CONFLICT (ranking_id, item_id) DO UPDATE
SET ladder_id = excluded.ladder_id, band = excluded.band, position = excluded.position, confidence = excluded.confidence,
    draw = excluded.draw, round = excluded.round, taken = excluded.taken, free = excluded.free,
    first_holder_id = excluded.first_holder_id, late = excluded.late
"""


def _returning(
    ranking: Ranking, item_id: int, round: int, slots: Sequence[Slot], *, band_now: int, wanted: int
) -> tuple[Any, ...]:
    """``slots``: the photo's loans, the last one first; ``wanted``: answers in all."""
    taken = sorted(
        (each for each in slots if each.round == round and each.number is not None),
        key=lambda each: each.number or 0,
    )
    known = slots[0] if slots else None
    context = known.context if known else {}
    # Sent back, it comes first where the queue stands now, not in the band that it was once asked in.
    band = band_now if round > 1 else context.get("band", ARRIVALS)
    return (
        item_id,
        context.get("ladder"),
        band if band == ARRIVALS else min(band, ranking.bands - 1),
        ASKED_FIRST if round > 1 else context.get("position", 0),
        # A whole number in a loan's JSON comes back as one, and a list of both kinds is no list of either.
        None if (confidence := context.get("confidence")) is None else float(confidence),
        # As the last loan was; but an answer that is wanted neither checks a person nor is given in a grid.
        str(known.draw if known and known.draw not in {Draw.GOLD, Draw.SWEEP} else Draw.RANK),
        round,
        len(taken),
        max(wanted - len(taken), 0),
        taken[0].holder_id if taken else None,
    )


def was_offered_once(annotation: Annotation) -> bool:
    """Whether its photo was lent as one that this answer might settle alone (:func:`offer_once`)."""
    return bool(annotation.context.get("wanted") == 1)


def want_all(*, project: Project, item_id: int) -> None:
    """An answer did not settle this photo: all that are wanted of it are, also where one was to be enough.

    One statement, inside an answer: whoever takes answers shares the order before that (``answering``, ``sweeps``).
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE queue_entry e SET free = GREATEST(%s, i.answers_wanted) - e.taken FROM queue_ranking r, catalog_item i
            WHERE r.project_id = %s AND r.current AND e.ranking_id = r.id AND e.item_id = i.id AND i.id = %s
              AND e.free < GREATEST(%s, i.answers_wanted) - e.taken
            """,
            [project.answers_per_image, project.pk, item_id, project.answers_per_image],
        )


@transaction.atomic
def offer_once(*, project: Project, item_ids: Sequence[int]) -> int:
    """Ask one person first for these photos, where nobody has begun and the audit drew none; return how many there were.

    An answer that does not settle asks for the others (:func:`want_all`), so this never has to be undone. Another order
    begins with all answers wanted.
    """
    ranking = share_ranking(project)
    if ranking is None or not item_ids:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE queue_entry e SET free = 1 FROM catalog_item i
            WHERE e.ranking_id = %s AND e.item_id = ANY(%s) AND i.id = e.item_id AND i.audit_drawn_at IS NULL
              AND e.taken = 0 AND e.round = 1 AND e.free > 1
            """,
            [ranking.pk, list(item_ids)],
        )
        return int(cursor.rowcount)


def share_ranking(project: Project) -> Ranking | None:
    """The current ranking, held until the caller commits: a finished one is swapped in between two changes of entries.

    Two statements, because one sees what was current when it began to wait.
    """
    locks.share(Lock.RANKING, project.pk)
    return Ranking.objects.filter(project=project, current=True).first()
