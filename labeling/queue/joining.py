"""Photos that came after an order was made take their places in it, by scores of the champion that ordered it.

Another order reads and writes the whole pool, so with photos coming in one by one it would be made for ever, and each would
wait for it. Few beside what the order knows do not change where its bands begin. For workers only.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from django.db import connection, transaction

from labeling.catalog.models import Project
from labeling.catalog.selectors import class_resolution
from labeling.database import locks
from labeling.database.locks import Lock
from labeling.jobs.models import Job, JobState
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
from labeling.queue.places import DECIDED, IS_ASKED_FIRST, IS_LEFT_TO_MACHINE, MACHINE_FIRST, UNRANKED
from labeling.queue.requests import request_ranking

#: Photos a transaction, while which nobody answers or is lent one.
AT_ONCE = 5_000
#: SQL over ``queue_entry e``: nothing said where in the order it belongs, or it was put behind all others since.
_HAS_NO_PLACE = f"(e.ladder_id IS NULL OR e.band IN ({', '.join(map(str, UNRANKED))}))"
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
    # Without a model they wait behind all others: few among many change little of what is typical.
    if champion is None or _is_ordered_anew(project):
        return {"placed": 0, "scored": 0}
    item_ids, images = _arrived(ranking)
    if not len(item_ids):
        return {"placed": 0, "scored": 0}
    gathered = gather(vectors_of(champion), [project], items=lambda _project: (item_ids, images))
    (proba,) = probabilities(gathered, [artifact.load(champion)], progress)
    proba = proba[gathered.pools[0].images]
    has = ~np.isnan(proba[:, 0])
    item_ids, proba = item_ids[has], proba[has]
    told = in_force(proba, champion.classes, class_resolution(project))
    if told is None:
        return None
    ladders, confidence = predict(told[1], told[0])
    placed = scored = 0
    for start in range(0, len(item_ids), AT_ONCE):
        part = slice(start, start + AT_ONCE)
        done = _take_places(
            ranking, champion, _Places(item_ids[part], proba[part], ladders[part], confidence[part])
        )
        if done is None:
            return None
        placed, scored = placed + done[0], scored + done[1]
    return {"placed": placed, "scored": scored}


def _is_ordered_anew(project: Project) -> bool:
    """By the job of several projects, which no lock keeps from here: what it read before is placed when it is done."""
    running = Job.objects.filter(
        kind="rescore", state=JobState.RUNNING, args__projects__contains=[project.pk]
    )
    return running.exists()


def _arrived(ranking: Ranking) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Ids, rising, and images of photos that the order has no place for, and of settled ones that had no score."""
    since = [each for each in (ranking.last_item_id, ranking.last_before_missing) if each is not None]
    item_ids, image_ids = fetch_columns(
        ["id", "image_id"],
        f"""
        SELECT i.id, i.image_id FROM catalog_item i JOIN (
            SELECT item_id FROM queue_entry e WHERE ranking_id = %s AND late AND {_HAS_NO_PLACE}
            UNION
            SELECT item_id FROM queue_entry WHERE ranking_id = %s AND band = ANY(%s)
            UNION
            SELECT item_id FROM queue_entry e
            WHERE ranking_id = %s AND band = ANY(%s) AND taken = 0 AND {IS_ASKED_FIRST} AND ladder_id IS NULL
            UNION
            SELECT id FROM catalog_item c WHERE project_id = %s AND id > %s AND NOT EXISTS (
                SELECT 1 FROM learning_score s WHERE s.model_version_id = %s AND s.item_id = c.id)
        ) new ON new.item_id = i.id WHERE i.project_id = %s
        """,  # noqa: S608  (constants)
        [
            *(ranking.pk, ranking.pk, list(UNRANKED)),
            *(ranking.pk, list(range(ranking.bands))),
            *(ranking.project_id, min(since), ranking.model_version_id),
            ranking.project_id,
        ],
    )
    order = np.argsort(item_ids)
    return item_ids[order], image_ids[order]


@dataclass(frozen=True)
class _Places:
    """Photos (n,), their probabilities (n, k) of the champion's classes, and the ladder and margin of each."""

    item_ids: npt.NDArray[np.int64]
    proba: npt.NDArray[np.float32]
    ladders: npt.NDArray[np.int64]
    confidence: npt.NDArray[np.float32]


@transaction.atomic
def _take_places(ranking: Ranking, champion: ModelVersion, photos: _Places) -> tuple[int, int] | None:
    """Scores and places of these photos, at once: answers and claims wait for this short transaction.

    How many were placed, and scored. None where the order is gone, or has no bands for them.
    """
    locks.hold(Lock.RANKING, ranking.project_id)
    if not Ranking.objects.filter(pk=ranking.pk, current=True).exists():
        return None
    placements = {each.predicted_id: each for each in Placement.objects.filter(ranking=ranking)}
    if not set(photos.ladders.tolist()) <= placements.keys():
        return None
    fresh = add_scores(champion, photos.item_ids, photos.proba)
    placing.place_scored(ranking, fresh)
    is_fresh = np.isin(photos.item_ids, fresh, assume_unique=True)
    steps.add_to_ridges(list(placements.values()), margins(champion, photos.proba[is_fresh]))
    placed = _move(ranking, placements, photos)
    # With each part: a worker that is killed after it finds nothing of it left to place.
    events.arrivals_placed.send(sender=Ranking, project=ranking.project, item_ids=photos.item_ids.tolist())
    return placed, len(fresh)


def _bands(placements: Mapping[int, Placement], photos: _Places) -> npt.NDArray[np.int64]:
    bands = np.empty(len(photos.ladders), dtype=np.int64)
    for ladder in np.unique(photos.ladders).tolist():
        mine, edges = photos.ladders == ladder, placements[ladder].edges
        bands[mine] = len(edges) - np.searchsorted(edges, photos.confidence[mine], side="right")
    return bands


def _move(ranking: Ranking, placements: Mapping[int, Placement], photos: _Places) -> int:
    """Somewhere among the others of its band, but for what is asked first and what the machine decided."""
    bands = _bands(placements, photos).tolist()
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
            WHERE e.ranking_id = %s AND e.item_id = n.item_id AND {_HAS_NO_PLACE}
            """,  # noqa: S608  (constants)
            [
                photos.item_ids.tolist(),
                photos.ladders.tolist(),
                bands,
                _places(in_band, bands),
                photos.confidence.astype(np.float64).tolist(),
                ranking.pk,
            ],
        )
        return int(cursor.rowcount)


def _places(in_band: Sequence[int], bands: Sequence[int]) -> list[int]:
    return [_random.randrange(in_band[band] or 1) for band in bands]
