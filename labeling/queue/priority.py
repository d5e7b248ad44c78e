"""Which photos people are asked first, and which not at all, whatever the ranking says.

Photos that the machine decided are withdrawn: they keep their entry, in a band that no claim looks into. The audit walk
names a photo, whatever its band, so its sample stays one of everything; what it lent out is found like any other photo
that somebody has begun.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from django.db import connection, transaction
from django.utils import timezone

from labeling.catalog.models import Item, Project
from labeling.catalog.random_keys import bring_forward
from labeling.queue import pace
from labeling.queue.entries import share_ranking
from labeling.queue.places import (
    ARRIVALS,
    ASKED_FIRST,
    DECIDED,
    IS_ASKED_FIRST,
    IS_WAITED_FOR,
    waiting_since,
)
from labeling.truth import services as truth


@transaction.atomic
def withdraw(*, project: Project, item_ids: Sequence[int]) -> int:
    """Offer these photos no more, unless the audit draws them; return how many. Those that people began stay."""
    return _move(
        project,
        """
        UPDATE queue_entry e SET band = %s FROM catalog_item i
        WHERE e.ranking_id = %s AND e.item_id = ANY(%s) AND i.id = e.item_id AND i.audit_drawn_at IS NULL
          AND e.taken = 0 AND e.round = 1
        """,
        [DECIDED],
        item_ids,
    )


@transaction.atomic
def ask_first(*, project: Project, item_ids: Sequence[int], place: int = ASKED_FIRST) -> int:
    """Offer these photos before all others of the band that is open; return how many.

    Begun ones wait for their next answer before all others too, as of these the outermost band's come first.
    """
    ranking = share_ranking(project)
    if ranking is None:
        return 0
    band = min(pace.current_band(project), ranking.bands - 1)
    return _move(
        project,
        """
        UPDATE queue_entry e SET band = CASE WHEN e.taken > 0 THEN 0 ELSE %s END, position = %s
        WHERE e.ranking_id = %s AND e.item_id = ANY(%s)
        """,
        [band, place],
        item_ids,
    )


@transaction.atomic
def ask_while_waited_for(*, project: Project, since: Mapping[int, datetime]) -> int:
    """Offer these photos first, because something waits for them; return how many. ``since``: item id -> since when.

    What waits longest comes first. Those that come first for another reason stay, and so do those that the machine decided;
    of the others the machine may decide each as before.
    """
    ranking = share_ranking(project)
    if ranking is None or not since:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            UPDATE queue_entry e SET band = CASE WHEN e.taken > 0 THEN 0 ELSE %s END, position = LEAST(e.position, n.place)
            FROM unnest(%s::bigint[], %s::int[]) n (item, place)
            WHERE e.ranking_id = %s AND e.item_id = n.item AND e.band <= {ARRIVALS}
              AND (NOT {IS_ASKED_FIRST} OR {IS_WAITED_FOR})
            """,  # noqa: S608  (constants)
            [
                min(pace.current_band(project), ranking.bands - 1),
                list(since),
                [waiting_since(moment) for moment in since.values()],
                ranking.pk,
            ],
        )
        return int(cursor.rowcount)


@transaction.atomic
def wait_no_more(*, project: Project, item_ids: Collection[int]) -> int:
    """Nothing waits for these photos any more: those that nobody began are asked in their turn; return how many."""
    ranking = share_ranking(project)
    if ranking is None or not item_ids:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            UPDATE queue_entry e SET band = {ARRIVALS}, position = floor(random() * (2 ^ 31 - 1))::int
            WHERE e.ranking_id = %s AND e.item_id = ANY(%s) AND {IS_WAITED_FOR} AND e.taken = 0
            """,  # noqa: S608  (constants)
            [ranking.pk, list(item_ids)],
        )
        return int(cursor.rowcount)


@transaction.atomic
def ask_in_turn(*, project: Project, item_ids: Sequence[int]) -> set[int]:
    """Offer these photos before all others no more, but behind the ranked ones until they are placed again; return
    which.

    Those that people began stay, and those that come first because they were drawn or sent back.
    """
    ranking = share_ranking(project)
    if ranking is None or not item_ids:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            UPDATE queue_entry e SET band = %s, position = floor(random() * (2 ^ 31 - 1))::int FROM catalog_item i
            WHERE e.ranking_id = %s AND e.item_id = ANY(%s) AND i.id = e.item_id AND i.audit_drawn_at IS NULL
              AND {IS_ASKED_FIRST} AND e.taken = 0 AND e.round = 1 AND e.draw = 'rank'
            RETURNING e.item_id
            """,  # noqa: S608  (a constant)
            [ARRIVALS, ranking.pk, list(item_ids)],
        )
        return {row[0] for row in cursor.fetchall()}


