"""Calibration: one temperature, and how far stated probabilities are from observed frequencies.

Knows nothing of models: logits or probabilities and the true column in, numbers out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]
Ints = npt.NDArray[np.integer[Any]]

_LOG_BOUND = float(np.log(20.0))
_GOLDEN = float((np.sqrt(5.0) - 1.0) / 2.0)


def softmax(logits: Floats) -> npt.NDArray[np.float64]:
    """Row-wise softmax of (n, k) logits, in float64."""
    shifted = np.asarray(logits, dtype=np.float64)
    shifted = np.exp(shifted - shifted.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True))


def log_loss(logits: Floats, y: Ints, *, weight: Floats | None = None) -> float:
    """Mean negative log-likelihood, nats. ``logits`` (n, k); ``y`` (n,) true columns; ``weight`` (n,) of the mean."""
    wide = np.asarray(logits, dtype=np.float64)
    wide = wide - wide[np.arange(len(wide)), y][:, None]
    top = wide.max(axis=1)
    losses = np.log(np.exp(wide - top[:, None]).sum(axis=1)) + top
    return float(np.average(losses, weights=weight))


def temperatures(
    logits: Floats, y: Ints, *, weight: Floats | None = None, offset: Floats | float = 0.0
) -> npt.NDArray[np.float64]:
    """The T in [0.05, 20] under which softmax(logits / T) has the least log-loss (Guo et al. 2017, section 4.2).

    Of several models at once. A weak prior, 0.5 * log(T)^2 nats in all, keeps T near 1 when a handful of separable
    observations would send it to the edge.

    Args:
        logits: (S, n, k) of S models on the same n held-out observations; -inf is a class that is impossible there, never
            the true one.
        y: (n,) true columns.
        weight: (n,) how much each observation counts; 1 each if None.
        offset: finite, broadcast to (n, k); added to logits / T.

    Returns:
        T (S,); 1.0 when n is 0.
    """
    wide = np.asarray(logits, dtype=np.float64)
    s, n, k = wide.shape
    if n == 0:
        return np.ones(s)
    # Differences to the true column: log-loss is then the log-sum-exp alone.
    wide = wide - np.take_along_axis(wide, np.broadcast_to(np.asarray(y)[None, :, None], (s, n, 1)), axis=2)
    top = wide.max(axis=2)
    # Classes first: sums over the last of three axes, a handful of numbers each, took a quarter of the time.
    below = np.ascontiguousarray((wide - top[:, :, None]).transpose(2, 0, 1))
    added = np.broadcast_to(np.asarray(offset, dtype=np.float64), (n, k))
    added = (added - added[np.arange(n), y][:, None]).T[:, None]

    def cost(log_t: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        beta = np.exp(-log_t)[:, None]
        scaled = below * beta
        scaled += added
        losses = np.log(np.exp(scaled, out=scaled).sum(axis=0)) + top * beta
        total = losses.sum(axis=1) if weight is None else (losses * weight).sum(axis=1)
        return np.asarray(total + 0.5 * log_t**2)

    # Golden section, every model in step. The likelihood is convex in 1 / T, so unimodal in log T.
    low, high = np.full(s, -_LOG_BOUND), np.full(s, _LOG_BOUND)
    inner_low, inner_high = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
    at_low, at_high = cost(inner_low), cost(inner_high)
    for _ in range(24):
        left = at_low < at_high
        low, high = np.where(left, low, inner_low), np.where(left, inner_high, high)
        fresh = np.where(left, high - _GOLDEN * (high - low), low + _GOLDEN * (high - low))
        at_fresh = cost(fresh)
        inner_low, inner_high = np.where(left, fresh, inner_high), np.where(left, inner_low, fresh)
        at_low, at_high = np.where(left, at_fresh, at_high), np.where(left, at_low, at_fresh)
    return np.asarray(np.exp((low + high) / 2))


@dataclass(frozen=True)
class ReliabilityBin:
    """Top-1 predictions whose confidence lies in (low, high]: how many, mean confidence, share that is right."""

    low: float
    high: float
    count: int
    confidence: float
    accuracy: float


def reliability(probs: Floats, y: Ints, bins: int = 10) -> list[ReliabilityBin]:
    """The reliability diagram of top-1 predictions over equal-width bins; empty bins are left out.

    Args:
        probs: (n, k) probabilities.
        y: (n,) true columns.
    """
    if len(probs) == 0:
        return []
    confidence = probs.max(axis=1)
    right = probs.argmax(axis=1) == y
    bucket = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    return [
        ReliabilityBin(
            low=b / bins,
            high=(b + 1) / bins,
            count=int(inside.sum()),
            confidence=float(confidence[inside].mean()),
            accuracy=float(right[inside].mean()),
        )
        for b in range(bins)
        if (inside := bucket == b).any()
    ]


def ece(probs: Floats, y: Ints, bins: int = 10) -> float:
    """Expected calibration error of top-1 predictions (Naeini et al. 2015), in [0, 1]; 0 for no observations."""
    if len(probs) == 0:
        return 0.0
    table = reliability(probs, y, bins)
    return float(sum(b.count * abs(b.accuracy - b.confidence) for b in table) / len(probs))


def brier(probs: Floats, y: Ints) -> float:
    """Multi-class Brier score (Brier 1950): mean squared distance to the one-hot truth, in [0, 2]."""
    if len(probs) == 0:
        return 0.0
    off = np.array(probs, dtype=np.float64)
    off[np.arange(len(off)), y] -= 1.0
    return float(np.mean(np.sum(off**2, axis=1)))
