"""Thresholds of one predicted class, from the extreme inward, and where on them a walk had best begin.

Everything here is settled without a look at a certifying label's correctness: thresholds and shares come from the
pool's scores, hopes from the model's own out-of-fold predictions on what trained it. So hopes may be wrong, and then
cost coverage, never validity.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.special import bdtr

from inference.certify import finite
from inference.certify.binomial import errors_allowed

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

#: Without hopes the walk begins where as many errors would still pass as this share of all errors that the whole class
#: might have, but within the outermost part of it. With fewer a region of high precision fails by bad luck, with more
#: good regions are passed over: see `docs/log.md`.
SPARE_ERRORS = 0.1
OUTERMOST = 0.4
#: Without hopes, one unlucky start blocks the whole class. Where the class might have so many errors and still be as good as
#: stated, δ is worth dividing over so many even starts; with fewer labels it is not (`docs/log.md`).
EVEN_STARTS = 4
ERRORS_FOR_EVEN_STARTS = 50
#: Share of a class's δ that all hopeful thresholds get at once, by their hopes; the rest is the most hopeful one's.
HEDGE = 0.5
#: Share of δ for each region's own bound, whatever the walk says; the rest of it is the walk's. See ``walk``.
OWN = 0.1
#: A region may come to so many standard deviations more labels than planned, and its rest be smaller by them.
SPREAD = 2.0


@dataclass(frozen=True)
class Ladder:
    """Regions "confidence at or above the threshold", each containing the one before.

    Attributes:
        thresholds: (m,) falling strictly.
        share: (m,) share of the pool's photos of this predicted class inside each region; rises.
        hoped: (m,) precisions expected inside each region, or None.
        photos: (m,) photos of the cohort inside each region, or None for a pool without end.
        targets: (m,) wrong ones among them that the walk sets out to refute (``aimed``), fixed with the plan.
    """

    thresholds: Floats
    share: Floats
    hoped: Floats | None = None
    photos: Ints | None = None
    targets: Ints | None = None

    def __post_init__(self) -> None:
        m = len(self.thresholds)
        if np.any(np.diff(self.thresholds) >= 0):
            raise ValueError("thresholds must fall, from the extreme inward")
        if len(self.share) != m or np.any(np.diff(self.share) < 0):
            raise ValueError("each threshold needs the share of the pool beyond it, which cannot fall")
        if self.hoped is not None and len(self.hoped) != m:
            raise ValueError("each threshold needs a hoped precision, or none does")
        if any(given is not None and len(given) != m for given in (self.photos, self.targets)):
            raise ValueError("each threshold needs its photos and its target, or none does")

    def __len__(self) -> int:
        return len(self.thresholds)


def ladder(
    confidence: npt.ArrayLike,
    *,
    bands: int = 20,
    thresholds: Sequence[float] | None = None,
    out_of_fold: tuple[npt.ArrayLike, npt.ArrayLike] | None = None,
) -> Ladder:
    """The ladder of one predicted class.

    Args:
        confidence: (N,) of the pool's photos predicted as this class.
        bands: thresholds at so many equal shares of the pool, where ``thresholds`` are not given.
        thresholds: band edges, falling.
        out_of_fold: confidence (k,) and correctness (k,) of this class among the labels that trained the model, each
            predicted by a fit that had not seen it. Used for hopes only.
    """
    c = np.asarray(confidence, dtype=np.float64)
    if thresholds is None:
        edges = (
            np.unique(np.quantile(c, 1.0 - np.arange(1, bands + 1) / bands))[::-1] if c.size else np.zeros(0)
        )
    else:
        edges = np.asarray(thresholds, dtype=np.float64)
    inside = np.array([int((c >= edge).sum()) for edge in edges], dtype=np.int64)
    hoped = None if out_of_fold is None else hopes(*out_of_fold, edges)
    return Ladder(edges, inside / max(c.size, 1), hoped, inside)


def aimed(rungs: Ladder, labels: int, precision: float, delta: float) -> Ladder:
    """The same ladder with targets, for so many planned labels and this δ of the class; as it is where the pool has no end.

    A target is what the rest may not hold if it is to be as precise as wished once the planned labels are drawn, and the
    fewest errors among those labels that the region's own bound could not do without the walk. So whatever the labels
    show, one of the two speaks for the rest: see ``walk``.
    """
    if rungs.photos is None or rungs.targets is not None:
        return rungs
    level = OWN * delta / max(len(rungs), 1)
    targets = [
        target(min(int(share * labels), photos), photos, precision, level)
        for share, photos in zip(rungs.share.tolist(), rungs.photos.tolist(), strict=True)
    ]
    return replace(rungs, targets=np.array(targets, dtype=np.int64))


def target(labels: int, photos: int, precision: float, level: float, others: float = 0.0) -> int:
    """Of one region of so many photos, of which so many labels are expected.

    Args:
        level: of its own bound.
        others: so many times the labels may people take of what these leave, until the look, before the target is too high.
    """
    more = labels + int(SPREAD * np.sqrt(labels) + others * labels * (1.0 - labels / max(photos, 1)))
    more = min(more, photos)
    too_many = int((1.0 - precision) * (photos - more) + 1e-9) + 1
    own = finite.errors_allowed(labels, too_many, photos, level, found=True)
    return min(too_many + own + 1, photos)


def hopes(confidence: npt.ArrayLike, correct: npt.ArrayLike, thresholds: npt.ArrayLike) -> Floats:
    """(m,) precision at or above each threshold among out-of-fold predictions; Jeffreys' estimate, so never 0 or 1."""
    c, right = np.asarray(confidence, dtype=np.float64), np.asarray(correct, dtype=bool)
    inside = c[None, :] >= np.asarray(thresholds, dtype=np.float64)[:, None]
    return np.asarray(((inside & right).sum(axis=1) + 0.5) / (inside.sum(axis=1) + 1.0))


