"""A photo of the order is taken: the next one that is asked first, begun, drawn or fresh, or this very one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.utils import timezone

from labeling.catalog.models import Project
from labeling.catalog.random_keys import bring_forward
from labeling.database.rows import rows
from labeling.people.models import User
from labeling.queue.claiming.mine import NOT_MINE, not_mine
from labeling.queue.leases import SLOT, slot_of
from labeling.queue.models import Ranking, Slot
from labeling.queue.places import ARRIVALS, IS_ASKED_FIRST
from labeling.truth import services as truth
from labeling.truth.models import Draw

_AUDIT_STEPS = 100  # audit draws that may fall on photos already begun before the claim looks elsewhere


def count_fresh(ranking: Ranking, most: int) -> int:
    """How many photos nobody has begun, as far as ``most``."""
    ((number,),) = rows(
        "SELECT count(*) FROM (SELECT 1 FROM queue_entry WHERE ranking_id = %s AND taken = 0 LIMIT %s) fresh",
        [ranking.pk, most],
    )
    return int(number)


def take_audit(project: Project, ranking: Ranking, labeler: User) -> Slot | None:
    """The next photo of the uniform random sample, if nobody has begun it.

    The audit walks the project's photos in the order of their random keys. A photo that people have already
    answered or settled is in the sample too, and is not asked again; the walk goes on to the next. One that a single answer
    settled gets its second person: that is no word which could count.
    """
    bring_forward(project)
    for _ in range(_AUDIT_STEPS):
        drawn = rows(
            """
            UPDATE catalog_item SET audit_drawn_at = %s, answers_wanted = GREATEST(answers_wanted, %s) WHERE id = (
                SELECT id FROM catalog_item WHERE project_id = %s AND audit_drawn_at IS NULL
                ORDER BY random_key LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED)
            RETURNING id, EXISTS (
                SELECT 1 FROM truth_groundtruth t WHERE t.item_id = catalog_item.id AND t.origin = 'assisted'
                  AND NOT EXISTS (SELECT 1 FROM truth_groundtruth n WHERE n.supersedes_id = t.id))
            """,
            [timezone.now(), project.more_of_drawn, project.pk],
        )
        if not drawn:
            return None
        if drawn[0][1]:
            truth.withdraw_assisted(project=project, item_ids=[drawn[0][0]])
        slot = _take(
            project, ranking, labeler, _THIS, [ranking.pk, drawn[0][0], *not_mine(labeler)], draw=Draw.AUDIT
        )
        if slot is not None:
            return slot
    return None


def take_asked(project: Project, ranking: Ranking, labeler: User, band: int) -> Slot | None:
    """A photo that was asked for before all others of the band, and that nobody has begun."""
    return _take(project, ranking, labeler, _ASKED, [ranking.pk, band, *not_mine(labeler)])


def take_begun(project: Project, ranking: Ranking, labeler: User) -> Slot | None:
    """A photo that somebody else has begun. A loose index scan over the first holders keeps this O(log n)."""
    return _take(project, ranking, labeler, _BEGUN, _begun(ranking, labeler))


def take_fresh(project: Project, ranking: Ranking, labeler: User, band: int) -> Slot | None:
    """The first photo of one band that nobody has begun."""
    return _take(project, ranking, labeler, _FRESH, [ranking.pk, band, *not_mine(labeler)])


def take_begun_or_fresh(project: Project, ranking: Ranking, labeler: User, band: int) -> Slot | None:
    """A photo that is asked for first, else a begun one, else a fresh one: what nearly every claim comes to."""
    fresh = [ranking.pk, band, *not_mine(labeler)]
    parameters = [*_begun(ranking, labeler), *fresh, *fresh]
    return _take(project, ranking, labeler, _EITHER, parameters)


def take_asked_or_begun(project: Project, ranking: Ranking, labeler: User, band: int) -> Slot | None:
    """A photo that is asked for before all others of the band, else one that somebody else has begun."""
    parameters = [*_begun(ranking, labeler), ranking.pk, band, *not_mine(labeler)]
    return _take(project, ranking, labeler, _ASKED_OR_BEGUN, parameters)


def take_photo(project: Project, ranking: Ranking, labeler: User, image_id: int) -> Slot | None:
    """This very photo, wherever it stands in the order, if an answer to it is wanted that this person may give."""
    parameters = [ranking.pk, project.pk, image_id, *not_mine(labeler)]
    return _take(project, ranking, labeler, _PHOTO, parameters)


def _begun(ranking: Ranking, labeler: User) -> list[Any]:
    return [ranking.pk, ranking.pk, ranking.pk, *not_mine(labeler), labeler.pk]


_ENTRY = (
    "e.item_id, e.round, e.band, e.position, e.confidence, e.ladder_id, e.draw, e.taken + e.free AS wanted,"
    f" {IS_ASKED_FIRST} AS asked_first"
)


def offering(labeler: User, rankings: Mapping[int, int]) -> set[int]:
    """Of ``rankings`` (id -> what it is called here), the names of those that hold a photo for this person."""
    if not rankings:
        return set()
    # Each names its ranking, so that only its own partition is looked at.
    one = f"""(SELECT %s FROM queue_entry e
               WHERE e.ranking_id = %s AND e.band <= {ARRIVALS} AND e.free > 0 AND {NOT_MINE} LIMIT 1)"""
    parameters = [each for ranking, name in rankings.items() for each in (name, ranking, *not_mine(labeler))]
    return {name for (name,) in rows(" UNION ALL ".join([one] * len(rankings)), parameters)}


# Each names a row as "picked", and locks it.
_FRESH_ROW = f"""
    SELECT {_ENTRY} FROM queue_entry e
    WHERE e.ranking_id = %s AND e.band = %s AND e.taken = 0 AND {NOT_MINE}
    ORDER BY e.position LIMIT 1 FOR UPDATE SKIP LOCKED"""
# Who was first to begin photos: a loose index scan, one look-up a person.
HOLDERS = """
    holder(id) AS (
        (SELECT first_holder_id FROM queue_entry WHERE ranking_id = %s AND taken > 0 AND free > 0
         ORDER BY first_holder_id LIMIT 1)
        UNION ALL
        SELECT (SELECT e.first_holder_id FROM queue_entry e
                WHERE e.ranking_id = %s AND e.taken > 0 AND e.free > 0 AND e.first_holder_id > holder.id
                ORDER BY e.first_holder_id LIMIT 1)
        FROM holder WHERE holder.id IS NOT NULL)"""
_BEGUN_ROWS = f"""{HOLDERS},
    begun AS (
        SELECT candidate.* FROM holder, LATERAL (
            SELECT {_ENTRY} FROM queue_entry e
            WHERE e.ranking_id = %s AND e.first_holder_id = holder.id AND e.taken > 0 AND e.free > 0
              AND {NOT_MINE}
            ORDER BY e.band, e.position LIMIT 1 FOR UPDATE SKIP LOCKED) candidate
        WHERE holder.id <> %s
        ORDER BY candidate.band, candidate.position LIMIT 1)"""
_THIS = f"""
    picked AS (
        SELECT {_ENTRY} FROM queue_entry e
        WHERE e.ranking_id = %s AND e.item_id = %s AND e.taken = 0 AND {NOT_MINE}
        FOR UPDATE SKIP LOCKED)"""
_FRESH = f"picked AS ({_FRESH_ROW})"
_BEGUN = f"{_BEGUN_ROWS}, picked AS (SELECT * FROM begun)"
# Photos that are asked for before all others, and that nobody has begun.
_ASKED_ROW = _FRESH_ROW.replace("e.taken = 0", f"e.taken = 0 AND {IS_ASKED_FIRST}")
_ASKED = f"picked AS ({_ASKED_ROW})"
# What comes later is not even looked for when there is what comes before.
_EITHER = f"""{_BEGUN_ROWS}, asked AS ({_ASKED_ROW}), fresh AS ({_FRESH_ROW}),
    picked AS (SELECT * FROM asked UNION ALL SELECT * FROM begun UNION ALL SELECT * FROM fresh LIMIT 1)"""
_ASKED_OR_BEGUN = f"""{_BEGUN_ROWS}, asked AS ({_ASKED_ROW}),
    picked AS (SELECT * FROM asked UNION ALL SELECT * FROM begun LIMIT 1)"""
_PHOTO = f"""
    picked AS (
        SELECT {_ENTRY} FROM queue_entry e JOIN catalog_item i ON i.id = e.item_id
        WHERE e.ranking_id = %s AND i.project_id = %s AND i.image_id = %s AND e.free > 0 AND e.band <= {ARRIVALS}
          AND {NOT_MINE}
        FOR UPDATE OF e SKIP LOCKED)"""
#: The statement saw the slots before it had the entry's lock: somebody may have lent the same number in between.
#: The slots' constraints say so, and the next try sees it.
_TRIES = 5


def _take(
    project: Project,
    ranking: Ranking,
    labeler: User,
    picking: str,
    parameters: list[Any],
    *,
    draw: str | None = None,
) -> Slot | None:
    """Pick an entry, lend its photo under the lowest number that is free, and count it, in one statement.

    The context says of how many answers ``wanted`` it was one. Of a photo that one person is asked first, what they say
    decides whether there is a second answer: no agreement is counted on such a pair. What is asked at the boundary, and was
    not drawn, says in ``boundary`` how many answers it gets there; a labeler is told neither.
    """
    for _ in range(_TRIES):
        now = timezone.now()
        taken = rows(
            f"""
            WITH RECURSIVE {picking}, lent AS (
                INSERT INTO queue_slot (id, project_id, item_id, round, number, holder_id, draw, context,
                                        leased_at, expires_at)
                SELECT %s, %s, p.item_id, p.round,
                       (SELECT min(n) FROM generate_series(0, 99) n WHERE NOT EXISTS (
                            SELECT 1 FROM queue_slot s
                            WHERE s.item_id = p.item_id AND s.round = p.round AND s.number = n)),
                       %s, COALESCE(%s, p.draw),
                       jsonb_build_object('ranking', %s::int, 'strategy', %s::text, 'model', %s::bigint,
                                          'band', p.band, 'position', p.position, 'confidence', p.confidence,
                                          'ladder', p.ladder_id, 'wanted', GREATEST(p.wanted, there.answers))
                       || CASE WHEN there.answers IS NULL THEN '{{}}' ELSE jsonb_build_object('boundary', there.answers) END,
                       %s, %s
                FROM picked p, LATERAL (
                    SELECT CASE WHEN p.band = %s AND p.round = 1 AND COALESCE(%s, p.draw) = 'rank' AND NOT p.asked_first
                                     AND (p.wanted > 1 OR %s = 1) THEN %s::int END AS answers) there
                ON CONFLICT DO NOTHING
                RETURNING *
            ), counted AS (
                UPDATE queue_entry e SET taken = e.taken + 1, free = GREATEST(e.free - 1, 0), draw = lent.draw,
                    first_holder_id = COALESCE(e.first_holder_id, lent.holder_id)
                FROM lent WHERE e.ranking_id = %s AND e.item_id = lent.item_id
            )
            SELECT {SLOT} FROM picked p LEFT JOIN lent s ON true
            LEFT JOIN catalog_item i ON i.id = s.item_id LEFT JOIN catalog_image g ON g.id = i.image_id
            """,
            [
                *parameters,
                uuid4(),
                project.pk,
                labeler.pk,
                draw,
                ranking.number,
                ranking.strategy,
                ranking.model_version_id,
                now,
                now + timedelta(seconds=project.lease_seconds),
                ranking.bands - 1 if ranking.bands > 1 else None,
                draw,
                project.answers_per_image,
                project.at_boundary,
                ranking.pk,
            ],
        )
        if not taken:
            return None
        if taken[0][0] is not None:
            return slot_of(taken[0], project, labeler)
    return None
