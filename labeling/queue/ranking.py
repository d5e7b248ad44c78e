"""Write a new ranking beside the current one, and swap it in between two claims. For workers only."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
from django.db import connection, transaction

from labeling.catalog.models import Project
from labeling.database import locks
from labeling.database.locks import Lock
from labeling.database.partitions import Partition
from labeling.database.planner import without_nested_loops
from labeling.learning.compute.copying import copy_into, fetch_columns
from labeling.learning.compute.ordering import Ordered, places_of
from labeling.queue import entry_counts, events, machine_first, pace, placing, steps
from labeling.queue.models import Ranking
from labeling.queue.places import ARRIVALS, IS_ASKED_FIRST

#: A transaction that settled a photo may have begun so long before the photos were listed, and ended after.
_LONGEST_TRANSACTION = timedelta(minutes=5)


#: Indexes that hold no entry of a new order: nobody has begun any, and none came late.
_OF_TOUCHED = ("entry_touched", "entry_to_pair")


def partition_of(ranking_id: int) -> Partition:
    return Partition("queue_entry", "ranking_id", ranking_id)


def open_items(project: Project, item_ids: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Those of a project's photos (n,) that still need answers: not settled, not in dispute, not gold.

    What people are through with is read, not what waits: of a large project that is the smaller part.
    """
    with without_nested_loops():
        (done,) = fetch_columns(
            ["item_id"],
            """
            SELECT t.item_id FROM truth_groundtruth t WHERE t.project_id = %s AND t.kind <> 'withdrawn'
              AND NOT EXISTS (SELECT 1 FROM truth_groundtruth newer WHERE newer.supersedes_id = t.id)
            UNION ALL
            SELECT d.item_id FROM truth_opendispute o JOIN truth_dispute d ON d.id = o.dispute_id WHERE o.project_id = %s
            """,
            [project.pk, project.pk],
        )
    return item_ids[~np.isin(item_ids, done)]


@dataclass(frozen=True)
class MadeOf:
    """What was there when an order was made, as :class:`Ranking` keeps it: what came later takes places in it."""

    photos: int
    last_item_id: int | None
    last_before_missing: int | None

    @classmethod
    def pool(cls, item_ids: npt.NDArray[np.int64], found: npt.NDArray[np.bool_]) -> MadeOf:
        """``item_ids`` (n,), rising, of a project's photos; ``found`` (n,): whether each has an embedding."""
        missing = item_ids[~found]
        return cls(
            photos=int(found.sum()),
            last_item_id=int(item_ids[-1]) if len(item_ids) else None,
            last_before_missing=int(missing[0]) - 1 if len(missing) else None,
        )


@transaction.atomic
def write_ranking(
    *,
    project: Project,
    ordered: Ordered,
    strategy: str,
    seed: int,
    bands: int,
    arrivals: list[int],
    margins: steps.Margins,
    read_at: datetime,
    made_of: MadeOf | None = None,
) -> Ranking:
    """Copy the order into a ranking that is not yet current. ``arrivals`` go behind all others.

    ``margins``: of all photos that the order's version has scored, as for :func:`labeling.queue.steps.write_placements`;
    ``read_at`` as for :func:`swap_in`.
    """
    locks.hold(Lock.RANKING_WRITE, project.pk)
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
        summary=ordered.summary(),
        **(asdict(made_of) if made_of is not None else {}),
    )
    partition = partition_of(ranking.pk)
    partition.create(round=1, taken=0, free=project.answers_per_image, late=False, draw="rank")
    partition.build_indexes(only=_OF_TOUCHED)
    waiting = Counter[tuple[int, int]]()
    for columns in ordered.columns(arrivals=arrivals, arrivals_band=ARRIVALS):
        copy_into(partition.name, columns, freeze=True)
        waiting.update(_by_place(columns))
    partition.build_indexes(but=_OF_TOUCHED)
    partition.attach()
    entry_counts.begin(ranking, waiting)
    steps.write_placements(ranking, margins)
    # Last: whoever has read scores stands, until the end, in the way of whoever attaches those of another version.
    placing.place_settled(ranking, until=read_at - _LONGEST_TRANSACTION)
    return ranking


def _by_place(columns: dict[str, Any]) -> dict[tuple[int, int], int]:
    """(ladder, 0 for none; band) -> rows."""
    bands = columns["band"]
    places, which = places_of(columns.get("ladder_id", np.zeros(len(bands), dtype=np.int64)), bands)
    return dict(zip(places, np.bincount(which).tolist(), strict=True))


# What another ranking must know of an entry: exactly the rows of the index entry_touched.
_TOUCHED = "(e.late OR e.taken > 0 OR e.round > 1 OR NOT e.draw = 'rank')"
# Answers still wanted of an entry; of a photo that was drawn to get more, these. Whoever holds a photo that was offered once
# is its only one until they answer.
_FREE = """CASE WHEN e.taken = 1 AND e.free = 0 AND e.round = 1 AND EXISTS (
    SELECT 1 FROM queue_slot s WHERE s.item_id = e.item_id AND s.round = 1 AND s.number IS NOT NULL
      AND s.annotation_id IS NULL)
    THEN 0 ELSE GREATEST(GREATEST(
        %s, (SELECT i.answers_wanted FROM catalog_item i WHERE i.id = e.item_id)) - e.taken, 0) END"""


