"""Scores and order of one project in one call, of the steps that ``queue.rescoring`` takes for many at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from labeling.catalog.models import Project
from labeling.learning import selectors
from labeling.learning.compute import artifact
from labeling.learning.compute.ordering import Ordered, backbone_of, order, prepare
from labeling.learning.compute.scoring import (
    drop_other_scores,
    gather,
    probabilities,
    write_scores,
)
from labeling.learning.compute.stores import vectors_of
from labeling.learning.models import ModelVersion


def score_items(*, project: Project, model_version: ModelVersion, item_ids: Sequence[int]) -> dict[str, int]:
    """Score these photos, then drop the project's scores by any other version. Returns what ``write_scores`` does."""
    head = artifact.load(model_version)
    gathered = gather(vectors_of(model_version), [project])
    (proba,) = probabilities(gathered, [head])
    (pool,) = gathered.pools
    asked = np.isin(pool.item_ids, np.asarray(item_ids, dtype=np.int64))
    told = write_scores(model_version, pool.item_ids[asked], proba[pool.images[asked]])
    drop_other_scores(model_version)
    return told


def order_items(
    *, project: Project, item_ids: Sequence[int], strategy: str, bands: int, seed: int
) -> Ordered:
    """Order these photos by ``strategy`` with the champion, if there is one."""
    champion = selectors.champion(project)
    store, head = backbone_of(project, champion)
    gathered = gather(store, [project])
    prepared = prepare(
        gathered=gathered,
        pool=gathered.pools[0],
        champion=champion,
        proba=probabilities(gathered, [head])[0] if head is not None else None,
        item_ids=np.asarray(item_ids, dtype=np.int64),
        strategy=strategy,
    )
    return order(prepared, bands=bands, seed=seed)
