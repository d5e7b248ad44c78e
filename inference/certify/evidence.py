"""What a class's labels say of each of its regions: how surely they refute that so many are wrong, or at such a rate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from inference.certify import finite
from inference.certify.betting import anytime_lower, bet, ratios_for
from inference.certify.binomial import clopper_pearson_lower, p_value
from inference.certify.ladder import Ladder

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Method = Literal["anytime", "exact", "planned"]
#: Share of every level that the method ``planned`` bets with at all looks; the rest is for its one exact look.
EARLY = 0.2


@dataclass(frozen=True)
class Sample:
    """Certifying labels of one predicted class, in the order of their draw.

    Attributes:
        confidence: (n,) of the model version to certify.
        correct: (n,) whether the predicted class is the ground truth.
        frame: (n,) threshold of the region that the label was drawn from, −inf or 0 for the whole class; None says the
            latter of all. So a queue can be asked for the labels that the next region lacks, drawn evenly from it: they
            speak for it and for all regions outside of it, and are left out of those farther inward, of which they are no
            even sample. The next frame may be chosen after seeing all labels so far: never for the method exact.
        photo: (n,) which photo each label is of, where one may have been drawn twice, from a region and then from the whole
            class: in each region only the first draw that speaks for it counts. None says that none was.
    """

    confidence: Floats
    correct: npt.NDArray[np.bool_]
    frame: Floats | None = None
    photo: Ints | None = None

    def __post_init__(self) -> None:
        if len(self.confidence) != len(self.correct):
            raise ValueError("every label needs a confidence and whether it was correct")
        if self.frame is not None and len(self.frame) != len(self.confidence):
            raise ValueError("every label needs its frame, or none does")
        if self.photo is not None and len(self.photo) != len(self.confidence):
            raise ValueError("every label needs its photo, or none does")
        if self.frame is not None and np.any(self.frame > self.confidence):
            raise ValueError("a label lies outside the region that it was drawn from")

    def __len__(self) -> int:
        return len(self.correct)

    def of(self, threshold: float) -> Ints:
        """Places of the labels that speak for the region from ``threshold`` on, in the order of their draw."""
        inside = self.confidence >= threshold
        if self.frame is not None:
            inside &= self.frame <= threshold
        places = np.flatnonzero(inside)
        if self.photo is not None:
            places = places[np.sort(np.unique(self.photo[places], return_index=True)[1])]
        return places

    def even(self, widest: float) -> npt.NDArray[np.bool_]:
        """(n,) labels that were drawn from the whole class, whose lowest threshold is ``widest``."""
        return np.ones(len(self), dtype=bool) if self.frame is None else self.frame <= widest

    def evenly(self, widest: float) -> Ints:
        """Places of those labels, each photo once, in the order of their draw."""
        places = np.flatnonzero(self.even(widest))
        if self.photo is not None:
            places = places[np.sort(np.unique(self.photo[places], return_index=True)[1])]
        return places


@dataclass(frozen=True)
class Region:
    """What the labels of one region say.

    Attributes:
        n, errors: labels, and wrong ones.
        wrong: (n,) in the order of the draw.
        even_n, even_errors: of the labels that the exact look takes, None before it is due.
        bets: (g,) of the pool that ends, or ratios of the one without end.
        photos: of the cohort in the region, None for a pool without end.
    """

    wrong: npt.NDArray[np.bool_]
    even_n: int | None
    even_errors: int | None
    bets: Floats
    photos: int | None
    method: Method

    @property
    def n(self) -> int:
        return len(self.wrong)

    @property
    def errors(self) -> int:
        return int(self.wrong.sum())

    def p_of_total(self, total: int) -> float:
        """Of the hypothesis that ``total`` or more of the region's photos are wrong; falls with ``total``."""
        assert self.photos is not None
        exact = 1.0
        if self.even_n is not None and self.even_errors is not None:
            exact = finite.p_value(self.even_errors, self.even_n, total, self.photos)
        if self.method == "exact":
            return exact
        return self._joined(finite.bet_p(self.wrong, total, self.photos, self.bets), exact)

    def p_of_rate(self, precision: float) -> float:
        """Of the hypothesis that the precision is lower, in a pool without end."""
        exact = 1.0
        if self.even_n is not None and self.even_errors is not None:
            exact = float(p_value(self.even_errors, self.even_n, precision))
        if self.method == "exact":
            return exact
        return self._joined(bet(self.wrong, precision, ratios=self.bets).p_value, exact)

    def _joined(self, by_bets: float, exact: float) -> float:
        """A union bound: a share of the level for the bets, the rest of it for the exact look."""
        if self.method == "anytime":
            return by_bets
        return min(1.0, by_bets / EARLY, exact / (1.0 - EARLY))

    def most_wrong(self, level: float) -> int:
        """Upper bound of the wrong ones among the region's photos, too low with probability ``level`` at most."""
        assert self.photos is not None
        low, high = self.errors, self.photos + 1
        while high - low > 1:
            middle = (low + high) // 2
            if self.p_of_total(middle) <= level:
                high = middle
            else:
                low = middle
        return low

    def lower(self, level: float) -> float:
        """Lower bound of the precision in a pool without end: Clopper-Pearson, anytime-valid, or the better of both."""
        exact = 0.0
        if self.even_n and self.even_errors is not None:
            part = level if self.method == "exact" else level * (1.0 - EARLY)
            exact = float(clopper_pearson_lower(self.even_errors, self.even_n, part))
        if self.method == "exact":
            return exact
        part = level if self.method == "anytime" else level * EARLY
        return max(exact, anytime_lower(self.wrong, part, ratios=self.bets))


