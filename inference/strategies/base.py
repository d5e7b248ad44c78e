"""What every strategy takes and gives.

Knows no particular strategy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Pool:
    """Photos not labeled yet, and those that are.

    Attributes:
        ids: (n,) int64, the caller's names of the photos; results index into this array, they do not repeat it.
        embeddings: (n, d) float32; may be a memory map or any array that fancy indexing reads from.
        proba: (n, k) class probabilities of the present model, or None without one.
        labeled_embeddings: (m, d).
        labeled_y: (m,) columns.
        words: (n, k) class probabilities by words, without a model, or None. Its columns need not be those of ``labeled_y``.
        tried: (n,) bool, the photos that words may bring while nothing says yet whether they tell more than labels do
            (``inference.cold_start``); None where it is known that they do.
    """

    ids: npt.NDArray[np.int64]
    embeddings: npt.NDArray[np.float32]
    proba: npt.NDArray[np.floating[Any]] | None
    labeled_embeddings: npt.NDArray[np.float32]
    labeled_y: npt.NDArray[np.integer[Any]]
    words: npt.NDArray[np.floating[Any]] | None = None
    tried: npt.NDArray[np.bool_] | None = None

    def __post_init__(self) -> None:
        if len(self.embeddings) != len(self.ids) or (
            any(
                each is not None and len(each) != len(self.ids)
                for each in (self.proba, self.words, self.tried)
            )
        ):
            raise ValueError("ids, embeddings, proba, words and tried must have the same length.")

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True)
class Ordering:
    """An order of the pool.

    Attributes:
        order: (n,) int64 indexes into the pool, the one to label first first.
        band: (n,) int16 by pool index: 0 is the outermost (surest), bands - 1 the boundary.
        ladder: (n,) int16 by pool index: column of the predicted class, -1 without a model.
        confidence: (n,) float32 by pool index: distance from the boundary in [0, 1]; 0 without a model.
    """

    order: npt.NDArray[np.int64]
    band: npt.NDArray[np.int16]
    ladder: npt.NDArray[np.int16]
    confidence: npt.NDArray[np.float32]


class Strategy(Protocol):
    """Deterministic: the same pool, bands and seed give the same ordering."""

    @property
    def name(self) -> str: ...

    @property
    def needs_model(self) -> bool:
        """Whether the strategy is only itself with ``proba``; without it, it falls back and says so by ladder -1."""
        ...

    @property
    def paced(self) -> bool:
        """Whether bands say when a photo is due (from the ends inward), or only describe it."""
        ...

    def order(self, pool: Pool, *, bands: int, seed: int, careful: int | None = None) -> Ordering:
        """Order the whole pool.

        Args:
            bands: at least 1.
            careful: only the first so many places (of each band, where ``paced``) need care, because the pool will be
                ordered again before more are shown: they hold the same photos as without it, the others follow in
                any order. None leaves it to the strategy.
        """
        ...


def top_two(proba: npt.NDArray[np.floating[Any]]) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.float32]]:
    """(n,) predicted column and (n,) top-1 minus top-2 probability, in [0, 1]; 1 when there is one class only."""
    n, k = proba.shape
    if n == 0:
        return np.empty(0, dtype=np.int16), np.empty(0, dtype=np.float32)
    if k == 1:
        return np.zeros(n, dtype=np.int16), np.ones(n, dtype=np.float32)
    if k == 2:  # which of two is larger needs no search along a row
        ladder = (proba[:, 1] > proba[:, 0]).astype(np.int16)
        gap = np.abs(proba[:, 0] - proba[:, 1])
    else:
        ladder = proba.argmax(axis=1).astype(np.int16)
        best = np.partition(proba, k - 2, axis=1)
        gap = best[:, -1] - best[:, -2]
    return ladder, np.clip(gap, 0.0, 1.0).astype(np.float32)


def by_confidence(confidence: npt.NDArray[np.float32], *, surest_first: bool) -> npt.NDArray[np.int64]:
    """(n,) indexes in the order of confidences (n,), none of them negative; of equal ones the first comes first.

    The bits of such floats rise with them (IEEE 754), so that with its index behind them each is one number to sort: several
    times faster than a stable sort of indexes.
    """
    bits = (confidence.astype(np.float32) + np.float32(0)).view(
        np.uint32
    )  # of two zeros it is the positive one
    keys = (~bits if surest_first else bits).astype(np.uint64) << np.uint64(32)
    keys |= np.arange(len(keys), dtype=np.uint64)
    keys.sort()
    return (keys & np.uint64(0xFFFFFFFF)).astype(np.int64)


def ladder_slices(
    ladder: npt.NDArray[np.int16], confidence: npt.NDArray[np.float32], bands: int
) -> list[list[npt.NDArray[np.int64]]]:
    """Of each ladder that has photos, of each band: which ones, from the surest. Bands are slices of equal count."""
    found = []
    for c in np.flatnonzero(np.bincount(ladder)):
        members = np.flatnonzero(ladder == c)
        queue = members[by_confidence(confidence[members], surest_first=True)]
        ends = [-(-b * len(queue) // bands) for b in range(1, bands)]
        found.append(np.split(queue, ends))
    return found


def ladder_bands(
    ladder: npt.NDArray[np.int16], confidence: npt.NDArray[np.float32], bands: int
) -> npt.NDArray[np.int16]:
    """(n,) band of each photo: within each ladder, from the surest, ``bands`` slices of equal count."""
    band = np.zeros(len(ladder), dtype=np.int16)
    for slices in ladder_slices(ladder, confidence, bands):
        for b, mine in enumerate(slices):
            band[mine] = b
    return band


def without_model(order: npt.NDArray[np.int64]) -> Ordering:
    """An ordering that no model had a part in."""
    n = len(order)
    return Ordering(
        order=order.astype(np.int64),
        band=np.zeros(n, dtype=np.int16),
        ladder=np.full(n, -1, dtype=np.int16),
        confidence=np.zeros(n, dtype=np.float32),
    )


def with_model(order: npt.NDArray[np.int64], proba: npt.NDArray[np.floating[Any]], bands: int) -> Ordering:
    """An ordering with the bands and ladders that a model's probabilities give."""
    ladder, confidence = top_two(proba)
    return Ordering(order.astype(np.int64), ladder_bands(ladder, confidence, bands), ladder, confidence)