@transaction.atomic
def ask_as_drawn(*, project: Project, item_ids: Sequence[int]) -> None:
    """These photos were drawn to prove something: where the project says so they get more answers than others."""
    more = project.more_of_drawn
    if more is None:
        return
    Item.objects.filter(project=project, pk__in=item_ids).update(answers_wanted=more)
    _move(
        project,
        """
        UPDATE queue_entry e SET free = GREATEST(%s - e.taken, 0)
        WHERE e.ranking_id = %s AND e.item_id = ANY(%s)
        """,
        [more],
        item_ids,
    )


@transaction.atomic
def restore(*, project: Project, item_ids: Sequence[int]) -> int:
    """People are asked for these photos again; return how many. They get their place when photos are placed next."""
    return _move(
        project,
        """
        UPDATE queue_entry e SET band = %s
        WHERE e.ranking_id = %s AND e.item_id = ANY(%s) AND e.band > %s
        """,
        [ARRIVALS],
        item_ids,
        ARRIVALS,
    )


@transaction.atomic
def ask_drawn_first(*, project: Project) -> int:
    """Photos that the audit drew and nobody has now (given back, or never lent) come before all others; return how many.

    They would wait for their own band otherwise, and the random sample, which ends at its first open photo, with them.
    """
    ranking = share_ranking(project)
    if ranking is None:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            UPDATE queue_entry e SET band = %s, position = %s FROM catalog_item i
            WHERE e.ranking_id = %s AND e.taken = 0 AND NOT {IS_ASKED_FIRST}
              AND i.id = e.item_id AND i.project_id = %s AND i.audit_drawn_at IS NOT NULL
            """,  # noqa: S608  (a constant)
            [min(pace.current_band(project), ranking.bands - 1), ASKED_FIRST, ranking.pk, project.pk],
        )
        return int(cursor.rowcount)


@transaction.atomic
def draw_for_audit(*, project: Project, count: int) -> int:
    """Draw the next ``count`` photos of the audit walk now, and ask people for them before all others; return how many.

    The walk goes on in the order of the random keys, so the sample stays a uniform one. Photos that people have settled or
    begun are in it too, and are not asked again, unless one answer settled them: those get their second person. They look
    like any other photo.
    """
    ranking = share_ranking(project)
    bring_forward(project)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH following AS (
                SELECT id FROM catalog_item WHERE project_id = %s AND audit_drawn_at IS NULL
                ORDER BY random_key LIMIT %s FOR NO KEY UPDATE)
            UPDATE catalog_item i SET audit_drawn_at = %s, answers_wanted = GREATEST(i.answers_wanted, %s)
            FROM following WHERE i.id = following.id
            RETURNING i.id
            """,
            [project.pk, count, timezone.now(), project.more_of_drawn],
        )
        drawn = [row[0] for row in cursor.fetchall()]
        if ranking is not None:
            cursor.execute(
                """
                UPDATE queue_entry SET band = %s, position = LEAST(position, %s), draw = 'audit', free = GREATEST(free, %s)
                WHERE ranking_id = %s AND item_id = ANY(%s) AND taken = 0
                """,
                [
                    min(pace.current_band(project), ranking.bands - 1),
                    ASKED_FIRST,
                    project.more_of_drawn,
                    ranking.pk,
                    drawn,
                ],
            )
    truth.withdraw_assisted(project=project, item_ids=drawn)
    return len(drawn)


def _move(project: Project, sql: str, first: list[int], item_ids: Sequence[int], *last: int) -> int:
    ranking = share_ranking(project)
    if ranking is None or not item_ids:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(sql, [*first, ranking.pk, list(item_ids), *last])
        return int(cursor.rowcount)
