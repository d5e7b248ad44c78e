"""Both ends first, then inward: Hilltop's own order.

One ladder a predicted class, from the surest photo (top-1 minus top-2 probability) to the boundary, cut into bands of
equal count. In a band the ladders take turns, so that classes stay balanced, and each turn takes, of the next few
photos on its ladder, the one least like those just shown: no near-duplicates in a row. The innermost band goes by
uncertainty with diversity: of the 30 most uncertain, the ones nearest the centres of 10 clusters (Zhdanov 2019 does
this with weights). Without a model the order is ``typical``, and
from twenty labels on the two ends of a provisional head, or those that words tell (``ends``): from the first photo on in
turn with the order without them, until labels say which of the two is better.

Why start outside: the first labels are the ones people agree on, so a young project's ground truth is clean. Why not
stay there: extremes alone teach little (docs/log.md). How fast to move is the queue's decision, by band.

Knows nothing of who labels or how many labels there are.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from inference.strategies.base import Ordering, Pool, by_confidence, ladder_slices, top_two, without_model
from inference.strategies.ends import by_turns, can_order, ends_first
from inference.strategies.geometry import TIE, Floats, UnitSphere, small_kmeans
from inference.strategies.typical import Typical

# Only this many photos of a band are placed with care; the rest follow in plain order, long before they are reached
# the pool is ranked again.
_CAREFUL = 1_000
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
            if pool.words is not None and pool.tried is not None:
                without = self.order(
                    replace(pool, words=None, tried=None), bands=bands, seed=seed, careful=careful
                )
                return without_model(by_turns(pool, without.order, careful))
            if can_order(pool):
                return without_model(ends_first(pool, careful))
            return Typical().order(pool, bands=bands, seed=seed, careful=careful)
        ladder, confidence = top_two(pool.proba)
        slices = ladder_slices(ladder, confidence, bands)
        band = np.zeros(len(pool), dtype=np.int16)
        rng = np.random.default_rng(seed)
        sphere = UnitSphere(pool.embeddings)
        careful = _CAREFUL if careful is None else min(careful, _CAREFUL)
        parts = [np.empty(0, dtype=np.int64)]
        for b in range(bands):
            queues = [mine[b] for mine in slices if len(mine[b])]
            for queue in queues:
                band[queue] = b
            if b == bands - 1:
                parts.append(_boundary(pool, np.flatnonzero(band == b), confidence, sphere, rng, careful))
            else:
                parts.append(_in_turn(pool, queues, sphere, careful))
        return Ordering(np.concatenate(parts), band, ladder, confidence)


def _in_turn(
    pool: Pool, queues: list[npt.NDArray[np.int64]], sphere: UnitSphere, careful: int
) -> npt.NDArray[np.int64]:
    """A band's ladders, each from the surest, strictly in turn until one is exhausted, neighbours apart."""
    spaced = _spaced([queue[: careful + _WINDOW] for queue in queues], pool, sphere, careful)
    queues = [np.concatenate([head, queue[len(head) :]]) for head, queue in zip(spaced, queues, strict=True)]
    if not queues:
        return np.empty(0, dtype=np.int64)
    position = np.concatenate([np.arange(len(queue)) for queue in queues])
    # Stable: of those at the same place, ladders in their order.
    return np.concatenate(queues)[np.argsort(position, kind="stable")]


def _spaced(
    queues: list[npt.NDArray[np.int64]], pool: Pool, sphere: UnitSphere, careful: int
) -> list[npt.NDArray[np.int64]]:
    """The queues, each reordered within a sliding window so that what is shown in a row differs."""
    quota = min(careful, max(1, _CAREFUL // max(1, len(queues))))
    rows = [sphere(pool.embeddings[queue[: quota + _WINDOW]]) for queue in queues]
    order = [np.arange(len(mine)) for mine in rows]
    seen = 0
    recent = np.empty((_RECENT, max((mine.shape[1] for mine in rows), default=0)), dtype=np.float32)
    for step in range(quota):
        for mine, mine_in_order in zip(rows, order, strict=True):
            # What was chosen stands before it, what waits behind it.
            window = mine_in_order[step : step + _WINDOW]
            if not len(window):
                continue
            pick = 0
            if seen and len(window) > 1:
                pick = int(np.maximum.reduce(mine[window] @ recent[:seen].T, axis=1).argmin())
            chosen = window[pick]
            window[1 : pick + 1] = window[:pick].copy()
            window[0] = chosen
            recent[seen % _RECENT] = mine[chosen]
            seen += 1
    return [
        np.concatenate([queue[mine_in_order], queue[len(mine_in_order) :]])
        for queue, mine_in_order in zip(queues, order, strict=True)
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
    queue = members[by_confidence(confidence[members], surest_first=False)]
    near, rest = queue[: careful + _UNCERTAIN], queue[careful + _UNCERTAIN :]
    rows = sphere(pool.embeddings[near])
    waiting = np.arange(len(near))
    taken: list[int] = []
    while len(waiting) > _CLUSTERS and len(taken) < careful:
        window = waiting[:_UNCERTAIN]
        picked = _central(rows[window], small_kmeans(rows[window], _CLUSTERS, rng))
        taken += window[picked].tolist()
        waiting = np.delete(waiting, picked)
    return np.concatenate([near[taken], near[waiting], rest]).astype(np.int64)


def _central(rows: Floats, label: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Of each cluster the index of the row nearest its centre, rising; of those that are equally near, the first."""
    member = label == np.unique(label)[:, None]
    centre = member.astype(rows.dtype) @ rows / member.sum(axis=1, keepdims=True)
    distance = np.sum((rows - centre[member.argmax(axis=0)]) ** 2, axis=1)
    inside = np.where(member, distance, np.inf)
    return np.sort((inside <= inside.min(axis=1, keepdims=True) + TIE).argmax(axis=1))
