"""Find the photos of a grid, and lend them. These run inside the caller's transaction.

A grid's photos lie in one band on one ladder: what the champion predicts as one class, about equally surely. Photos that
others have begun come first, so that pairs of answers complete. Rows that another claim holds are skipped, never waited for.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db import connection
from django.utils import timezone

from labeling.catalog.models import ClassDefinition, Project
from labeling.people.models import User
from labeling.queue.claiming.taking import HOLDERS
from labeling.queue.models import Ranking
from labeling.queue.places import IS_ASKED_FIRST

#: A gold photo that somebody saw so lately is not planted for them again: they would remember it.
RECENTLY = timedelta(days=7)
_dice = random.SystemRandom()

# What never enters a grid: the random sample and what is asked for first (they must stay blind), photos that a reviewer
# sent back, what is on loan, what this person has had or seen, and what anybody set apart. Settled photos, those in
# dispute, and gold have no entry.
_FIT = f"""
    e.draw = 'rank' AND e.round = 1 AND NOT {IS_ASKED_FIRST} AND e.free > 0
    AND NOT EXISTS (SELECT 1 FROM catalog_item i WHERE i.id = e.item_id AND i.audit_drawn_at IS NOT NULL)
    AND NOT EXISTS (SELECT 1 FROM queue_slot s WHERE s.item_id = e.item_id
                    AND (s.holder_id = %(labeler)s OR (s.annotation_id IS NULL AND s.skipped_at IS NULL)))
    AND NOT EXISTS (SELECT 1 FROM queue_sweepphoto p WHERE p.item_id = e.item_id
                    AND (p.labeler_id = %(labeler)s OR p.apart))"""  # noqa: S608  (a constant)
_HOLDERS = HOLDERS.replace("%s", "%(ranking)s")
# Only the constants above are put into it.
_PICK = f"""
WITH RECURSIVE {_HOLDERS}, begun AS (
    SELECT candidate.* FROM holder, LATERAL (
        SELECT e.item_id, e.position FROM queue_entry e
        WHERE e.ranking_id = %(ranking)s AND e.first_holder_id = holder.id AND e.band = %(band)s
          AND e.ladder_id = %(ladder)s AND e.taken > 0 AND {_FIT}
        ORDER BY e.position LIMIT %(most)s FOR UPDATE SKIP LOCKED) candidate
    WHERE holder.id <> %(labeler)s
), fresh AS (
    SELECT e.item_id, e.position FROM queue_entry e
    WHERE e.ranking_id = %(ranking)s AND e.band = %(band)s AND e.ladder_id = %(ladder)s AND e.taken = 0 AND {_FIT}
    ORDER BY e.position LIMIT %(most)s FOR UPDATE SKIP LOCKED
)
SELECT item_id FROM (
    SELECT item_id, position, 0 AS turn FROM begun UNION ALL SELECT item_id, position, 1 FROM fresh) found
ORDER BY turn, position LIMIT %(most)s
"""  # noqa: S608


# Of photos that somebody chose: from whichever band, but the boundary, begun ones first.
_PICK_AMONG = f"""
SELECT e.item_id, e.band FROM queue_entry e
WHERE e.ranking_id = %(ranking)s AND e.item_id = ANY(%(among)s) AND e.band <= %(innermost)s AND {_FIT}
ORDER BY e.taken = 0, array_position(%(among)s::bigint[], e.item_id) LIMIT %(most)s FOR UPDATE SKIP LOCKED
"""  # noqa: S608


def pick_among(
    ranking: Ranking, labeler: User, item_ids: Sequence[int], *, innermost: int, most: int
) -> list[tuple[int, int]]:
    """Up to ``most`` of these photos and their bands, none of a band beyond ``innermost``, their entries locked."""
    with connection.cursor() as cursor:
        cursor.execute(
            _PICK_AMONG,
            {
                "ranking": ranking.pk,
                "among": list(item_ids),
                "innermost": innermost,
                "labeler": labeler.pk,
                "most": most,
            },
        )
        rows: list[tuple[int, int]] = cursor.fetchall()
        return rows


def pick(
    project: Project, ranking: Ranking, labeler: User, *, band: int, ladder_id: int, most: int
) -> list[int]:
    """Up to ``most`` item ids, their entries locked until the caller commits."""
    with connection.cursor() as cursor:
        cursor.execute(
            _PICK,
            {
                "ranking": ranking.pk,
                "band": band,
                "ladder": ladder_id,
                "labeler": labeler.pk,
                "most": most,
            },
        )
        return [row[0] for row in cursor.fetchall()]


# A statement of its own, after the entries are locked: it sees every number that is lent.
_LEND = """
WITH lent AS (
    INSERT INTO queue_slot (id, project_id, item_id, round, number, holder_id, draw, context, leased_at, expires_at)
    SELECT gen_random_uuid(), %(project)s, e.item_id, e.round,
           (SELECT min(n) FROM generate_series(0, 99) n WHERE NOT EXISTS (
                SELECT 1 FROM queue_slot s WHERE s.item_id = e.item_id AND s.round = e.round AND s.number = n)),
           %(labeler)s, 'sweep',
           jsonb_build_object('ranking', %(number)s::int, 'strategy', %(strategy)s::text, 'model', %(model)s::bigint,
                              'band', e.band, 'position', e.position, 'confidence', e.confidence,
                              'ladder', e.ladder_id, 'sweep', %(sweep)s::text, 'shown_as', %(shown_as)s::text),
           %(now)s, %(until)s
    FROM queue_entry e
    WHERE e.ranking_id = %(ranking)s AND e.item_id = ANY(%(items)s) AND e.free > 0 AND e.draw = 'rank' AND e.round = 1
    ON CONFLICT DO NOTHING
    RETURNING item_id, holder_id
)
UPDATE queue_entry e SET taken = e.taken + 1, free = e.free - 1,
    first_holder_id = COALESCE(e.first_holder_id, lent.holder_id)
