"""Both ends first, then inward: Hilltop's own order.

One ladder a predicted class, from the surest photo (top-1 minus top-2 probability) to the boundary, cut into bands of
equal count. In a band the ladders take turns, so that classes stay balanced, and each turn takes, of the next few
photos on its ladder, the one least like those just shown: no near-duplicates in a row. The innermost band goes by
uncertainty with diversity: of the 30 most uncertain, the ones nearest the centres of 10 clusters (Zhdanov 2019 does
this with weights). Without a model the order is ``typical``, and
from twenty labels on the two ends of a provisional head (``ends``).

Why start outside: the first labels are the ones people agree on, so a young project's ground truth is clean. Why not
stay there: extremes alone teach little (docs/log.md). How fast to move is the queue's decision, by band.

Knows nothing of who labels or how many labels there are.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from inference.strategies.base import Ordering, Pool, ladder_bands, top_two, without_model
from inference.strategies.ends import can_order, ends_first
from inference.strategies.geometry import Floats, UnitSphere, nearest, small_kmeans
from inference.strategies.typical import Typical

# Only this many photos of a band are placed with care; the rest follow in plain order, long before they are reached
# the pool is ranked again.
_CAREFUL = 2_000
_WINDOW = 48
_RECENT = 8
_UNCERTAIN = 30
_CLUSTERS = 10


class Inward:
    """Ladders, bands, turns."""

    name = "inward"
    needs_model = True
    paced = True

    def order(self, pool: Pool, *, bands: int, seed: int, careful: int | None = None) -> Ordering:
        if pool.proba is None:
            if can_order(pool):
                return without_model(ends_first(pool, careful))
            return Typical().order(pool, bands=bands, seed=seed, careful=careful)
        ladder, confidence = top_two(pool.proba)
        band = ladder_bands(ladder, confidence, bands)
        rng = np.random.default_rng(seed)
        sphere = UnitSphere(pool.embeddings)
        careful = _CAREFUL if careful is None else min(careful, _CAREFUL)
        parts = [np.empty(0, dtype=np.int64)]
        for b in range(bands):
            members = np.flatnonzero(band == b)
            if b == bands - 1:
                parts.append(_boundary(pool, members, confidence, sphere, rng, careful))
            else:
                parts.append(_in_turn(pool, members, ladder, confidence, sphere, careful))
        return Ordering(np.concatenate(parts), band, ladder, confidence)


def _in_turn(
    pool: Pool,
    members: npt.NDArray[np.int64],
    ladder: npt.NDArray[np.int16],
    confidence: npt.NDArray[np.float32],
    sphere: UnitSphere,
    careful: int,
) -> npt.NDArray[np.int64]:
    """Members of a band, ladders strictly in turn until one is exhausted, the surest first, neighbours apart."""
    queues = [
        mine[np.argsort(-confidence[mine], kind="stable")]
        for c in np.unique(ladder[members])
        if len(mine := members[ladder[members] == c])
    ]
    spaced = _spaced([queue[: careful + _WINDOW] for queue in queues], pool, sphere, careful)
    queues = [np.concatenate([head, queue[len(head) :]]) for head, queue in zip(spaced, queues, strict=True)]
    if not queues:
        return np.empty(0, dtype=np.int64)
    position = np.concatenate([np.arange(len(queue)) for queue in queues])
    turn = np.concatenate([np.full(len(queue), i) for i, queue in enumerate(queues)])
    return np.concatenate(queues)[np.lexsort((turn, position))]


def _spaced(
    queues: list[npt.NDArray[np.int64]], pool: Pool, sphere: UnitSphere, careful: int
) -> list[npt.NDArray[np.int64]]:
    """The queues, each reordered within a sliding window so that what is shown in a row differs."""
    quota = min(careful, max(1, _CAREFUL // max(1, len(queues))))
    rows = [sphere(pool.embeddings[queue[: quota + _WINDOW]]) for queue in queues]
    waiting = [list(range(len(mine))) for mine in rows]
    taken: list[list[int]] = [[] for _ in queues]
    recent: list[Floats] = []
    for step in range(quota):
        if not any(waiting):
            break
        for i, mine in enumerate(rows):
            if not waiting[i] or step >= len(mine):
                continue
            window = waiting[i][:_WINDOW]
            pick = 0
            if recent and len(window) > 1:
                likeness = (mine[window] @ np.stack(recent).T).max(axis=1)
                pick = int(likeness.argmin())
            chosen = waiting[i].pop(pick)
            taken[i].append(chosen)
            recent.append(mine[chosen])
            del recent[:-_RECENT]
    return [
        np.concatenate([queue[taken[i] + waiting[i]], queue[len(rows[i]) :]]).astype(np.int64)
        for i, queue in enumerate(queues)
    ]


def _boundary(
    pool: Pool,
    members: npt.NDArray[np.int64],
    confidence: npt.NDArray[np.float32],
    sphere: UnitSphere,
    rng: np.random.Generator,
    careful: int,
) -> npt.NDArray[np.int64]:
    """Members by uncertainty, and in each handful of the most uncertain the differing ones first."""
    queue = members[np.argsort(confidence[members], kind="stable")]
    near, rest = queue[: careful + _UNCERTAIN], queue[careful + _UNCERTAIN :]
    rows = sphere(pool.embeddings[near])
    waiting = np.arange(len(near))
    taken: list[int] = []
    while len(waiting) > _CLUSTERS and len(taken) < careful:
        window = waiting[:_UNCERTAIN]
        label = small_kmeans(rows[window], _CLUSTERS, rng)
        picked = [_central(rows[window], label, c) for c in np.unique(label)]
        taken += [int(window[i]) for i in sorted(picked)]
        waiting = np.delete(waiting, picked)
    return np.concatenate([near[taken], near[waiting], rest]).astype(np.int64)


def _central(rows: Floats, label: npt.NDArray[np.int64], cluster: int) -> int:
    """Index of the row nearest its cluster's centre."""
    inside = np.flatnonzero(label == cluster)
    centre = rows[inside].mean(axis=0)
    return int(inside[nearest(np.sum((rows[inside] - centre) ** 2, axis=1))])
