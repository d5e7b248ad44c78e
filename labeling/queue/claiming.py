"""Find the next photo for a labeler: every step is an index look-up, whatever the size of the pool.

In this order: a wanted answer whose lease ran out; else, by lot, a gold question; else a photo that was asked for
before all others; else one that somebody else has begun (so that pairs of blind answers complete); else, by lot, an
audit draw; else a fresh one from the current band, then outward from it. Rows that another claim holds are skipped
(``SKIP LOCKED``), never waited for. The functions here run inside the caller's transaction and return the new slot, or
``None``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.db import connection
from django.utils import timezone

from labeling.catalog.models import Guideline, Project
from labeling.catalog.random_keys import bring_forward
from labeling.catalog.selectors import class_resolution, guideline
from labeling.database.locks import SHARED_SQL, Lock
from labeling.people.models import User
from labeling.queue.leases import SLOT, lease_of, slot_of
from labeling.queue.models import Entry, Ranking, Slot
from labeling.queue.places import ARRIVALS, IS_ASKED_FIRST
from labeling.truth import services as truth
from labeling.truth.models import Draw

_AUDIT_STEPS = 100  # audit draws that may fall on photos already begun before the claim looks elsewhere


def _rows(sql: str, params: list[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


@dataclass(frozen=True, slots=True)
class Order:
    """What a claim starts from: the current ranking, the band the queue has reached, whether a lease ran out."""

    ranking: Ranking | None
    band: int
    expired: bool


@dataclass(frozen=True, slots=True)
class Start:
    """What a claim asks first: whether this person is paused, and the guideline in force."""

    paused: bool
    guideline: Guideline


def start(project: Project, labeler: User) -> Start:
    """Keep a finished ranking from being swapped in until the caller commits."""
    ((paused, guideline_id, _nothing),) = _rows(
        f"""
        SELECT EXISTS (SELECT 1 FROM truth_pause WHERE project_id = %s AND labeler_id = %s AND lifted_at IS NULL),
               (SELECT g.id FROM catalog_guideline g WHERE g.project_id = %s ORDER BY g.number DESC LIMIT 1),
               {SHARED_SQL}
        """,
        [project.pk, labeler.pk, project.pk, Lock.RANKING.value, project.pk],
    )
    return Start(paused, guideline(guideline_id))


def begin(project: Project, labeler: User) -> bool:
    """:func:`start`, for who asks only whether this person is paused."""
    return start(project, labeler).paused


def order_of(project: Project, labeler: User) -> Order:
    """After :func:`start`, in a statement of its own: it sees what was swapped in while that one waited."""
    ((ranking_id, number, strategy, bands, model, band, expired),) = _rows(
        """
        SELECT r.id, r.number, r.strategy, r.bands, r.model_version_id,
               (SELECT o.band FROM queue_bandopening o WHERE o.project_id = %s ORDER BY o.id DESC LIMIT 1),
               EXISTS (SELECT 1 FROM queue_slot s
                       WHERE s.project_id = %s AND s.annotation_id IS NULL AND s.skipped_at IS NULL
                         AND s.number IS NOT NULL AND s.expires_at < now() AND s.holder_id <> %s)
        FROM (SELECT 1) once LEFT JOIN queue_ranking r ON r.project_id = %s AND r.current
        """,
        [project.pk, project.pk, labeler.pk, project.pk],
    )
    ranking = None
    if ranking_id is not None:
        ranking = Ranking(
            pk=ranking_id,
            project=project,
            number=number,
            strategy=strategy,
            bands=bands,
            model_version_id=model,
            current=True,
        )
    return Order(ranking, min(band or 0, project.bands - 1), expired)


def count_fresh(ranking: Ranking, most: int) -> int:
    """How many photos nobody has begun, as far as ``most``."""
    ((number,),) = _rows(
        "SELECT count(*) FROM (SELECT 1 FROM queue_entry WHERE ranking_id = %s AND taken = 0 LIMIT %s) fresh",
        [ranking.pk, most],
    )
    return int(number)


def take_over_expired(project: Project, ranking: Ranking | None, labeler: User) -> Slot | None:
    """A lease that ran out goes to this labeler, under a new lease id."""
    while True:
        found = _rows(
            """
            SELECT s.id, s.item_id, s.round, s.holder_id, e.item_id, e.draw
            FROM queue_slot s
            LEFT JOIN queue_entry e ON e.ranking_id = %s AND e.item_id = s.item_id AND e.round = s.round
            WHERE s.project_id = %s AND s.annotation_id IS NULL AND s.skipped_at IS NULL
              AND s.number IS NOT NULL AND s.expires_at < now() AND s.holder_id <> %s
              AND NOT EXISTS (SELECT 1 FROM queue_slot mine
                              WHERE mine.item_id = s.item_id AND mine.round = s.round AND mine.holder_id = %s)
              AND NOT EXISTS (SELECT 1 FROM truth_ruling r JOIN truth_dispute d ON d.id = r.dispute_id
                              WHERE d.item_id = s.item_id AND r.reviewer_id = %s)
            ORDER BY s.expires_at LIMIT 1
            FOR UPDATE OF s SKIP LOCKED
            """,
            [ranking.pk if ranking else None, project.pk, labeler.pk, *_not_mine(labeler)],
        )
        if not found:
            return None
        slot_id, item_id, _round, previous, waiting, draw = found[0]
        now = timezone.now()
        if waiting is None:  # settled or in dispute meanwhile: nobody needs this answer any more
            Slot.objects.filter(pk=slot_id).update(number=None, skipped_at=now)
            continue
        lease = uuid4()
        Slot.objects.filter(pk=slot_id).update(
            id=lease,
            holder=labeler,
            draw=draw,  # whoever takes a photo over from a grid is blind to it
            leased_at=now,
            expires_at=now + timedelta(seconds=project.lease_seconds),
        )
        Entry.objects.filter(ranking=ranking, item_id=item_id, first_holder_id=previous).update(
            first_holder=labeler
        )
        return lease_of(project, labeler, lease)


def take_gold(
    project: Project, labeler: User, now_asked: Guideline, *, beside: Sequence[int] = ()
) -> Slot | None:
    """A known photo that this labeler has neither had nor ruled on. It uses up no wanted answer.

    Not one of a class that is no more under the guideline ``now_asked``: nobody could answer it rightly. ``beside``: ids of
    projects that the same photo must be in, too, and in which this labeler has neither had nor ruled on it either.
    """
    resolution = class_resolution(project, now_asked)
    found = _rows(
        f"""
        SELECT g.item_id FROM truth_gold g JOIN catalog_item i ON i.id = g.item_id
        WHERE g.project_id = %s AND g.retired_at IS NULL AND g.label_class_id = ANY(%s) AND {_NEW_TO}
          AND NOT EXISTS (
              SELECT 1 FROM unnest(%s::bigint[]) other (project_id) WHERE NOT EXISTS (
                  SELECT 1 FROM catalog_item same WHERE same.project_id = other.project_id
                    AND same.image_id = i.image_id AND {_NEW_TO.replace("i.id", "same.id")}))
        ORDER BY random() LIMIT 1
        """,
        [
            project.pk,
            [each for each, counts_as in resolution.items() if counts_as is not None],
            *[labeler.pk] * 3,
            list(beside),
            *[labeler.pk] * 3,
        ],
    )
    return _lend_uncounted(project, labeler, found[0][0]) if found else None


def take_cover(project: Project, labeler: User, image_id: int) -> Slot | None:
    """A photo of which no answer is wanted, asked so that the question beside it does not stand out as a check.

    Asked as gold is: it uses up no wanted answer, and the answer neither trains nor settles anything.
    """
    found = _rows(
        f"SELECT i.id FROM catalog_item i WHERE i.project_id = %s AND i.image_id = %s AND {_NEW_TO}",
        [project.pk, image_id, *[labeler.pk] * 3],
    )
    return _lend_uncounted(project, labeler, found[0][0]) if found else None


# SQL over ``catalog_item i``: this person has neither had the photo, in a grid or alone, nor ruled on it.
_NEW_TO = """
    NOT EXISTS (SELECT 1 FROM queue_slot s WHERE s.item_id = i.id AND s.holder_id = %s)
    AND NOT EXISTS (SELECT 1 FROM queue_sweepphoto p WHERE p.item_id = i.id AND p.labeler_id = %s)
    AND NOT EXISTS (SELECT 1 FROM truth_ruling r JOIN truth_dispute d ON d.id = r.dispute_id
                    WHERE d.item_id = i.id AND r.reviewer_id = %s)"""


def _lend_uncounted(project: Project, labeler: User, item_id: int) -> Slot | None:
    lease = uuid4()
    now = timezone.now()
    Slot.objects.bulk_create(
        [
            Slot(
                id=lease,
                project=project,
                item_id=item_id,
                round=1,
                holder=labeler,
                draw=Draw.GOLD,
                leased_at=now,
                expires_at=now + timedelta(seconds=project.lease_seconds),
            )
        ],
        ignore_conflicts=True,  # another tab of the same person may be taking it at this moment: then there is none
    )
    return lease_of(project, labeler, lease)


def take_audit(project: Project, ranking: Ranking, labeler: User) -> Slot | None:
    """The next photo of the uniform random sample, if nobody has begun it.

    The audit walks the project's photos in the order of their random keys. A photo that people have already
    answered or settled is in the sample too, and is not asked again; the walk goes on to the next. One that a single answer
    settled gets its second person: that is no word which could count.
    """
    bring_forward(project)
    for _ in range(_AUDIT_STEPS):
        drawn = _rows(
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
            project, ranking, labeler, _THIS, [ranking.pk, drawn[0][0], *_not_mine(labeler)], draw=Draw.AUDIT
        )
        if slot is not None:
            return slot
    return None


def take_asked(project: Project, ranking: Ranking, labeler: User, band: int) -> Slot | None:
    """A photo that was asked for before all others of the band, and that nobody has begun."""
    return _take(project, ranking, labeler, _ASKED, [ranking.pk, band, *_not_mine(labeler)])


def take_begun(project: Project, ranking: Ranking, labeler: User) -> Slot | None:
    """A photo that somebody else has begun. A loose index scan over the first holders keeps this O(log n)."""
    return _take(project, ranking, labeler, _BEGUN, _begun(ranking, labeler))


def take_fresh(project: Project, ranking: Ranking, labeler: User, band: int) -> Slot | None:
    """The first photo of one band that nobody has begun."""
    return _take(project, ranking, labeler, _FRESH, [ranking.pk, band, *_not_mine(labeler)])


def take_begun_or_fresh(project: Project, ranking: Ranking, labeler: User, band: int) -> Slot | None:
    """A photo that is asked for first, else a begun one, else a fresh one: what nearly every claim comes to."""
    fresh = [ranking.pk, band, *_not_mine(labeler)]
    parameters = [*_begun(ranking, labeler), *fresh, *fresh]
    return _take(project, ranking, labeler, _EITHER, parameters)


def take_asked_or_begun(project: Project, ranking: Ranking, labeler: User, band: int) -> Slot | None:
    """A photo that is asked for before all others of the band, else one that somebody else has begun."""
    parameters = [*_begun(ranking, labeler), ranking.pk, band, *_not_mine(labeler)]
    return _take(project, ranking, labeler, _ASKED_OR_BEGUN, parameters)


def take_photo(project: Project, ranking: Ranking, labeler: User, image_id: int) -> Slot | None:
    """This very photo, wherever it stands in the order, if an answer to it is wanted that this person may give."""
    parameters = [ranking.pk, project.pk, image_id, *_not_mine(labeler)]
    return _take(project, ranking, labeler, _PHOTO, parameters)


def _begun(ranking: Ranking, labeler: User) -> list[Any]:
    return [ranking.pk, ranking.pk, ranking.pk, *_not_mine(labeler), labeler.pk]


def _not_mine(labeler: User) -> list[Any]:
    """The parameters of ``_NOT_MINE``."""
    return [labeler.pk, labeler.pk]


_ENTRY = (
    "e.item_id, e.round, e.band, e.position, e.confidence, e.ladder_id, e.draw, e.taken + e.free AS wanted,"
    f" {IS_ASKED_FIRST} AS asked_first"
)
# What this person has had in this round, or ruled on in one before: whoever ruled has read the others' answers. Only a
# photo that was sent back comes again after a ruling, so the first round need not look.
_NOT_MINE = """
    NOT EXISTS (SELECT 1 FROM queue_slot mine WHERE mine.item_id = e.item_id AND mine.round = e.round
                AND mine.holder_id = %s)
    AND (e.round = 1 OR NOT EXISTS (SELECT 1 FROM truth_ruling r JOIN truth_dispute d ON d.id = r.dispute_id
                                    WHERE d.item_id = e.item_id AND r.reviewer_id = %s))"""


def offering(labeler: User, rankings: Mapping[int, int]) -> set[int]:
    """Of ``rankings`` (id -> what it is called here), the names of those that hold a photo for this person."""
    if not rankings:
        return set()
    # Each names its ranking, so that only its own partition is looked at.
    one = f"""(SELECT %s FROM queue_entry e
               WHERE e.ranking_id = %s AND e.band <= {ARRIVALS} AND e.free > 0 AND {_NOT_MINE} LIMIT 1)"""
    parameters = [each for ranking, name in rankings.items() for each in (name, ranking, *_not_mine(labeler))]
    return {name for (name,) in _rows(" UNION ALL ".join([one] * len(rankings)), parameters)}


# Each names a row as "picked", and locks it.
_FRESH_ROW = f"""
    SELECT {_ENTRY} FROM queue_entry e
    WHERE e.ranking_id = %s AND e.band = %s AND e.taken = 0 AND {_NOT_MINE}
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
              AND {_NOT_MINE}
            ORDER BY e.band, e.position LIMIT 1 FOR UPDATE SKIP LOCKED) candidate
        WHERE holder.id <> %s
        ORDER BY candidate.band, candidate.position LIMIT 1)"""
_THIS = f"""
    picked AS (
        SELECT {_ENTRY} FROM queue_entry e
        WHERE e.ranking_id = %s AND e.item_id = %s AND e.taken = 0 AND {_NOT_MINE}
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
          AND {_NOT_MINE}
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
        rows = _rows(
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
        if not rows:
            return None
        if rows[0][0] is not None:
            return slot_of(rows[0], project, labeler)
    return None