FROM lent WHERE e.ranking_id = %(ranking)s AND e.item_id = lent.item_id
RETURNING e.item_id
"""


def lend(
    project: Project,
    ranking: Ranking,
    labeler: User,
    *,
    item_ids: Sequence[int],
    sweep: UUID,
    shown_as: str,
) -> list[int]:
    """Lend these photos as part of a grid, where an answer to them is still wanted; return which."""
    now = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(
            _LEND,
            {
                "project": project.pk,
                "labeler": labeler.pk,
                "ranking": ranking.pk,
                "number": ranking.number,
                "strategy": ranking.strategy,
                "model": ranking.model_version_id,
                "items": list(item_ids),
                "sweep": str(sweep),
                "shown_as": shown_as,
                "now": now,
                "until": now + timedelta(seconds=project.lease_seconds),
            },
        )
        return [row[0] for row in cursor.fetchall()]


@dataclass(frozen=True, slots=True)
class Planted:
    """A gold photo for a grid, and the class that it is known to be."""

    item_id: int
    known_id: int


def plant(
    project: Project, labeler: User, *, among: Sequence[int], most: int, dice: random.Random = _dice
) -> list[Planted]:
    """Up to ``most`` gold photos of the classes ``among`` that this person has not seen lately, in random order.

    Nor any that they missed in a grid before, as they were told what those are, or ruled on.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT g.item_id, g.label_class_id FROM truth_gold g
            WHERE g.project_id = %(project)s AND g.retired_at IS NULL AND g.label_class_id = ANY(%(among)s)
              AND NOT EXISTS (SELECT 1 FROM queue_slot s WHERE s.item_id = g.item_id
                              AND s.holder_id = %(labeler)s AND s.leased_at > %(since)s)
              AND NOT EXISTS (SELECT 1 FROM queue_sweepphoto p WHERE p.item_id = g.item_id
                              AND p.labeler_id = %(labeler)s AND p.shown_at > %(since)s)
              AND NOT EXISTS (SELECT 1 FROM truth_sweepcheck c WHERE c.item_id = g.item_id
                              AND c.labeler_id = %(labeler)s AND NOT c.found)
              AND NOT EXISTS (SELECT 1 FROM truth_ruling r JOIN truth_dispute d ON d.id = r.dispute_id
                              WHERE d.item_id = g.item_id AND r.reviewer_id = %(labeler)s)
            ORDER BY g.id
            """,
            {
                "project": project.pk,
                "labeler": labeler.pk,
                "among": list(among),
                "since": timezone.now() - RECENTLY,
            },
        )
        found = [Planted(*row) for row in cursor.fetchall()]
    return dice.sample(found, min(most, len(found)))


def opposites(resolution: dict[int, int | None], definition: ClassDefinition) -> list[int]:
    """The classes whose gold is known not to be this one: those that count as another class today."""
    shown = definition.label_class_id
    return [each for each, counts_as in resolution.items() if counts_as is not None and counts_as != shown]
