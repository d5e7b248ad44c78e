"""How accuracy grows with labels: an inverse power law with its uncertainty, and how many labels a wish takes.

    error(n) = a + (e - a) * (n / m) ** -c,    0 <= a <= e <= 1,  c > 0

with m the largest size that was tried, e the error there, a the error that no number of labels removes. It is the
form of Cortes et al. 1993 and Figueroa et al. 2012 ("POW3" in Viering & Loog 2022, who find it among the best for
extrapolation, and none that always is). Every member falls with n and stays within [0, 1], so a forecast does too.

The posterior is computed on a grid, without sampling noise of its own: with three points it is wide, and says so.

Knows nothing of heads or projects: points in, plain numbers that JSON can hold out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

#: Share of the posterior inside every interval given: one in ten below, one in ten above.
LEVEL = 0.8
#: What lies beyond so many times the labels there are is called out of reach: nothing here speaks for it.
FARTHEST = 20
_LEAST_POINTS = 3
# A power law is itself an approximation: no point is trusted to more than this (accuracy, one deviation).
_DISCREPANCY = 0.01
# Prior of the exponent: log-normal. Exponents found in practice are mostly between .1 and 1.5.
_EXPONENT_MIDDLE, _EXPONENT_WIDTH = 0.5, 0.7


@dataclass(frozen=True)
class CurvePoint:
    """Out-of-sample accuracy after training on ``n`` labels.

    Attributes:
        n: labels trained on.
        accuracy: mean over the fits.
        spread: its standard error from fit to fit (other labels, same size).
        judged: distinct labels that judged it. They are the same ones at every size, so their own chance moves all
            points together: it blurs the level, not the slope.
    """

    n: int
    accuracy: float
    spread: float
    judged: int


@dataclass(frozen=True)
class PowerLaw:
    """The posterior over curves as weighted ones: ``floor`` a, ``error`` e, ``exponent`` c and ``weight``, each (g,)."""

    floor: Array
    error: Array
    exponent: Array
    weight: Array
    size: int

    def accuracy(self, n: float) -> Array:
        """(g,) accuracy of each curve after ``n`` labels."""
        decay = (n / self.size) ** -self.exponent
        return 1.0 - np.clip(self.floor + (self.error - self.floor) * decay, 0.0, 1.0)

    def labels(self, accuracy: float) -> Array:
        """(g,) labels after which each curve reaches ``accuracy``; infinity where it never does."""
        room = (1.0 - accuracy) - self.floor
        out = np.full(len(self.floor), np.inf)
        falling = (room > 0) & (self.error > self.floor)
        with np.errstate(over="ignore"):
            out[falling] = self.size * (room[falling] / (self.error - self.floor)[falling]) ** (
                -1.0 / self.exponent[falling]
            )
        out[(1.0 - self.error >= accuracy) & ~falling] = self.size
        return out

    def quantiles(self, values: Array, shares: Sequence[float]) -> list[float]:
        """Weighted quantiles of (g,) values, infinity included."""
        order = np.argsort(values)
        below = np.cumsum(self.weight[order])
        at = np.searchsorted(below, np.asarray(shares) * below[-1]).clip(max=len(order) - 1)
        return [float(values[order[i]]) for i in at]


def fit(points: Sequence[CurvePoint]) -> PowerLaw | None:
    """The posterior of the power law given the points; ``None`` with fewer than three different sizes.

    Weighted least squares as in Figueroa et al. 2012, made Bayesian: flat in e, flat in a / e, log-normal in c.
    """
    points = sorted((point for point in points if point.judged > 0), key=lambda point: point.n)
    if len({point.n for point in points}) < _LEAST_POINTS:
        return None
    sizes = np.array([point.n for point in points], dtype=np.float64)
    seen = 1.0 - np.array([point.accuracy for point in points])
    own = np.array([point.spread for point in points]) ** 2 + _DISCREPANCY**2
    level = float(np.clip(seen[-1], 0.01, 0.99))
    shared = level * (1.0 - level) / max(point.judged for point in points)

    wide = 4.5 * np.sqrt(shared + own[-1])
    errors = np.linspace(max(1e-4, level - wide), min(1.0 - 1e-4, level + wide), 41)
    shares = (np.arange(30) + 0.5) / 30
    exponents = np.exp(np.linspace(np.log(0.04), np.log(4.0), 36))
    error, share, exponent = (grid.ravel() for grid in np.meshgrid(errors, shares, exponents, indexing="ij"))
    floor = share * error
    expected = np.clip(
        floor[:, None] + (error - floor)[:, None] * (sizes / sizes[-1])[None, :] ** -exponent[:, None],
        0.0,
        1.0,
    )
    # Gaussian with covariance diag(own) + shared * 11', inverted by Sherman and Morrison.
    off = seen[None, :] - expected
    scaled = off / own
    misfit = (off * scaled).sum(axis=1) - scaled.sum(axis=1) ** 2 / (1.0 / shared + (1.0 / own).sum())
    prior = ((np.log(exponent) - np.log(_EXPONENT_MIDDLE)) / _EXPONENT_WIDTH) ** 2
    log_weight = -0.5 * (misfit + prior)
    weight = np.exp(log_weight - log_weight.max())
    keep = weight > 1e-7 * weight.max()
    return PowerLaw(
        floor[keep], error[keep], exponent[keep], weight[keep] / weight[keep].sum(), int(sizes[-1])
    )


def forecast(points: Sequence[CurvePoint], *, labels: int) -> dict[str, Any] | None:
    """What the points say of more labels; ``None`` with fewer than three sizes.

    Args:
        points: of one learning curve.
        labels: how many labels there are now; "more" is counted from here.

    Returns:
        JSON-ready: ``form``, ``labels``, ``level``, ``within`` (labels beyond which nothing is claimed), ``now`` and
        ``ceiling`` {value, low, high} (accuracy at ``labels``, and with labels without end), ``band`` (a list of
        {n, value, low, high} up to four times ``labels``) and ``reach``: for accuracies in steps of .005 above the
        smallest one (none where every point is 1), {accuracy, more, low, high, probability}: more labels needed (median
        and interval; None where that end is beyond ``within``) and the probability that they suffice within ``within``.
    """
    law = fit(points)
    if law is None:
        return None
    tail = (1.0 - LEVEL) / 2
    shares = (0.5, tail, 1.0 - tail)
    within = FARTHEST * labels

    def figure(values: Array) -> dict[str, float]:
        middle, low, high = law.quantiles(values, shares)
        return {"value": round(middle, 4), "low": round(low, 4), "high": round(high, 4)}

    smallest = min(point.n for point in points)
    sizes = np.unique(np.geomspace(smallest, 4 * labels, 32).round().astype(int))
    start = int(np.floor(200 * max(0.0, min(point.accuracy for point in points))))
    reach = []
    for step in range(start, 200):
        accuracy = step / 200
        needed = law.labels(accuracy)
        middle, low, high = law.quantiles(needed, shares)
        reach.append(
            {
                "accuracy": accuracy,
                "more": _more(middle, labels, within),
                "low": _more(low, labels, within),
                "high": _more(high, labels, within),
                "probability": round(float(law.weight[needed <= within].sum()), 4),
            }
        )
    return {
        "form": "inverse power law",
        "labels": labels,
        "level": LEVEL,
        "within": within,
        "now": figure(law.accuracy(labels)),
        "ceiling": figure(1.0 - law.floor),
        "band": [{"n": int(n), **figure(law.accuracy(float(n)))} for n in sizes],
        "reach": reach,
    }


def _more(needed: float, labels: int, within: int) -> int | None:
    if needed > within:
        return None
    return max(0, int(np.ceil(needed - 1e-9)) - labels)
