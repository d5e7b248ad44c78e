"""TypiClust (Hacohen, Dekel & Weinshall 2022): the most typical photo of each cluster, for starting without a model.

As many clusters as labels so far plus a budget; those that hold no label come first, larger ones before smaller; in
each the photo with the highest typicality, the inverse mean distance to its nearest neighbours.

Knows nothing of probabilities; bands are filled in when a model happens to exist.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from sklearn.cluster import MiniBatchKMeans

from inference.strategies.base import Ordering, Pool, with_model, without_model
from inference.strategies.geometry import TIE, Floats, UnitSphere

# The photos that a cold start needs; later orders come from a model.
_BUDGET = 20
_MAX_CLUSTERS = 500
_NEIGHBOURS = 20
# Clusters are found on at most this many photos, and typicality among at most this many of a cluster.
_MAX_POOL = 20_000
_MAX_CLUSTER = 2_000


class Typical:
    """Clusters in turn, each from its most typical photo on."""

    name = "typical"
    needs_model = False
    paced = False

    def order(self, pool: Pool, *, bands: int, seed: int, careful: int | None = None) -> Ordering:
        order = _typical_order(pool, np.random.default_rng(seed))
        return without_model(order) if pool.proba is None else with_model(order, pool.proba, bands)


def _typical_order(pool: Pool, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    n = len(pool)
    shuffled = rng.permutation(n)
    if n < 3:
        return shuffled
    # A million photos: a random sample is clustered, the others follow it in random order.
    chosen, rest = np.sort(shuffled[:_MAX_POOL]), shuffled[_MAX_POOL:]
    sphere = UnitSphere(pool.embeddings)
    rows = sphere(pool.embeddings[chosen])
    k = min(len(pool.labeled_embeddings) + _BUDGET, _MAX_CLUSTERS, len(np.unique(rows, axis=0)))
    model = MiniBatchKMeans(
        k, random_state=int(rng.integers(2**31)), n_init=3, batch_size=1024, reassignment_ratio=0.0
    ).fit(rows)
    label = model.labels_
    covered = (
        set(model.predict(sphere(pool.labeled_embeddings)).tolist())
        if len(pool.labeled_embeddings)
        else set()
    )

    clusters = [np.flatnonzero(label == c) for c in range(k)]
    turn = sorted((c for c in range(k) if len(clusters[c])), key=lambda c: (c in covered, -len(clusters[c])))
    queues = [clusters[c][np.argsort(-_typicality(rows[clusters[c]], rng), kind="stable")] for c in turn]
    position = np.concatenate([np.arange(len(queue)) for queue in queues])
    cluster = np.concatenate([np.full(len(queue), i) for i, queue in enumerate(queues)])
    in_turn = np.concatenate(queues)[np.lexsort((cluster, position))]
    return np.concatenate([chosen[in_turn], rest])


def _typicality(rows: Floats, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """(n,) inverse mean distance to the nearest neighbours within the cluster, in steps; 0 for those beyond the cap.

    Two of a cluster are each other's nearest: without steps the last bit would say which is the more typical.
    """
    n = len(rows)
    out = np.zeros(n)
    if n == 1:
        return out
    at = np.arange(n) if n <= _MAX_CLUSTER else np.sort(rng.choice(n, _MAX_CLUSTER, replace=False))
    some = rows[at]
    distance = np.sqrt(np.maximum(2.0 - 2.0 * some @ some.T, 0.0))
    np.fill_diagonal(distance, 0.0)
    near = min(_NEIGHBOURS, len(at) - 1)
    closest = np.partition(distance, near, axis=1)[:, : near + 1]
    # The smallest is the distance to itself.
    out[at] = np.round(1.0 / (closest.sum(axis=1) / near + 1e-6) / TIE)
    return out
