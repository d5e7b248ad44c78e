"""The watch over automatic decisions: the moment at which their precision is no longer what was stated.

Each audited decision is a game against the hypothesis "each decision is wrong with a chance of at most ε₀ = 1 − stated,
given all before it". A bet with ratio r > 1 multiplies the wealth by 1 + λ (X − ε₀), with X = 1 if wrong, else 0 and
λ = (r − 1) / (1 − ε₀): r for an error, (1 − r ε₀) / (1 − ε₀) for a right one. Under the hypothesis the wealth exceeds 1/α
with probability at most α, ever (Ville 1939): a false alarm in the whole life of a monitor is that rare.

What that rests on, and what it does not: the lot must not know whether a decision is right. So the share that is audited
may change from one decision to the next, and each decision may have a stated precision of its own. A game whose answer is
still open is played as *right*: it then leaves less wealth than any answer could, at every time, so the wealth seen never
exceeds that of the full answers, in whatever order they come. The wealth falls as ε₀ rises: whoever tries several stated
precisions on the same audits raises no false alarm that the strictest of those that hold would not have raised.

A bet made on the first day is poor by the time things go wrong. So three quarters of the wealth are laid out over all days
to come: the j-th audit stakes 1/log₂(j+1) − 1/log₂(j+2) of them. The last quarter waits for moments at which a fall is
likely (a certificate, unusual photos): the k-th of them stakes the same part of it, 1/log₂(k+1) − 1/log₂(k+2). What is not
staked yet stays cash. This is a mixture over the times of change, as in Shin, Ramdas & Rinaldo 2024, "E-detectors", but
weighted to sum to one, which keeps Ville's α over all time.

``precision_interval`` is a confidence sequence for the mean of the *audited* decisions' true precision, which may
drift: for a log-odds ratio θ, exp(θ S) / (1 − ε + ε eᶿ)ⁿ with ε the mean error chance has at most the expectation of
a martingale, as log(1 − x + x eᶿ) is concave in x (Howard, Ramdas, McAuliffe & Sekhon 2021); mixed over a grid of θ.
Where more was audited, decisions weigh more in that mean.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from inference.certify.binomial import check_level

Floats = npt.NDArray[np.float64]

#: How many times worse than stated the bets hold the decisions to be.
_RATIOS = np.array([1.25, 1.5, 2.0, 3.0, 5.0, 9.0])
# Share of the wealth that only moments of risk stake: 2 to 4 % more audits where there is none, 30 to 40 % fewer after one.
_FOR_RISKS = 0.25
# Log-odds ratios of the confidence sequence, geometric: small ones serve large samples.
_THETAS = np.geomspace(0.02, 4.0, 24)


class PrecisionMonitor:
    """An e-process over audited automatic decisions, one at a time; its whole state is ``as_json``.

    Decisions come in the order of their *draw* for the audit, and every drawn one comes, an open one as right.

    Args:
        stated: precision that was stated.
        alpha: probability of ever raising a false alarm.

    Attributes:
        n, errors: decisions audited, and wrong ones. An open one is among the right ones, a neutral one in neither.
        alarmed_at: number of games at which the alarm went, or None. It stays.
    """

    def __init__(self, stated: float, alpha: float = 0.05) -> None:
        check_level("stated", stated)
        check_level("alpha", alpha)
        self.stated, self.alpha = stated, alpha
        self.n, self.errors = 0, 0
        self.alarmed_at: int | None = None
        self._games, self._risks = 0, 0
        self._log_staked: Floats = np.full(len(_RATIOS), -np.inf)
        self._log_best = 0.0

    @property
    def log_e_value(self) -> float:
        """Log of the wealth now: the evidence that the precision is not, or no longer, what was stated."""
        return float(np.logaddexp(np.logaddexp.reduce(self._log_staked), np.log(self._cash())))

    @property
    def p_value(self) -> float:
        """1 / the highest wealth so far: anytime-valid."""
        return float(np.exp(-self._log_best))

    @property
    def alarmed(self) -> bool:
        """Whether the stated precision is refuted at ``alpha``."""
        return self.alarmed_at is not None

    def update(self, correct: bool | None, *, stated: float | None = None, risk: bool = False) -> bool:
        """Takes one audited decision; True if the alarm went now or before.

        Args:
            correct: None for a game that counts neither way: one that people hold, where a hold is no error.
            stated: of this decision, if other than the monitor's. It must not depend on the answer.
            risk: whether something happened since the one before that makes a fall likely. Nor must this. The first is one.

        Raises:
            ValueError: a stated precision that is none.
        """
        stated = self.stated if stated is None else stated
        check_level("stated", stated)
        before = self._cash()
        self._risks += risk or not self._games
        self._games += 1
        stake = (before - self._cash()) / len(_RATIOS)
        self._log_staked = np.logaddexp(self._log_staked, np.log(stake)) + _gain(correct, 1.0 - stated)
        if correct is not None:
            self.n += 1
            self.errors += not correct
        self._log_best = max(self._log_best, self.log_e_value)
        if self.alarmed_at is None and self._log_best >= -np.log(self.alpha):
            self.alarmed_at = self._games
        return self.alarmed

    def update_many(self, correct: Iterable[bool | None]) -> bool:
        """Takes audited decisions in their order; True if the alarm went."""
        for one in correct:
            self.update(None if one is None else bool(one))
        return self.alarmed

    def precision_interval(self, level: float = 0.95, *, still_open: int = 0) -> tuple[float, float]:
        """Bounds of the mean true precision of the decisions audited so far; right at all times together.

        With probability ``level`` at least. (0, 1) before the first audit. ``still_open`` of them were taken as right: the
        lower bound takes them as wrong, so that both hold whatever the answers will be.
        """
        check_level("level", level)
        least, _ = running_interval(self.errors + still_open, self.n, level)
        _, most = running_interval(self.errors, self.n, level)
        return least, most

    def as_json(self) -> dict[str, Any]:
        """State, for ``from_json``: plain numbers."""
        return {
            "stated": self.stated,
            "alpha": self.alpha,
            "n": self.n,
            "errors": self.errors,
            "games": self._games,
            "risks": self._risks,
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
        if len(staked) != len(monitor._log_staked) or "games" not in data:
            raise ValueError(
                "the state was written by another version: audit from here on with a new monitor"
            )
        monitor._log_staked = np.array(staked)
        monitor.n, monitor.errors = int(data["n"]), int(data["errors"])
        monitor._games, monitor._risks = int(data["games"]), int(data["risks"])
        monitor.alarmed_at = None if data["alarmed_at"] is None else int(data["alarmed_at"])
        monitor._log_best = float(data["log_best"])
        return monitor

    def _cash(self) -> float:
        """Share of the initial wealth that is not staked yet."""
        return (1.0 - _FOR_RISKS) * _left(self._games) + _FOR_RISKS * _left(self._risks)


@lru_cache(maxsize=256)
def _gain(correct: bool | None, missed: float) -> Floats:
    """Log of the factor of each bet, (bets,), against an error rate of at most ``missed``. None plays no game."""
    if correct is None:
        return np.zeros(len(_RATIOS))
    # An error rate of r ε₀ must be a probability, and a right answer must not ruin the bet.
    ratios = np.minimum(_RATIOS, (1.0 + 1.0 / missed) / 2.0)
    return np.asarray(np.log1p(-ratios * missed) - np.log1p(-missed) if correct else np.log(ratios))


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


def _left(n: int) -> float:
    """Share of a sum that is not staked after ``n`` of endless stakes."""
    return float(1.0 / np.log2(n + 2.0))
