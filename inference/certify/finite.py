"""A pool that ends: how many of its photos may be wrong, and so how many of those that nobody drew.

N photos of which K are wrong, n drawn evenly without replacement, e of them wrong. ``p_value`` refutes "K is κ or more"
by the hypergeometric tail, at one number of labels that the errors had no say in; ``bet`` refutes it at every look: at
the t-th draw κ − (errors before) of N − t + 1 photos are wrong under it, and a bet λ multiplies the wealth by 1 + λ
(that share − X) (Waudby-Smith & Ramdas 2020, "Confidence sequences for sampling without replacement"). With λ in [0,
1], fixed before the labels, the wealth is never negative, and it rises with κ. So both p-values fall with κ, and
whatever κ is chosen after seeing all there is to see, "K is κ or more, and refuted at α" is at most as probable as "K
itself is refuted at α", which is α.

What the machine would decide are the R photos that are left when people have taken theirs, in whatever order they took them
and for whatever reason. If people found k wrong ones among what they took, at most K − k are wrong of the rest. So an upper
bound of K, which is of the pool as it was, is one of the rest as it is now, and goes on being one while people go on taking.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln

from inference.certify.betting import ratios_for

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def p_value(errors: int, n: int, total: int, photos: int) -> float:
    """Probability of ``errors`` or fewer among ``n`` drawn of ``photos``, if ``total`` were wrong; 1 without labels.

    Raises:
        ValueError: numbers that cannot be.
    """
    if not 0 <= errors <= n <= photos:
        raise ValueError("errors, labels and photos must rise from 0")
    if n == 0 or total <= errors:
        return 1.0
    if total > photos:
        return 0.0
    k = np.arange(max(0, n + total - photos), errors + 1, dtype=np.float64)
    if not len(k):
        return 0.0
    chosen = _choose(total, k) + _choose(photos - total, n - k) - _choose(photos, np.asarray(float(n)))
    return float(min(1.0, np.exp(np.logaddexp.reduce(chosen))))


def _choose(n: float, k: Floats) -> Floats:
    return np.asarray(gammaln(n + 1.0) - gammaln(k + 1.0) - gammaln(n - k + 1.0))


def bet_p(wrong: npt.NDArray[np.bool_], total: int, photos: int, bets: Floats) -> float:
    """As ``p_value``, and at most ``a`` with probability at most ``a`` at whichever looks.

    Args:
        wrong: (n,) in the order of the draw.
        bets: (g,) in [0, 1], fixed before the labels (``bets_for``); the wealth is spread over them.
    """
    n = len(wrong)
    before: Ints = np.cumsum(wrong, dtype=np.int64) - wrong.astype(np.int64)
    if n == 0 or total <= before[-1] + wrong[-1]:
        return 1.0
    if total > photos:
        return 0.0
    share = np.clip((total - before) / (photos - np.arange(n)), 0.0, 1.0)
    with np.errstate(divide="ignore"):
        steps = np.log1p(np.multiply.outer(share - wrong, bets))
    path = np.logaddexp.reduce(np.cumsum(steps, axis=0), axis=1) - np.log(len(bets))
    return float(np.exp(-max(0.0, float(path.max()))))


def bets_for(labels: int, total: int, photos: int, delta: float) -> Floats:
    """(g,) bets that serve best against ``total`` if about so many labels come; they decide about power alone."""
    share = min(max(total / max(photos, 1), 1e-6), 1.0 - 1e-6)
    return np.minimum(1.0, (1.0 - ratios_for(labels, 1.0 - share, delta)) / (1.0 - share))


def errors_allowed(n: int, total: int, photos: int, level: float, *, found: bool = False) -> int:
    """The most errors among ``n`` labels that refute at ``level`` that ``total`` of ``photos`` are wrong; −1 where none
    does.

    ``found``: refute that so many are wrong besides those that the labels found, that is, of the photos that nobody drew.
    """
    low, high = -1, n + 1
    while high - low > 1:
        middle = (low + high) // 2
        if p_value(middle, n, min(total + middle * found, photos), photos) <= level:
            low = middle
        else:
            high = middle
    return low


def most_wrong(errors: int, n: int, photos: int, level: float) -> int:
    """Upper bound of the wrong ones of the photos, too low with probability ``level`` at most."""
    low, high = errors, photos + 1
    while high - low > 1:
        middle = (low + high) // 2
        if p_value(errors, n, middle, photos) <= level:
            high = middle
        else:
            low = middle
    return low


@dataclass(frozen=True)
class Rest:
    """What the machine would decide of each region of a ladder, now.

    Attributes:
        photos: (m,) those of the cohort that are left to it.
        known: (m,) errors that people found, blind and strictly, among those of the cohort that are not.
    """

    photos: Ints
    known: Ints

    def may_hold(self, precision: float) -> Ints:
        """(m,) the most wrong ones that the rest may hold at this precision."""
        return np.asarray(np.floor((1.0 - precision) * self.photos + 1e-9), dtype=np.int64)
