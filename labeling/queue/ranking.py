"""Write a new ranking beside the current one, and let it take over between two claims."""

from __future__ import annotations

import math
from datetime import datetime
from typing import TYPE_CHECKING

from django.db import connection, transaction

from labeling.catalog.models import Project
from labeling.queue.models import ARRIVALS, Entry, Ranking

if TYPE_CHECKING:
    from labeling.learning.ordering import Ordered

_DELETE_AT_ONCE = 20_000


def open_items(project: Project) -> list[int]:
    """Photos that still need answers: not settled, not in dispute, not gold."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT i.id FROM catalog_item i
            WHERE i.project_id = %s
              AND NOT EXISTS (SELECT 1 FROM truth_groundtruth t
                              LEFT JOIN truth_groundtruth newer ON newer.supersedes_id = t.id
                              WHERE t.item_id = i.id AND newer.id IS NULL AND t.kind <> 'withdrawn')
              AND NOT EXISTS (SELECT 1 FROM truth_dispute d
                              LEFT JOIN truth_ruling r ON r.dispute_id = d.id
                              WHERE d.item_id = i.id AND r.id IS NULL)
            ORDER BY i.id
            """,
            [project.pk],
        )
        return [row[0] for row in cursor.fetchall()]


@transaction.atomic
def write_ranking(
    *, project: Project, ordered: Ordered, strategy: str, seed: int, bands: int, arrivals: list[int]
) -> Ranking:
    """Copy the order into a ranking that is not yet current. ``arrivals`` go behind all others."""
    last = (
        Ranking.objects.filter(project=project).order_by("-number").values_list("number", flat=True).first()
    )
    ranking = Ranking.objects.create(
        project=project,
        number=(last if last is not None else -1) + 1,
        strategy=strategy,
        seed=seed,
        bands=bands,
        model_version_id=ordered.model_version_id,
        summary=_summary(ordered),
    )
    free = project.answers_per_image
    with (
        connection.cursor() as cursor,
        cursor.copy(  # type: ignore[attr-defined]
            "COPY queue_entry (ranking_id, item_id, ladder_id, band, position, confidence, draw, round, taken, free)"
            " FROM STDIN"
        ) as copy,
    ):
        for item_id, ladder, band, position, confidence in zip(
            ordered.item_ids.tolist(),
            ordered.ladder.tolist(),
            ordered.band.tolist(),
            ordered.position.tolist(),
            ordered.confidence.tolist(),
            strict=True,
        ):
            known = None if math.isnan(confidence) else confidence
            copy.write_row((ranking.pk, item_id, ladder or None, band, position, known, "rank", 1, 0, free))
        for position, item_id in enumerate(arrivals):
            copy.write_row((ranking.pk, int(item_id), None, ARRIVALS, position, None, "rank", 1, 0, free))
    return ranking


def _summary(ordered: Ordered) -> dict[str, dict[str, list[float]]]:
    """ladder (class id) -> band -> [lowest confidence, highest confidence, photos]"""
    summary: dict[str, dict[str, list[float]]] = {}
    for ladder, band, confidence in zip(
        ordered.ladder.tolist(), ordered.band.tolist(), ordered.confidence.tolist(), strict=True
    ):
        if not ladder or math.isnan(confidence):
            continue
        cell = summary.setdefault(str(ladder), {}).setdefault(str(band), [1.0, 0.0, 0])
        cell[0], cell[1], cell[2] = min(cell[0], confidence), max(cell[1], confidence), cell[2] + 1
    return summary


@transaction.atomic
def take_over(*, ranking: Ranking, read_at: datetime) -> None:
    """Make ``ranking`` the current one. Claims wait for this one short transaction.

    ``read_at`` is when the open photos were listed: what people finished since then is taken out again, what
    they have begun is carried over from the old entries, and photos that came meanwhile follow at the end.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('hilltop.ranking'), %s)", [ranking.project_id])
        cursor.execute(
            """
            DELETE FROM queue_entry e WHERE e.ranking_id = %s AND (
                e.item_id IN (SELECT t.item_id FROM truth_groundtruth t
                              LEFT JOIN truth_groundtruth newer ON newer.supersedes_id = t.id
                              WHERE t.project_id = %s AND t.created_at >= %s AND newer.id IS NULL
                                AND t.kind <> 'withdrawn')
                OR e.item_id IN (SELECT d.item_id FROM truth_dispute d
                                 LEFT JOIN truth_ruling r ON r.dispute_id = d.id
                                 WHERE d.project_id = %s AND r.id IS NULL))
            """,
            [ranking.pk, ranking.project_id, read_at, ranking.project_id],
        )
        old = Ranking.objects.filter(project_id=ranking.project_id, current=True).first()
        wanted = Project.objects.get(pk=ranking.project_id).answers_per_image
        if old is not None:
            cursor.execute(
                """
                UPDATE queue_entry n SET taken = o.taken, free = GREATEST(%s - o.taken, 0),
                    first_holder_id = o.first_holder_id, round = o.round, draw = o.draw
                FROM queue_entry o
                WHERE o.ranking_id = %s AND n.ranking_id = %s AND n.item_id = o.item_id
                  AND (o.taken > 0 OR o.round > 1 OR o.draw <> 'rank')
                """,
                [wanted, old.pk, ranking.pk],
            )
            cursor.execute(
                """
                INSERT INTO queue_entry (ranking_id, item_id, ladder_id, band, position, confidence, draw, round,
                                         taken, free, first_holder_id)
                SELECT %s, o.item_id, NULL, %s, o.position, NULL, o.draw, o.round, o.taken,
                       GREATEST(%s - o.taken, 0), o.first_holder_id
                FROM queue_entry o
                WHERE o.ranking_id = %s AND NOT EXISTS (
                    SELECT 1 FROM queue_entry n WHERE n.ranking_id = %s AND n.item_id = o.item_id)
                """,
                [ranking.pk, ARRIVALS, wanted, old.pk, ranking.pk],
            )
            Ranking.objects.filter(pk=old.pk).update(current=False)
        Ranking.objects.filter(pk=ranking.pk).update(current=True)


def clear_out(project: Project) -> None:
    """Delete the entries of rankings that are no longer current, a batch at a time."""
    old = list(Ranking.objects.filter(project=project, current=False).values_list("pk", flat=True))
    while True:
        batch = list(Entry.objects.filter(ranking__in=old).values_list("pk", flat=True)[:_DELETE_AT_ONCE])
        if not batch:
            return
        Entry.objects.filter(pk__in=batch).delete()
