"""Find the next photo for a labeler: every step is an index look-up, whatever the size of the pool.

In this order: a wanted answer whose lease ran out; else, by lot, a gold question; else a photo that somebody
else has begun (so that pairs of blind answers complete); else, by lot, an audit draw; else a fresh one from
the current band, then outward from it. Rows that another claim holds are skipped (``SKIP LOCKED``), never waited
for. The functions here run inside the caller's transaction and return the new slot's id, or ``None``.
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from django.db import connection
from django.utils import timezone

from labeling.catalog.models import Project
from labeling.people.models import User
from labeling.queue.models import ARRIVALS, Entry, Ranking, Slot
from labeling.truth.models import Draw

_AUDIT_STEPS = 100  # audit draws that may fall on photos already begun before the claim looks elsewhere


def _rows(sql: str, params: list[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


def take_over_expired(project: Project, labeler: User) -> UUID | None:
    """A lease that ran out goes to this labeler, under a new lease id."""
    while True:
        found = _rows(
            """
            SELECT s.id, s.item_id, s.round, s.holder_id, e.id
            FROM queue_slot s
            LEFT JOIN queue_ranking r ON r.project_id = s.project_id AND r.current
            LEFT JOIN queue_entry e ON e.ranking_id = r.id AND e.item_id = s.item_id AND e.round = s.round
            WHERE s.project_id = %s AND s.annotation_id IS NULL AND s.skipped_at IS NULL
              AND s.number IS NOT NULL AND s.expires_at < now() AND s.holder_id <> %s
              AND NOT EXISTS (SELECT 1 FROM queue_slot mine
                              WHERE mine.item_id = s.item_id AND mine.round = s.round AND mine.holder_id = %s)
            ORDER BY s.expires_at LIMIT 1
            FOR UPDATE OF s SKIP LOCKED
            """,
            [project.pk, labeler.pk, labeler.pk],
        )
        if not found:
            return None
        slot_id, item_id, _round, previous, entry_id = found[0]
        now = timezone.now()
        if entry_id is None:  # settled or in dispute meanwhile: nobody needs this answer any more
            Slot.objects.filter(pk=slot_id).update(number=None, skipped_at=now)
            continue
        lease = uuid4()
        Slot.objects.filter(pk=slot_id).update(
            id=lease,
            holder=labeler,
            leased_at=now,
            expires_at=now + timedelta(seconds=project.lease_seconds),
        )
        Entry.objects.filter(item_id=item_id, first_holder_id=previous).update(first_holder=labeler)
        return lease


def take_gold(project: Project, labeler: User) -> UUID | None:
    """A known photo that this labeler has not had. It uses up no wanted answer."""
    found = _rows(
        """
        SELECT g.item_id FROM truth_gold g
        WHERE g.project_id = %s AND g.retired_at IS NULL
          AND NOT EXISTS (SELECT 1 FROM queue_slot s WHERE s.item_id = g.item_id AND s.holder_id = %s)
        ORDER BY random() LIMIT 1
        """,
        [project.pk, labeler.pk],
    )
    if not found:
        return None
    return _lend(project, labeler, item_id=found[0][0], round=1, number=None, draw=Draw.GOLD, context={})


def take_audit(project: Project, ranking: Ranking, labeler: User) -> UUID | None:
    """The next photo of the uniform random sample, if nobody has begun it.

    The audit walks the project's photos in the order of their random keys. A photo that people have already
    answered or settled is in the sample too, and is not asked again; the walk goes on to the next.
    """
    for _ in range(_AUDIT_STEPS):
        drawn = _rows(
            """
            UPDATE catalog_item SET audit_drawn_at = now() WHERE id = (
                SELECT id FROM catalog_item WHERE project_id = %s AND audit_drawn_at IS NULL
                ORDER BY random_key LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED)
            RETURNING id
            """,
            [project.pk],
        )
        if not drawn:
            return None
        entry = _rows(
            f"""
            SELECT {_ENTRY} FROM queue_entry e
            WHERE e.ranking_id = %s AND e.item_id = %s AND e.taken = 0 AND {_NOT_MINE}
            FOR UPDATE SKIP LOCKED
            """,
            [ranking.pk, drawn[0][0], labeler.pk],
        )
        if entry:
            return _take(project, ranking, labeler, entry[0], draw=Draw.AUDIT)
    return None


def take_begun(project: Project, ranking: Ranking, labeler: User) -> UUID | None:
    """A photo that somebody else has begun. A loose index scan over the first holders keeps this O(log n)."""
    found = _rows(
        f"""
        WITH RECURSIVE holder(id) AS (
            (SELECT first_holder_id FROM queue_entry WHERE ranking_id = %s AND taken > 0 AND free > 0
             ORDER BY first_holder_id LIMIT 1)
            UNION ALL
            SELECT (SELECT e.first_holder_id FROM queue_entry e
                    WHERE e.ranking_id = %s AND e.taken > 0 AND e.free > 0 AND e.first_holder_id > holder.id
                    ORDER BY e.first_holder_id LIMIT 1)
            FROM holder WHERE holder.id IS NOT NULL)
        SELECT candidate.* FROM holder, LATERAL (
            SELECT {_ENTRY} FROM queue_entry e
            WHERE e.ranking_id = %s AND e.first_holder_id = holder.id AND e.taken > 0 AND e.free > 0
              AND {_NOT_MINE}
            ORDER BY e.band, e.position LIMIT 1 FOR UPDATE SKIP LOCKED) candidate
        WHERE holder.id <> %s
        ORDER BY candidate.band, candidate.position LIMIT 1
        """,
        [ranking.pk, ranking.pk, ranking.pk, labeler.pk, labeler.pk],
    )
    return _take(project, ranking, labeler, found[0]) if found else None


def take_fresh(project: Project, ranking: Ranking, labeler: User, band: int) -> UUID | None:
    """The first photo of one band that nobody has begun."""
    found = _rows(
        f"""
        SELECT {_ENTRY} FROM queue_entry e
        WHERE e.ranking_id = %s AND e.band = %s AND e.taken = 0 AND {_NOT_MINE}
        ORDER BY e.position LIMIT 1 FOR UPDATE SKIP LOCKED
        """,
        [ranking.pk, band, labeler.pk],
    )
    return _take(project, ranking, labeler, found[0]) if found else None


def take_arrival(project: Project, ranking: Ranking, labeler: User) -> UUID | None:
    """A photo that came after the ranking was made."""
    return take_fresh(project, ranking, labeler, ARRIVALS)


_ENTRY = "e.id, e.item_id, e.round, e.band, e.position, e.confidence, e.ladder_id, e.draw"
_NOT_MINE = (
    "NOT EXISTS (SELECT 1 FROM queue_slot mine WHERE mine.item_id = e.item_id AND mine.round = e.round"
    " AND mine.holder_id = %s)"
)


def _take(
    project: Project, ranking: Ranking, labeler: User, entry: tuple[Any, ...], *, draw: str | None = None
) -> UUID:
    """Lend the photo of an entry that this transaction has locked."""
    entry_id, item_id, round, band, position, confidence, ladder, entry_draw = entry
    draw = draw or entry_draw
    used = set(
        Slot.objects.filter(item_id=item_id, round=round, number__isnull=False).values_list(
            "number", flat=True
        )
    )
    number = next(n for n in range(len(used) + 1) if n not in used)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE queue_entry SET taken = taken + 1, free = GREATEST(free - 1, 0), draw = %s,
                first_holder_id = COALESCE(first_holder_id, %s)
            WHERE id = %s
            """,
            [draw, labeler.pk, entry_id],
        )
    context = {
        "ranking": ranking.number,
        "strategy": ranking.strategy,
        "model": ranking.model_version_id,
        "band": band,
        "position": position,
        "confidence": confidence,
        "ladder": ladder,
    }
    return _lend(project, labeler, item_id=item_id, round=round, number=number, draw=draw, context=context)


def _lend(
    project: Project,
    labeler: User,
    *,
    item_id: int,
    round: int,
    number: int | None,
    draw: str,
    context: dict[str, Any],
) -> UUID:
    lease = uuid4()
    now = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO queue_slot
                (id, project_id, item_id, round, number, holder_id, draw, context, leased_at, expires_at)
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
            """,
            [
                lease,
                project.pk,
                item_id,
                round,
                number,
                labeler.pk,
                draw,
                json.dumps(context),
                now,
                now + timedelta(seconds=project.lease_seconds),
            ],
        )
    return lease
