"""Photos that came after an order was made take their places in it, by scores of the champion that ordered it.

Another order reads and writes the whole pool, so with photos coming in one by one it would be made for ever, and each would
wait for it. Few beside what the order knows do not change where its bands begin. For workers only.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from django.db import connection, transaction

from labeling.catalog.models import Project
from labeling.catalog.selectors import class_resolution
from labeling.database import locks
from labeling.database.locks import Lock
from labeling.jobs.progress import Progress
from labeling.learning import selectors as learning
from labeling.learning.compute import artifact
from labeling.learning.compute.classes import in_force
from labeling.learning.compute.copying import fetch_columns
from labeling.learning.compute.scoring import add_scores, gather, margins, predict, probabilities
from labeling.learning.compute.stores import vectors_of
from labeling.learning.models import ModelVersion
from labeling.queue import events, placing, steps
from labeling.queue.models import Placement, Ranking
from labeling.queue.outgrown import has_outgrown
from labeling.queue.places import ARRIVALS, DECIDED, IS_ASKED_FIRST, IS_LEFT_TO_MACHINE, MACHINE_FIRST
from labeling.queue.requests import request_ranking

#: Not by the audit's keys, as for photos that nobody ranked.
_random = random.SystemRandom()


def join_order(progress: Progress) -> dict[str, Any]:
    """The job ``place``. Returns {placed (photos that wait), scored}; ``ordered``: another order was asked for instead."""
    project = Project.objects.get(pk=progress.job.project_id or 0)
    told = _join(project, progress)
    if told is None:
        request_ranking(project=project)
        return {"placed": 0, "scored": 0, "ordered": True}
    return told


def _join(project: Project, progress: Progress) -> dict[str, Any] | None:
    """None where only another order can place them."""
    ranking = placing.current_ranking(project)
    if ranking is None or has_outgrown(project, ranking):
        return None
    champion = learning.champion(project)
    if champion is None:  # they wait behind all others, and few among many change little of what is typical
        return {"placed": 0, "scored": 0}
    item_ids, images = _arrived(ranking)
    if not len(item_ids):
        return {"placed": 0, "scored": 0}
    gathered = gather(vectors_of(champion), [project], items=lambda _project: (item_ids, images))
    (proba,) = probabilities(gathered, [artifact.load(champion)], progress)
    proba = proba[gathered.pools[0].images]
    has = ~np.isnan(proba[:, 0])
    return _take_places(ranking, champion, item_ids[has], proba[has])


def _arrived(ranking: Ranking) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Ids, rising, and images of photos that the order has no place for, and of settled ones that came without a score."""
    item_ids, image_ids = fetch_columns(
        ["id", "image_id"],
        """
        SELECT i.id, i.image_id FROM catalog_item i JOIN (
            SELECT item_id FROM queue_entry WHERE ranking_id = %s AND ladder_id IS NULL AND late
            UNION
            SELECT item_id FROM queue_entry WHERE ranking_id = %s AND ladder_id IS NULL AND band = %s
            UNION
            SELECT id FROM catalog_item c WHERE project_id = %s AND id > %s AND NOT EXISTS (
                SELECT 1 FROM learning_score s WHERE s.model_version_id = %s AND s.item_id = c.id)
        ) new ON new.item_id = i.id WHERE i.project_id = %s
        """,
        [
            *(ranking.pk, ranking.pk, ARRIVALS),
            *(ranking.project_id, ranking.last_item_id, ranking.model_version_id),
            ranking.project_id,
        ],
    )
    order = np.argsort(item_ids)
    return item_ids[order], image_ids[order]


@transaction.atomic
def _take_places(
    ranking: Ranking, champion: ModelVersion, item_ids: npt.NDArray[np.int64], proba: npt.NDArray[np.float32]
) -> dict[str, Any] | None:
    """Scores and places of these photos, at once: answers and claims wait for this one short transaction."""
    locks.hold(Lock.RANKING, ranking.project_id)
    if not Ranking.objects.filter(pk=ranking.pk, current=True).exists():
        return None
    told = in_force(proba, champion.classes, class_resolution(ranking.project))
    if told is None:
        return None
    classes, of_classes = told
    ladders, confidence = predict(of_classes, classes)
    placements = {each.predicted_id: each for each in Placement.objects.filter(ranking=ranking)}
    if not set(ladders.tolist()) <= placements.keys():
        return None  # a ladder without photos has no bands
    fresh = add_scores(champion, item_ids, proba)
    placing.place_scored(ranking, fresh)
    steps.add_to_ridges(
        list(placements.values()), margins(champion, proba[np.isin(item_ids, fresh, assume_unique=True)])
    )
    bands = _bands(placements, ladders, confidence)
    placed = _move(ranking, item_ids, ladders, bands, confidence)
    events.arrivals_placed.send(sender=Ranking, project=ranking.project)
    return {"placed": placed, "scored": len(fresh)}


def _bands(
    placements: Mapping[int, Placement],
    ladders: npt.NDArray[np.int64],
    confidence: npt.NDArray[np.floating[Any]],
) -> npt.NDArray[np.int64]:
    bands = np.empty(len(ladders), dtype=np.int64)
    for ladder in np.unique(ladders).tolist():
        mine, edges = ladders == ladder, placements[ladder].edges
        bands[mine] = len(edges) - np.searchsorted(edges, confidence[mine], side="right")
    return bands


def _move(
    ranking: Ranking,
    item_ids: npt.NDArray[np.int64],
    ladders: npt.NDArray[np.int64],
    bands: npt.NDArray[np.int64],
    confidence: npt.NDArray[np.floating[Any]],
) -> int:
    """Somewhere among the others of its band, but for what is asked first and what the machine decided."""
    in_band = [
        sum(int(ladder[str(band)][2]) for ladder in ranking.summary.values() if str(band) in ladder)
        for band in range(ranking.bands)
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            UPDATE queue_entry e SET ladder_id = n.ladder, confidence = n.confidence,
                position = CASE WHEN {IS_ASKED_FIRST} OR e.band = {DECIDED} THEN e.position ELSE n.position END,
                band = CASE WHEN {IS_LEFT_TO_MACHINE} THEN {MACHINE_FIRST} + n.band
                            WHEN {IS_ASKED_FIRST} OR e.band = {DECIDED} THEN e.band ELSE n.band END
            FROM unnest(%s::bigint[], %s::bigint[], %s::int[], %s::int[], %s::float8[])
                AS n (item_id, ladder, band, position, confidence)
            WHERE e.ranking_id = %s AND e.item_id = n.item_id AND e.ladder_id IS NULL
            """,  # noqa: S608  (constants)
            [
                item_ids.tolist(),
                ladders.tolist(),
                bands.tolist(),
                _places(in_band, bands.tolist()),
                confidence.astype(np.float64).tolist(),
                ranking.pk,
            ],
        )
        return int(cursor.rowcount)


def _places(in_band: Sequence[int], bands: Sequence[int]) -> list[int]:
    return [_random.randrange(in_band[band] or 1) for band in bands]