@transaction.atomic
def swap_in(*, ranking: Ranking, read_at: datetime) -> None:
    """Make ``ranking`` the current one. Claims wait for this one short transaction.

    ``read_at`` is when the open photos were listed: what people finished since then is taken out again, what
    they have begun is carried over from the old entries, what was to be asked first comes first again, and photos that
    came meanwhile follow at the end. All of these are few, and found by indexes.
    """
    locks.hold(Lock.RANKING, ranking.project_id)
    _take_out_finished(ranking, read_at)
    placing.place_newest(ranking, since=read_at - _LONGEST_TRANSACTION)
    old = Ranking.objects.filter(project_id=ranking.project_id, current=True).first()
    wanted = Project.objects.get(pk=ranking.project_id).answers_per_image
    if old is not None:
        _carry_over_begun(old, ranking, wanted)
        _ask_first_again(old, ranking)
        _append_late(old, ranking, wanted)
        machine_first.keep(old, ranking)
        Ranking.objects.filter(pk=old.pk).update(current=False)
    Ranking.objects.filter(pk=ranking.pk).update(current=True)
    events.ranking_swapped.send(sender=Ranking, project=ranking.project)


def _take_out_finished(ranking: Ranking, read_at: datetime) -> None:
    _run(
        """
        DELETE FROM queue_entry e WHERE e.ranking_id = %s AND e.item_id IN (
            SELECT t.item_id FROM truth_groundtruth t
            WHERE t.project_id = %s AND t.created_at >= %s AND t.kind <> 'withdrawn'
              AND NOT EXISTS (SELECT 1 FROM truth_groundtruth newer WHERE newer.supersedes_id = t.id)
            UNION
            SELECT d.item_id FROM truth_opendispute o JOIN truth_dispute d ON d.id = o.dispute_id WHERE o.project_id = %s
            UNION
            SELECT i.id FROM catalog_item i WHERE i.project_id IS NULL)
        """,
        [ranking.pk, ranking.project_id, read_at - _LONGEST_TRANSACTION, ranking.project_id],
    )


def _carry_over_begun(old: Ranking, new: Ranking, wanted: int) -> None:
    _run(
        f"""
        UPDATE queue_entry n SET taken = e.taken, free = {_FREE},
            first_holder_id = e.first_holder_id, round = e.round, draw = e.draw
        FROM queue_entry e
        WHERE e.ranking_id = %s AND n.ranking_id = %s AND n.item_id = e.item_id AND {_TOUCHED}
          AND (e.taken > 0 OR e.round > 1 OR e.draw <> 'rank')
        """,
        [wanted, old.pk, new.pk],
    )


def _ask_first_again(old: Ranking, new: Ranking) -> None:
    # By bands, so that the index of the fresh ones leads straight to the few in front of the first place.
    _run(
        f"""
        UPDATE queue_entry n SET band = %s, position = e.position FROM queue_entry e
        WHERE e.ranking_id = %s AND e.taken = 0 AND e.band = ANY(%s) AND {IS_ASKED_FIRST}
          AND n.ranking_id = %s AND n.item_id = e.item_id AND n.taken = 0
        """,
        [
            min(pace.current_band(new.project), new.bands - 1),
            old.pk,
            list(range(max(old.bands, 1))),
            new.pk,
        ],
    )


def _append_late(old: Ranking, new: Ranking, wanted: int) -> None:
    _run(
        f"""
        INSERT INTO queue_entry (ranking_id, item_id, ladder_id, band, position, confidence, draw, round,
                                 taken, free, first_holder_id, late)
        SELECT %s, e.item_id, NULL, CASE WHEN {IS_ASKED_FIRST} THEN %s ELSE %s END, e.position, NULL, e.draw, e.round,
               e.taken, {_FREE}, e.first_holder_id, true
        FROM queue_entry e
        WHERE e.ranking_id = %s AND {_TOUCHED} AND e.late AND NOT EXISTS (
            SELECT 1 FROM queue_entry n WHERE n.ranking_id = %s AND n.item_id = e.item_id)
        """,
        [new.pk, min(pace.current_band(new.project), new.bands - 1), ARRIVALS, wanted, old.pk, new.pk],
    )


def _run(sql: str, parameters: list[Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)


def clear_out(project: Project) -> None:
    """Drop the entries of rankings that came before the current one. What readers hold up goes the next time.

    Later ones may be under way in another worker.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT r.id FROM queue_ranking r
            JOIN queue_ranking current ON current.project_id = r.project_id AND current.current
            WHERE r.project_id = %s AND r.number < current.number
              AND (to_regclass('queue_entry_' || r.id) IS NOT NULL
                   OR EXISTS (SELECT 1 FROM queue_entry_default e WHERE e.ranking_id = r.id))
            """,
            [project.pk],
        )
        old = [row[0] for row in cursor.fetchall()]
    for ranking_id in old:
        if partition_of(ranking_id).drop():
            entry_counts.forget(project, ranking_id)
