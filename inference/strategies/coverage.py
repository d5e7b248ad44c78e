"""ProbCover (Yehuda, Dekel, Hacohen & Weinshall 2022): label what lets balls of one radius cover most of the pool.

Greedily the photo whose ball, in the space of unit features, holds most photos that no ball covers yet; balls around
labeled photos count from the start. The radius is the largest at which 95 % of all balls are pure in pseudo-labels of
k-means, one cluster a class. A ball is pure up to its centre's nearest photo of another cluster, so the radius is the
5th percentile of those distances. When all is covered, everything counts as uncovered again and the next round begins.

Knows nothing of probabilities; bands are filled in when a model happens to exist.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from sklearn.cluster import MiniBatchKMeans

from inference.strategies.base import Ordering, Pool, with_model, without_model
from inference.strategies.geometry import Floats, UnitSphere

_PURE = 0.95
# Balls are laid over at most this many photos, which bounds memory (a byte a pair) and time; a random sample stands for
# the pool, and the photos beyond it follow in random order.
_MAX_POOL = 4_000
_BLOCK = 512
# So many photos are placed with care; the pool is ordered again long before.
_CAREFUL = 500


class Coverage:
    """Greedy maximum coverage."""

    name = "coverage"
    needs_model = False
    paced = False

    def order(self, pool: Pool, *, bands: int, seed: int, careful: int | None = None) -> Ordering:
        order = _cover(pool, np.random.default_rng(seed), _CAREFUL if careful is None else careful)
        return without_model(order) if pool.proba is None else with_model(order, pool.proba, bands)


def _cover(pool: Pool, rng: np.random.Generator, careful: int) -> npt.NDArray[np.int64]:
    shuffled = rng.permutation(len(pool)).astype(np.int64)
    if len(pool) < 3:
        return shuffled
    chosen, beyond = np.sort(shuffled[:_MAX_POOL]), shuffled[_MAX_POOL:]
    sphere = UnitSphere(pool.embeddings)
    rows = sphere(pool.embeddings[chosen])
    labeled = sphere(pool.labeled_embeddings) if len(pool.labeled_embeddings) else rows[:0]
    radius = ball_radius(rows, _classes(pool), int(rng.integers(2**31)))
    near = _within(rows, rows, radius)
    np.fill_diagonal(near, True)
    uncovered = np.logical_not(np.any(_within(rows, labeled, radius), axis=1))
    taken = _greedy(near, uncovered, min(careful, _CAREFUL, len(rows)))
    rest = rng.permutation(np.setdiff1d(np.arange(len(rows)), taken))
    return np.concatenate([chosen[taken], chosen[rest], beyond])


def _classes(pool: Pool) -> int:
    if pool.proba is not None:
        return max(2, int(pool.proba.shape[1]))
    return max(2, len(np.unique(pool.labeled_y)))


def ball_radius(rows: Floats, k: int, seed: int) -> float:
    """The largest radius at which 95 % of balls around unit rows (n, d) hold one cluster of k-means only."""
    k = min(k, len(np.unique(rows, axis=0)))
    if k < 2:
        return 0.0
    cluster = MiniBatchKMeans(k, random_state=seed, n_init=3, batch_size=1024).fit_predict(rows)
    nearest = np.full(len(rows), np.inf)
    for start in range(0, len(rows), _BLOCK):
        block = slice(start, start + _BLOCK)
        squared = np.maximum(2.0 - 2.0 * rows[block] @ rows.T, 0.0)
        squared[cluster[block, None] == cluster[None, :]] = np.inf
        nearest[block] = np.sqrt(squared.min(axis=1))
    known = nearest[np.isfinite(nearest)]
    return float(np.quantile(known, 1.0 - _PURE)) if len(known) else 0.0


def _within(left: Floats, right: Floats, radius: float) -> npt.NDArray[np.bool_]:
    """(n, m) whether unit rows are nearer than ``radius``, a block of rows at a time."""
    least = 1.0 - radius**2 / 2.0
    out = np.empty((len(left), len(right)), dtype=bool)
    for start in range(0, len(left), _BLOCK):
        block = slice(start, start + _BLOCK)
        out[block] = left[block] @ right.T >= least
    return out


def _greedy(
    near: npt.NDArray[np.bool_], uncovered: npt.NDArray[np.bool_], count: int
) -> npt.NDArray[np.int64]:
    """Indexes of ``count`` photos, each the one that covers most of what is uncovered at its turn."""
    free = np.ones(len(near), dtype=bool)
    gain = near[:, uncovered].sum(axis=1)
    taken: list[int] = []
    while len(taken) < count:
        if not uncovered.any():
            uncovered = np.ones(len(near), dtype=bool)
            gain = near.sum(axis=1)
        best = int(np.where(free, gain, -1).argmax())
        if gain[best] == 0:
            # Only photos that are taken are uncovered still (their labels cover them, in effect).
            uncovered = np.zeros(len(near), dtype=bool)
            continue
        fresh = near[best] & uncovered
        gain = gain - near[:, fresh].sum(axis=1)
        uncovered = uncovered & ~fresh
        free[best] = False
        taken.append(best)
    return np.array(taken, dtype=np.int64)
