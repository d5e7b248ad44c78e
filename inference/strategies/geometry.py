"""Distances between embeddings, and small clusterings.

Knows nothing of labels, models or orders.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

#: Distances between unit rows that differ by less are equal: float32 and the order of sums say no more.
TIE = 1e-4

_SAMPLE = 2_000
_DIM = 128


class UnitSphere:
    """Standardises features by a sample of the pool, then scales rows to length 1, so that dot products are cosines.

    Stages of a network differ in scale by orders of magnitude; without this the loudest one would decide. Long rows
    are projected at random onto 128 dimensions first: cosines keep to within about .09 (Johnson & Lindenstrauss 1984),
    good enough to tell a near-duplicate, and ten times cheaper.
    """

    def __init__(self, embeddings: Floats) -> None:
        """The sample is evenly spaced, so it is the same for the same pool."""
        n = len(embeddings)
        at = np.unique(np.linspace(0, max(n - 1, 0), min(n, _SAMPLE)).astype(np.int64))
        sample = np.asarray(embeddings[at], dtype=np.float32)
        d = embeddings.shape[1]
        self._mean = sample.mean(axis=0) if n else np.zeros(d, dtype=np.float32)
        spread = sample.std(axis=0) if n else np.ones(d, dtype=np.float32)
        self._scale = np.where(spread > 1e-6, spread, 1.0).astype(np.float32)
        # A fixed seed: the geometry of a pool is a fact, not a draw.
        self._turn = (
            np.random.default_rng(0).standard_normal((d, _DIM), dtype=np.float32) if d > _DIM else None
        )

    def __call__(self, rows: npt.ArrayLike) -> Floats:
        """(n, d) raw rows to (n, min(d, 128)) unit rows."""
        turned = (np.asarray(rows, dtype=np.float32) - self._mean) / self._scale
        if self._turn is not None:
            turned = turned @ self._turn
        length = np.linalg.norm(turned, axis=1, keepdims=True)
        return np.asarray(turned / np.maximum(length, 1e-12), dtype=np.float32)


def nearest(distance: npt.NDArray[np.floating[Any]]) -> int:
    """Index of the smallest of (n,) distances; of those within ``TIE`` of it, the first.

    Of a cluster of two, both are equally near its centre: the last bit would choose, which differs from machine to machine.
    """
    return int(np.flatnonzero(distance <= distance.min() + TIE)[0])


def small_kmeans(
    rows: Floats, k: int, rng: np.random.Generator, iterations: int = 10
) -> npt.NDArray[np.int64]:
    """(n,) cluster of each of a few dozen rows: k-means++ seeds (Arthur & Vassilvitskii 2007), then Lloyd steps.

    scikit-learn's takes milliseconds in set-up alone, and this runs hundreds of times an ordering.
    """
    n = len(rows)
    k = min(k, n)
    first = int(rng.integers(n))
    centres = [rows[first]]
    nearest = np.sum((rows - rows[first]) ** 2, axis=1)
    for _ in range(k - 1):
        total = float(nearest.sum())
        pick = (
            int(rng.integers(n))
            if total <= 0
            else int(np.searchsorted(np.cumsum(nearest), rng.random() * total))
        )
        pick = min(pick, n - 1)
        centres.append(rows[pick])
        nearest = np.minimum(nearest, np.sum((rows - rows[pick]) ** 2, axis=1))
    middle = np.stack(centres)
    label = np.full(n, -1, dtype=np.int64)
    for _ in range(iterations):
        distance = np.sum(middle**2, axis=1)[None, :] - 2.0 * rows @ middle.T
        fresh = distance.argmin(axis=1)
        if (fresh == label).all():
            break
        label = fresh
        member = (label == np.arange(k)[:, None]).astype(rows.dtype)
        size = member.sum(axis=1, keepdims=True)
        middle = np.where(
            size > 0, member @ rows / np.maximum(size, 1), middle
        )  # an empty cluster stays where it is
    return label