def begin(rungs: Ladder, labels: int, precision: float, delta: float) -> int | None:
    """Index of the threshold to begin at; None where no region can be expected to hold enough labels.

    With hopes: the threshold where an exact test would most probably pass. Without: the first one that would still pass
    with ``SPARE_ERRORS`` of the errors that the class might have, or with fewer where that is further in than the outermost
    ``OUTERMOST`` of the class.

    Args:
        labels: certifying labels planned of this predicted class, whatever their confidence.
    """
    if not len(rungs) or labels <= 0:
        return None
    expected, allowed = _allowed(rungs, labels, precision, delta)
    possible = np.flatnonzero(allowed >= 0)
    if not len(possible):
        return None
    if rungs.hoped is not None:
        return int(np.argmax(_power(rungs.hoped, expected, allowed)))
    for spare in range(max(1, round(SPARE_ERRORS * labels * (1.0 - precision))), 0, -1):
        roomy = np.flatnonzero((allowed >= spare) & (rungs.share <= OUTERMOST))
        if len(roomy):
            return int(roomy[0])
    return int(possible[0])


def starts(rungs: Ladder, labels: int, precision: float, delta: float) -> Floats:
    """(m,) shares of the class's δ that each threshold is given before the first label; sum 1, or 0 where none can pass.

    Hopes may be off, and one unlucky start blocks the whole class. So with hopes ``HEDGE`` of δ is spread over all
    thresholds in proportion to the probability that an exact test would pass there, and the rest goes where that is
    highest. Without hopes it goes to ``EVEN_STARTS`` thresholds evenly spaced among those that could pass, or to ``begin``'s
    alone where few labels are planned. ``graph.chains`` hands on what falls.
    """
    shares = np.zeros(len(rungs))
    if not len(rungs) or labels <= 0:
        return shares
    first = begin(rungs, labels, precision, delta)
    if first is None:
        return shares
    shares[first] = 1.0
    if rungs.hoped is None:
        _expected, allowed = _allowed(rungs, labels, precision, delta / EVEN_STARTS)
        possible = np.flatnonzero(allowed >= 0)
        if labels * (1.0 - precision) >= ERRORS_FOR_EVEN_STARTS and len(possible):
            even = np.unique(np.linspace(0, len(possible) - 1, EVEN_STARTS).round().astype(np.int64))
            shares[:] = 0.0
            shares[possible[even]] = 1.0 / len(even)
    else:
        power = _power(rungs.hoped, *_allowed(rungs, labels, precision, delta))
        if power.sum() > 0:
            shares = (1.0 - HEDGE) * shares + HEDGE * power / power.sum()
    return shares


def _allowed(rungs: Ladder, labels: int, precision: float, delta: float) -> tuple[Ints, Ints]:
    """(m,) labels that each region may expect, and (m,) errors among them that an exact test still lets pass, −1 for
    none."""
    expected = np.floor(rungs.share * labels).astype(np.int64)
    if rungs.photos is None or rungs.targets is None:
        return expected, errors_allowed(expected, precision, delta)
    expected = np.minimum(expected, rungs.photos)
    of_each = zip(expected.tolist(), rungs.targets.tolist(), rungs.photos.tolist(), strict=True)
    return expected, np.array([finite.errors_allowed(n, aim, photos, delta) for n, aim, photos in of_each])


def _power(hoped: Floats, expected: npt.NDArray[np.int64], allowed: npt.NDArray[np.int64]) -> Floats:
    """(m,) probability of no more errors than an exact test allows, if hopes are right."""
    return np.asarray(
        np.where(allowed >= 0, bdtr(np.maximum(allowed, 0), np.maximum(expected, 1), 1.0 - hoped), 0.0)
    )