@dataclass(frozen=True)
class Evidence:
    """A class's regions, outermost first.

    Attributes:
        labels: photos that were drawn of the class.
        band_n, band_errors: (m,) labels that the region before does not hold, and wrong ones.
        lacks: evenly drawn labels of the class until the exact look.
    """

    regions: tuple[Region, ...]
    labels: int
    band_n: Ints
    band_errors: Ints
    lacks: int


def evidence(
    sample: Sample, rungs: Ladder, precision: float, method: Method, planned: int, level: float
) -> Evidence:
    """Sorts a class's labels by region. ``level``: the class's δ, which only the bets' sizes depend on."""
    if sample.frame is not None and method == "exact":
        raise ValueError("labels drawn region by region need the method anytime")
    wrong = ~np.asarray(sample.correct, dtype=bool)
    m = len(rungs)
    widest = float(rungs.thresholds[-1]) if m else -np.inf
    # The outermost threshold that a label lies inside of; m where it lies outside of all.
    band = np.searchsorted(-rungs.thresholds, -sample.confidence, side="left")
    evenly = sample.evenly(widest)
    first = evenly[:planned] if method == "planned" else evenly
    is_due = method == "exact" or (method == "planned" and 0 < planned == len(first))
    regions = []
    band_n, band_errors = np.zeros(m, dtype=np.int64), np.zeros(m, dtype=np.int64)
    for i, threshold in enumerate(rungs.thresholds.tolist()):
        mine = sample.of(threshold)
        own = mine[band[mine] == i]
        band_n[i], band_errors[i] = len(own), int(wrong[own].sum())
        looked = first[band[first] <= i] if is_due else None
        regions.append(
            Region(
                wrong[mine],
                None if looked is None else len(looked),
                None if looked is None else int(wrong[looked].sum()),
                _bets(rungs, i, precision, method, planned, level),
                None if rungs.photos is None else int(rungs.photos[i]),
                method,
            )
        )
    labels = len(sample) if sample.photo is None else len(np.unique(sample.photo))
    lacks = max(planned - len(first), 0) if method == "planned" else 0
    return Evidence(tuple(regions), labels, band_n, band_errors, lacks)


def _bets(rungs: Ladder, i: int, precision: float, method: Method, planned: int, level: float) -> Floats:
    if method == "exact":
        return np.zeros(0)
    at = level if method == "anytime" else level * EARLY
    labels = int(np.floor(rungs.share[i] * planned))
    if rungs.photos is None or rungs.targets is None:
        return np.asarray(ratios_for(labels, precision, at))
    return finite.bets_for(labels, int(rungs.targets[i]), int(rungs.photos[i]), at)
