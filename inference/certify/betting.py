"""A bound that holds at every look: betting against the hypothesis that the precision is lower than wished.

Each random label is a fair or a losing game under that hypothesis, so a gambler's wealth exceeds 1/δ with probability at
most δ, *ever* (Ville 1939). Looks are free: any number, at any time, chosen after seeing everything so far.

With X = 1 if wrong, else 0, mean ε, hypothesis ε ≥ ε₀ = 1 − precision, a bet with ratio r in (0, 1) multiplies the wealth by

    1 + λ (ε₀ − X),    λ = (1 − r) / (1 − ε₀),

which is never negative and has a mean of at most 1 whenever ε ≥ ε₀. It is the likelihood ratio of an error rate r ε₀
against ε₀. The wealth is spread over several r and left there (a mixture: Robbins 1970, "Statistical methods
related to the law of the iterated logarithm"; Waudby-Smith & Ramdas 2024, "Estimating means of bounded random variables
by betting"). It rises with ε₀ in every coordinate, so the precisions that are not refuted form an interval.

The order counts: labels must be taken in the order in which they were *drawn*. Ground truths that come late come late
because they were doubtful, so only the labels before the first one still open may be used.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from inference.certify.binomial import MOST_LABELS, check_level, errors_allowed, smallest

Floats = npt.NDArray[np.float64]

#: Error rates bet on without a plan, as shares of the error rate to refute.
RATIOS: Floats = 0.1 + 0.7 * (np.arange(16) + 0.5) / 16
# With a plan: as shares of the share of errors that an exact test at the planned size would still let pass.
_PLANNED = np.array([0.6, 0.75, 0.9])


def ratios_for(labels: npt.ArrayLike, precision: float, delta: float) -> Floats:
    """Ratios (…, 3) that serve best if about so many labels (…,) come: just under the share of errors that may be seen.

    They decide about power alone: the bound holds whatever they are, if they were chosen before the labels.
    """
    n = np.asarray(labels, dtype=np.int64)
    allowed = np.maximum(errors_allowed(n, precision, delta), 0)
    critical = (allowed + 0.5) / (np.maximum(n, 1) * (1.0 - precision))
    return np.asarray(np.clip(critical[..., None] * _PLANNED, 0.02, 0.95))


@dataclass(frozen=True)
class Wealth:
    """Outcome of a bet on labels in the order of their draw.

    Attributes:
        log_now: log of the wealth after the last label.
        log_best: log of the highest wealth on the way, at least 0. 1 / its exponential is an anytime-valid p-value.
        best_at: number of labels at which it was highest.
    """

    log_now: float
    log_best: float
    best_at: int

    @property
    def p_value(self) -> float:
        """At most ``a`` with probability at most ``a`` under the hypothesis, whenever one looks."""
        return float(np.exp(-max(self.log_best, 0.0)))


def bet(losses: npt.ArrayLike, precision: float, *, ratios: Floats = RATIOS) -> Wealth:
    """Wealth of betting that the precision is higher than ``precision``.

    Args:
        losses: (n,) in [0, 1] in the order of their draw: 1 where the machine was wrong, else 0.
        ratios: (g,) in (0, 1), fixed before the labels: the default grid, or ``ratios_for`` a plan.

    Raises:
        ValueError: a loss outside [0, 1].
    """
    x = _checked(losses, precision)
    # A right one always gains, so the wealth peaks just before a wrong one or at the end: only these are looked at.
    wrong = np.flatnonzero(x)
    missed = 1.0 - precision
    lost = np.log1p(np.outer((missed - x[wrong]) / (1.0 - missed), 1.0 - ratios))
    gained = np.log1p(missed / (1.0 - missed) * (1.0 - ratios))
    before = np.vstack([np.zeros(len(ratios)), np.cumsum(lost, axis=0)])
    ends = np.append(wrong, len(x))
    rights = ends - np.arange(len(ends))
    path = np.logaddexp.reduce(before + np.outer(rights, gained), axis=1) - np.log(len(ratios))
    at = int(np.argmax(path))
    if path[at] <= 0.0:
        return Wealth(float(path[-1]), 0.0, 0)
    return Wealth(float(path[-1]), float(path[at]), int(ends[at]))


def further_labels_anytime(
    errors: int,
    n: int,
    precision: float,
    delta: float,
    *,
    rate: float | Literal["present"] = 0.0,
    ratios: Floats = RATIOS,
) -> int | None:
    """How many more labels let the wealth reach 1/δ, if they are wrong at ``rate``; as ``binomial.further_labels``.

    At least 1: whether it has been reached *before* is ``bet``'s to say.
    """
    check_level("delta", delta)
    share = (errors + 0.5) / (n + 1.0) if rate == "present" else float(rate)
    missed = 1.0 - precision
    if share >= missed:
        return None
    wrong, right = np.log(ratios), np.log1p(-ratios * missed) - np.log1p(-missed)

    def enough(more: int) -> bool:
        k = errors + share * more
        reached = np.logaddexp.reduce(k * wrong + (n + more - k) * right) - np.log(len(ratios))
        return bool(reached >= -np.log(delta))

    found = smallest(enough, 1)
    return found if found <= MOST_LABELS else None


def anytime_lower(
    losses: npt.ArrayLike,
    delta: float,
    *,
    ratios: Floats = RATIOS,
    tolerance: float = 1e-5,
) -> float:
    """Lower bound of the precision that is too high with probability at most ``delta`` over all looks together.

    The largest precision that the wealth refutes by now or refuted before; 0 where none.
    """
    check_level("delta", delta)
    x = np.asarray(losses, dtype=np.float64)
    wanted = -np.log(delta)
    low, high = 0.0, 1.0 - 1e-9
    while high - low > tolerance:
        middle = (low + high) / 2
        if bet(x, middle, ratios=ratios).log_best >= wanted:
            low = middle
        else:
            high = middle
    return low


def _checked(losses: npt.ArrayLike, precision: float) -> Floats:
    check_level("precision", precision)
    x = np.asarray(losses, dtype=np.float64)
    if x.size and (x.min() < 0.0 or x.max() > 1.0):
        raise ValueError("a loss lies outside 0 and 1")
    return x
