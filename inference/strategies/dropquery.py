"""DropQuery (Gupte, Aklilu, Nirschl & Yeung-Levy 2024): uncertain means that dropping features changes the prediction.

Three times, three quarters of a photo's features are dropped at random; a photo whose prediction changes in more than
half of the draws is a candidate. Candidates are clustered, and the photo nearest each centre comes first, so that the
next labels are uncertain and diverse. Then the other candidates, then the rest, each by uncertainty.

Dropout works on features less their mean over the labels, scaled up by what is kept, so that a dropped feature says
nothing rather than zero. The head is fitted here, on the labels.

Knows nothing of bands or turns. Without a model it is ``typical``; with labels of one class, ``uncertain``.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from sklearn.cluster import MiniBatchKMeans

from inference.heads import LogisticHead
from inference.strategies.base import Ordering, Pool, top_two, with_model
from inference.strategies.geometry import UnitSphere, nearest
from inference.strategies.typical import Typical
from inference.strategies.uncertain import Uncertain

_DRAWS = 3
_DROPPED = 0.75
_CLUSTERS = 20
_STRENGTH = 30.0
# Dropout is drawn for at most this many photos, a random sample; the others follow by uncertainty.
_MAX_POOL = 20_000
_CHUNK = 2_048


class DropQuery:
    """Candidates by dropout, one a cluster."""

    name = "dropquery"
    needs_model = True
    paced = False

    def order(self, pool: Pool, *, bands: int, seed: int, careful: int | None = None) -> Ordering:
        if pool.proba is None:
            return Typical().order(pool, bands=bands, seed=seed, careful=careful)
        if len(pool) == 0 or len(np.unique(pool.labeled_y)) < 2:
            return Uncertain("uncertain").order(pool, bands=bands, seed=seed, careful=careful)
        rng = np.random.default_rng(seed)
        asked = np.sort(rng.permutation(len(pool))[:_MAX_POOL])
        candidates = asked[_inconsistent(pool, asked, rng)]
        _ladder, confidence = top_two(pool.proba)
        first = _one_a_cluster(pool, candidates, int(rng.integers(2**31)))
        # What dropout shook comes before what it did not, the most uncertain first.
        shaken = np.zeros(len(pool), dtype=bool)
        shaken[candidates] = True
        others = np.lexsort((confidence, ~shaken))
        order = np.concatenate([first, others[~np.isin(others, first)]])
        return with_model(order, pool.proba, bands)


def _inconsistent(
    pool: Pool, asked: npt.NDArray[np.int64], rng: np.random.Generator
) -> npt.NDArray[np.bool_]:
    """(len(asked),) whether more than half of the draws predict another class than the whole photo does."""
    labeled = np.asarray(pool.labeled_embeddings, dtype=np.float32)
    head = LogisticHead(strengths=[_STRENGTH / labeled.shape[1]], cv=2).fit(labeled, pool.labeled_y)
    mean = labeled.mean(axis=0)
    out = np.empty(len(asked), dtype=bool)
    for start in range(0, len(asked), _CHUNK):
        part = asked[start : start + _CHUNK]
        rows = np.asarray(pool.embeddings[part], dtype=np.float32)
        said = head.predict(rows)
        changed = np.zeros(len(part), dtype=np.int64)
        for _ in range(_DRAWS):
            kept = rng.random(rows.shape, dtype=np.float32) >= _DROPPED
            changed += head.predict(mean + (rows - mean) * kept / np.float32(1.0 - _DROPPED)) != said
        out[start : start + len(part)] = 2 * changed > _DRAWS
    return out


def _one_a_cluster(pool: Pool, candidates: npt.NDArray[np.int64], seed: int) -> npt.NDArray[np.int64]:
    """The candidate nearest each cluster's centre, larger clusters first."""
    if len(candidates) <= 1:
        return candidates
    rows = UnitSphere(pool.embeddings)(pool.embeddings[candidates])
    k = min(_CLUSTERS, len(np.unique(rows, axis=0)))
    model = MiniBatchKMeans(k, random_state=seed, n_init=3, batch_size=1024, reassignment_ratio=0.0).fit(rows)
    distance = np.sum((rows - model.cluster_centers_[model.labels_]) ** 2, axis=1)
    sizes = np.bincount(model.labels_, minlength=k)
    members = [np.flatnonzero(model.labels_ == c) for c in np.argsort(-sizes, kind="stable")]
    return candidates[[int(mine[nearest(distance[mine])]) for mine in members if len(mine)]]
