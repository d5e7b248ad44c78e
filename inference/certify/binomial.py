"""The exact binomial: how much a number of random labels with a number of errors proves about a precision.

All bounds are one-sided and hold for a number of labels that the errors had no say in, looked at once. For repeated
looks see ``inference.certify.betting``.

A sample that is stratified in proportion to the strata's sizes may be pooled: its number of errors is a sum of unequal
Bernoulli variables, whose lower tail, below the mean less one, is at most the binomial's (Hoeffding 1956, "On the
distribution of the number of successes in independent trials").
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.special import bdtr, betainc, betaincinv

Floats = npt.NDArray[np.float64]

#: Beyond so many further labels a wish is called out of reach.
MOST_LABELS = 1_000_000


def check_level(name: str, value: float) -> None:
    """Raises ValueError unless ``value`` lies strictly between 0 and 1."""
    if not 0.0 < value < 1.0:
        raise ValueError(f"{name} must lie between 0 and 1, and is {value}")


def p_value(errors: npt.ArrayLike, n: npt.ArrayLike, precision: float) -> Floats:
    """Probability of so few errors or fewer, if the precision were only just ``precision``; (…,), 1 where n is 0.

    At most ``delta`` exactly where ``clopper_pearson_lower(errors, n, delta) >= precision``: the test of the hypothesis
    that the precision is lower than wished.
    """
    check_level("precision", precision)
    k, m = np.asarray(errors, dtype=np.float64), np.asarray(n, dtype=np.float64)
    if np.any(k < 0) or np.any(k > m):
        raise ValueError("errors must be between 0 and n")
    # bdtr wants n > 0; without labels nothing is proven.
    return np.asarray(np.where(m > 0, bdtr(k, np.maximum(m, 1).astype(np.int64), 1.0 - precision), 1.0))


def clopper_pearson_lower(errors: npt.ArrayLike, n: npt.ArrayLike, delta: float) -> Floats:
    """Lower bound of the precision, (…,): too high with probability at most ``delta``. 0 where n is 0 or all are errors.

    The ``delta`` quantile of Beta(n − errors, errors + 1) (Clopper & Pearson 1934, "The use of confidence or fiducial
    limits illustrated in the case of the binomial").
    """
    check_level("delta", delta)
    k, m = np.asarray(errors, dtype=np.float64), np.asarray(n, dtype=np.float64)
    if np.any(k < 0) or np.any(k > m):
        raise ValueError("errors must be between 0 and n")
    right = m - k
    return np.asarray(np.where(right > 0, betaincinv(np.maximum(right, 1.0), k + 1.0, delta), 0.0))


def labels_needed(precision: float, delta: float, errors: int = 0) -> int:
    """The smallest sample that certifies ``precision`` with so many errors in it.

    Without errors it is ln δ / ln precision, rounded up: 59, 149 and 299 for .95, .98 and .99 at δ = .05.
    """
    check_level("precision", precision)
    check_level("delta", delta)
    if errors < 0:
        raise ValueError("errors must not be negative")
    return smallest(lambda n: bool(p_value(errors, n, precision) <= delta), errors + 1)


def errors_allowed(n: npt.ArrayLike, precision: float, delta: float) -> npt.NDArray[np.int64]:
    """The most errors in ``n`` labels (…,) that still certify ``precision``; −1 where not even none would."""
    check_level("precision", precision)
    check_level("delta", delta)
    sizes = np.asarray(n, dtype=np.int64)
    # By bisection over all sizes together: the tail rises with the errors.
    low, high = np.full(sizes.shape, -1, dtype=np.int64), sizes.copy()
    trials = np.maximum(sizes, 1)
    while (high - low > 1).any():
        middle = (low + high) // 2
        passes = (middle < 0) | (
            bdtr(np.maximum(middle, 0).astype(np.float64), trials, 1.0 - precision) <= delta
        )
        low, high = np.where(passes, middle, low), np.where(passes, high, middle)
    return low


def further_labels(
    errors: int, n: int, precision: float, delta: float, *, rate: float | Literal["present"] = 0.0
) -> int | None:
    """How many more random labels certify ``precision``, if they are wrong at ``rate``.

    Args:
        errors: errors among the ``n`` labels there are.
        rate: share of errors among those to come; ``"present"`` for (errors + 0.5) / (n + 1), the Jeffreys estimate.

    Returns:
        0 where the labels there are suffice; None where no number below a million would do, which is so whenever the
        rate is not below ``1 − precision``. An expectation, not a promise: chance may ask for more.
    """
    if float(p_value(errors, n, precision)) <= delta:
        return 0
    share = (errors + 0.5) / (n + 1.0) if rate == "present" else float(rate)
    if share >= 1.0 - precision:
        return None

    # Expected errors are not rounded to whole ones: the answer would jump back and forth with the rounding.
    found = smallest(lambda more: bool(tail(errors + share * more, n + more, precision) <= delta), 1)
    return found if found <= MOST_LABELS else None


def tail(errors: npt.ArrayLike, n: npt.ArrayLike, precision: float) -> Floats:
    """``p_value`` for numbers of errors that are not whole: the incomplete beta I_precision(n − errors, errors + 1)."""
    k, m = np.asarray(errors, dtype=np.float64), np.asarray(n, dtype=np.float64)
    return np.asarray(betainc(m - k, k + 1.0, precision))


def smallest(enough: Callable[[int], bool], first: int) -> int:
    """The smallest whole number from ``first`` on for which ``enough`` holds, given that it stays true."""
    high = max(first, 1)
    while high <= MOST_LABELS and not enough(high):
        high *= 2
    low = first - 1
    while high - low > 1:
        middle = (low + high) // 2
        if enough(middle):
            high = middle
        else:
            low = middle
    return high
