"""Which photos are far nearer to each other than to all others: near-duplicates, told in the measure of their own pool.

How near two different photos come depends on what they show and on the backbone: in photos of one kind, each has some
that no fixed distance tells from itself saved again. So a distance is divided by that to the fifth nearest of the others
(after the ratio test of Lowe 2004, "Distinctive image features from scale-invariant keypoints").

Knows nothing of projects: arrays in, ratios out.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.integer[Any]]

#: A burst of so many is told from the rest.
NEIGHBOURS = 5
#: With fewer others nothing tells what is near.
LEAST_OTHERS = 3
#: With fewer others two of one kind among several kinds would look like a pair.
LEAST_TO_FIND = 20
#: A distance, between vectors of length 1, that rounding makes of none.
_LEAST = 1e-3


class Alikeness:
    """Ratios of distances within a pool, whose photos have a group each: members of one are no measure for each other."""

    def __init__(self, rows: npt.ArrayLike, groups: npt.ArrayLike) -> None:
        """``rows`` (n, d), of any length; ``groups`` (n,)."""
        given = np.asarray(rows, dtype=np.float32)
        self._unit = given / np.maximum(np.linalg.norm(given, axis=1, keepdims=True), 1e-12)
        self._groups = np.asarray(groups)

    def ratios(self, first: Ints, second: Ints) -> npt.NDArray[np.float64]:
        """(m,) distance of each pair over how near others are to either; NaN with fewer than ``LEAST_OTHERS``."""
        apart = np.maximum(np.linalg.norm(self._unit[first] - self._unit[second], axis=1), _LEAST)
        asked, place = np.unique(np.concatenate([first, second]), return_inverse=True)
        reach = self._reach(asked)[place]
        near = np.minimum(reach[: len(first)], reach[len(first) :])
        return np.asarray(apart / near, dtype=np.float64)

    def find(self, rows: Ints, *, below: float) -> list[tuple[int, int]]:
        """Pairs (one of ``rows``, any other of another group) that may have a ratio ``below``: see :meth:`ratios`."""
        if len(self._unit) <= LEAST_TO_FIND:
            return []
        found = []
        for part in _blocks(rows):
            apart = self._distances(part)
            reach = _nearest(apart)
            near = np.argwhere(apart < below * reach[:, None])
            found += [(int(part[i]), int(j)) for i, j in near]
        return found

    def _reach(self, rows: Ints) -> Floats:
        parts = [_nearest(self._distances(part)) for part in _blocks(rows)]
        return np.concatenate(parts) if parts else np.empty(0, dtype=np.float32)

    def _distances(self, rows: Ints) -> Floats:
        """(m, n); infinite within a group."""
        apart: Floats = np.sqrt(np.maximum(_LEAST**2, 2.0 - 2.0 * (self._unit[rows] @ self._unit.T)))
        apart[self._groups[rows][:, None] == self._groups[None]] = np.inf
        return apart


def _nearest(apart: Floats) -> Floats:
    """(m,) distance to the fifth nearest, or to the last where there are fewer."""
    others = np.isfinite(apart).sum(axis=1)
    kth = np.minimum(NEIGHBOURS, np.maximum(others, 1)) - 1
    nearest = np.sort(
        np.partition(apart, min(NEIGHBOURS, apart.shape[1]) - 1, axis=1)[:, :NEIGHBOURS], axis=1
    )
    reach: Floats = np.where(others >= LEAST_OTHERS, nearest[np.arange(len(apart)), kth], np.nan)
    return reach


def _blocks(rows: Ints, size: int = 256) -> list[Ints]:
    """No more than some megabytes of distances at once."""
    return [rows[start : start + size] for start in range(0, len(rows), size)]
