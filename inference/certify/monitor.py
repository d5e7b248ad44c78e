"""The watch over automatic decisions: the moment at which their precision is no longer what was stated.

Each audited decision is a game against the hypothesis "each decision is wrong with a chance of at most ε₀ = 1 − stated,
given all before it". A bet with ratio r > 1 multiplies the wealth by 1 + λ (X − ε₀), with X = 1 if wrong, else 0 and
λ = (r − 1) / (1 − ε₀): r for an error, (1 − r ε₀) / (1 − ε₀) for a right one. Under the hypothesis the wealth exceeds 1/α
with probability at most α, ever (Ville 1939): a false alarm in the whole life of a monitor is that rare.

A bet made on the first day is poor by the time things go wrong. So the initial wealth is laid out over all days to come:
the j-th audit stakes 1/log₂(j+1) − 1/log₂(j+2) of it, and what is not staked yet stays cash (a mixture over the times of
change, as in Shin, Ramdas & Rinaldo 2024, "E-detectors", but weighted to sum to one, which keeps Ville's α over all time).

``precision_interval`` is a confidence sequence for the mean over time of the decisions' true precision, which may
drift: for a log-odds ratio θ, exp(θ S) / (1 − ε + ε eᶿ)ⁿ with ε the mean error chance has at most the expectation of
a martingale, as log(1 − x + x eᶿ) is concave in x (Howard, Ramdas, McAuliffe & Sekhon 2021); mixed over a grid of θ.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from inference.certify.binomial import check_level

Floats = npt.NDArray[np.float64]

#: How many times worse than stated the bets hold the decisions to be.
_RATIOS = np.array([1.25, 1.5, 2.0, 3.0, 5.0, 9.0])
# Log-odds ratios of the confidence sequence, geometric: small ones serve large samples.
_THETAS = np.geomspace(0.02, 4.0, 24)


class PrecisionMonitor:
    """An e-process over audited automatic decisions, one at a time; its whole state is ``as_json``.

    Decisions come in the order of their *draw* for the audit, and every drawn one comes: an answer that is still open holds
    back those behind it. Otherwise easy ones come first and the watch starts with a favourable sample. Holds and unusables
    count as errors unless the project says otherwise.

    Args:
        stated: precision that was stated.
        alpha: probability of ever raising a false alarm.

    Attributes:
        n, errors: decisions audited, and wrong ones.
        alarmed_at: number of audits at which the alarm went, or None. It stays.
    """

    def __init__(self, stated: float, alpha: float = 0.05) -> None:
        check_level("stated", stated)
        check_level("alpha", alpha)
        self.stated, self.alpha = stated, alpha
        self.n, self.errors = 0, 0
        self.alarmed_at: int | None = None
        missed = 1.0 - stated
        # An error rate of r ε₀ must be a probability.
        ratios = _RATIOS[_RATIOS * missed < 1.0]
        if not len(ratios):
            ratios = np.array([(1.0 + 1.0 / missed) / 2.0])
        self._log_wrong = np.log(ratios)
        self._log_right = np.log1p(-ratios * missed) - np.log1p(-missed)
        self._log_staked: Floats = np.full(len(ratios), -np.inf)
        self._log_best = 0.0

    @property
    def log_e_value(self) -> float:
        """Log of the wealth now: the evidence that the precision is not, or no longer, what was stated."""
        return float(np.logaddexp(np.logaddexp.reduce(self._log_staked), np.log(_cash(self.n))))

    @property
    def p_value(self) -> float:
        """1 / the highest wealth so far: anytime-valid."""
        return float(np.exp(-self._log_best))

    @property
    def alarmed(self) -> bool:
        """Whether the stated precision is refuted at ``alpha``."""
        return self.alarmed_at is not None

    def update(self, correct: bool) -> bool:
        """Takes one audited decision; True if the alarm went now or before."""
        self.n += 1
        self.errors += not correct
        stake = (_cash(self.n - 1) - _cash(self.n)) / len(self._log_staked)
        gain = self._log_right if correct else self._log_wrong
        self._log_staked = np.logaddexp(self._log_staked, np.log(stake)) + gain
        self._log_best = max(self._log_best, self.log_e_value)
        if self.alarmed_at is None and self._log_best >= -np.log(self.alpha):
            self.alarmed_at = self.n
        return self.alarmed

    def update_many(self, correct: Iterable[bool]) -> bool:
        """Takes audited decisions in their order; True if the alarm went."""
        for one in correct:
            self.update(bool(one))
        return self.alarmed

    def precision_interval(self, level: float = 0.95) -> tuple[float, float]:
        """Bounds of the mean true precision of the decisions audited so far; right at all times together.

        With probability ``level`` at least. (0, 1) before the first audit.
        """
        check_level("level", level)
        return running_interval(self.errors, self.n, level)

    def as_json(self) -> dict[str, Any]:
        """State, for ``from_json``: plain numbers."""
        return {
            "stated": self.stated,
            "alpha": self.alpha,
            "n": self.n,
            "errors": self.errors,
            "alarmed_at": self.alarmed_at,
            # JSON knows no infinity: before the first audit nothing is staked.
            "log_staked": [None if np.isneginf(x) else float(x) for x in self._log_staked],
            "log_best": self._log_best,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> PrecisionMonitor:
        """The monitor whose ``as_json`` this is; goes on to the last bit.

        Raises:
            ValueError: a state of other bets than this version makes.
        """
        monitor = cls(float(data["stated"]), float(data["alpha"]))
        staked = [-np.inf if x is None else float(x) for x in data["log_staked"]]
        if len(staked) != len(monitor._log_staked):
            raise ValueError(
                "the state was written by another version: audit from here on with a new monitor"
            )
        monitor._log_staked = np.array(staked)
        monitor.n, monitor.errors = int(data["n"]), int(data["errors"])
        monitor.alarmed_at = None if data["alarmed_at"] is None else int(data["alarmed_at"])
        monitor._log_best = float(data["log_best"])
        return monitor


def running_interval(errors: int, n: int, level: float) -> tuple[float, float]:
    """The confidence sequence at one time: (lower, upper) of the mean precision over ``n`` decisions."""
    if n == 0:
        return 0.0, 1.0
    wanted = np.log(2.0 / (1.0 - level))
    observed = errors / n

    def refuted(rate: float, thetas: Floats) -> bool:
        log_mean = np.log1p(rate * np.expm1(thetas))
        return bool(np.logaddexp.reduce(thetas * errors - n * log_mean) - np.log(len(thetas)) >= wanted)

    most = _edge(lambda rate: refuted(rate, -_THETAS), observed, 1.0)
    least = _edge(lambda rate: refuted(rate, _THETAS), observed, 0.0)
    return 1.0 - most, 1.0 - least


def _edge(refuted: Callable[[float], bool], inside: float, outside: float) -> float:
    """Between a rate that is not refuted and an end of the scale: the last one, to 1e-6, on the refuted side."""
    if not refuted(outside):
        return outside
    while abs(outside - inside) > 1e-6:
        middle = (inside + outside) / 2
        if refuted(middle):
            outside = middle
        else:
            inside = middle
    return outside


def _cash(n: int) -> float:
    """Share of the initial wealth that is not staked after ``n`` audits."""
    return float(1.0 / np.log2(n + 2.0))
