"""Both ends before there is a model worth the name: a provisional head finds the surest photos of each class, or words do.

Uncertainty means little under a head of twenty labels, but its extremes are right already: they bring the classes into
balance, and a first model sooner, than typical photos alone do when one class is rare. Classes take turns; each turn
takes, of the surest few of its class, the photo least like all that are labeled or just shown (farthest first,
Gonzalez 1985).

Knows nothing of bands: without a model there are none.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from inference.heads import LogisticHead
from inference.strategies.base import Pool
from inference.strategies.geometry import UnitSphere

#: Below, typical photos teach more: the ends of a head on fewer labels are not the ends (docs/log.md).
LEAST = 20
_WINDOW = 20
_CAREFUL = 200
_CHUNK = 8_192
_STRENGTH = 30.0


def can_order(pool: Pool) -> bool:
    """Whether words tell the classes, or there are labels enough, of at least two classes."""
    if len(pool) == 0:
        return False
    return pool.words is not None or (len(pool.labeled_y) >= LEAST and len(np.unique(pool.labeled_y)) >= 2)


def provisional(rows: npt.NDArray[np.float32], y: npt.NDArray[np.integer[Any]]) -> LogisticHead:
    """A head of few labels: (m, d) rows, (m,) columns of at least two classes."""
    return LogisticHead(strengths=[_STRENGTH / rows.shape[1]], cv=2).fit(rows, y)


def by_turns(pool: Pool, others: npt.NDArray[np.int64], careful: int | None = None) -> npt.NDArray[np.int64]:
    """Indexes of the whole pool: in turn a photo that words may bring, both ends first, and one of ``others`` (an order of
    the pool) that they may not."""
    assert pool.tried is not None
    ends = ends_first(pool, careful)
    both = [ends[pool.tried[ends]], others[~pool.tried[others]]]
    turn = np.concatenate([np.arange(len(each)) for each in both])
    return np.concatenate(both)[np.argsort(turn, kind="stable")]


def ends_first(pool: Pool, careful: int | None = None) -> npt.NDArray[np.int64]:
    """Indexes of the whole pool, both ends of what may be brought so first."""
    may = np.arange(len(pool)) if pool.tried is None else np.flatnonzero(pool.tried)
    count = min(_CAREFUL if careful is None else min(careful, _CAREFUL), len(may))
    labeled = np.asarray(pool.labeled_embeddings, dtype=np.float32)
    proba = pool.words
    if proba is None:
        head = provisional(labeled, pool.labeled_y)
        parts = (pool.embeddings[start : start + _CHUNK] for start in range(0, len(pool), _CHUNK))
        proba = np.concatenate([head.predict_proba(part) for part in parts])
    k = proba.shape[1]
    said = proba.argmax(axis=1)
    # A class loses at most what the others take from its window, so this many of its surest are enough.
    queues = [may[np.argsort(-proba[may, c], kind="stable")[: count + _WINDOW]] for c in range(k)]
    near = np.unique(np.concatenate(queues))
    sphere = UnitSphere(pool.embeddings)
    rows = sphere(pool.embeddings[near])
    waiting = [np.searchsorted(near, queue) for queue in queues]
    likeness = (rows @ sphere(labeled).T).max(axis=1, initial=-1.0)
    free = np.ones(len(near), dtype=bool)
    taken: list[int] = []
    while len(taken) < count:
        mine = waiting[len(taken) % k]
        window = mine[free[mine]][:_WINDOW]
        # Of a rare class there may be fewer than a window: the rest of it would be photos of another one.
        own = window[said[near[window]] == len(taken) % k]
        window = own if len(own) else window
        best = int(window[likeness[window].argmin()])
        taken.append(best)
        free[best] = False
        likeness = np.maximum(likeness, rows @ rows[best])
    first = near[np.array(taken, dtype=np.int64)]
    others = np.argsort(-proba.max(axis=1), kind="stable")
    return np.concatenate([first, others[~np.isin(others, first)]]).astype(np.int64)
