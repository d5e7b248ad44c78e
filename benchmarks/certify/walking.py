"""Many walks inward at once, by exact p-values at a ladder's thresholds."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from inference.certify import Ladder, p_value
from inference.certify.ladder import begin

Floats = npt.NDArray[np.float64]
BANDS = 20
SHARE: Floats = np.arange(1, BANDS + 1) / BANDS
RUNGS = Ladder(1.0 - SHARE, SHARE)


def classes(rng: np.random.Generator, runs: int, stated: float) -> Floats:
    """(runs, BANDS) error rates by band. Half of the classes deserve nothing, by little; the others in their outer part."""
    hopeless = rng.random((runs, 1)) < 0.5
    base = rng.uniform(0.1, 0.5, (runs, 1))
    rising = base + (4.0 - base) * SHARE ** rng.uniform(1.5, 3.0, (runs, 1))
    return (1.0 - stated) * np.where(hopeless, 1.01, rising)


def inside(errors: Floats) -> Floats:
    """(…, BANDS) error rate at or above each threshold."""
    return np.asarray(np.cumsum(errors, axis=-1) / np.arange(1, BANDS + 1))


def p_values(labels: npt.NDArray[np.int64], wrong: npt.NDArray[np.int64], stated: float) -> Floats:
    """(…, BANDS) of labels and wrong ones by band."""
    return p_value(wrong.cumsum(axis=-1), labels.cumsum(axis=-1), stated)


def walk(p: Floats, planned: int, stated: float, level: float) -> npt.NDArray[np.int64]:
    """(runs,) index of the innermost threshold that fell, −1 for none: from where ``begin`` says, as long as each falls."""
    start = begin(RUNGS, planned, stated, level)
    if start is None:
        return np.full(len(p), -1, dtype=np.int64)
    fell = np.cumprod(p[:, start:] <= level, axis=1).sum(axis=1)
    return np.where(fell > 0, start + fell - 1, -1).astype(np.int64)


def is_false(certified: npt.NDArray[np.int64], errors: Floats, stated: float) -> npt.NDArray[np.bool_]:
    """(runs,) whether the region that was certified has more errors than is stated."""
    worst = np.take_along_axis(inside(errors), np.maximum(certified, 0)[:, None], axis=1)[:, 0]
    return np.asarray((certified >= 0) & (worst > 1.0 - stated))


def covered(certified: npt.NDArray[np.int64]) -> Floats:
    """(runs,) share of the class's photos inside it."""
    return np.where(certified >= 0, SHARE[np.maximum(certified, 0)], 0.0)
