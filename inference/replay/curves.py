"""Several seeds of a replay as one curve, and two strategies' curves as a difference.

Knows nothing of how points came about.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import t as student

from inference.replay.run import Point

Bools = npt.NDArray[np.bool_]


def summarise(runs: Sequence[Sequence[Point]]) -> dict[str, dict[str, float | None]]:
    """One row a checkpoint: means over seeds, the deviation of accuracy over seeds, and half its 95 % interval
    (None for a single seed).

    Args:
        runs: one list of points a seed, all with the same checkpoints.
    """
    out: dict[str, dict[str, float | None]] = {}
    for points in zip(*runs, strict=True):
        accuracy = np.array([point.accuracy for point in points])
        spread = float(accuracy.std(ddof=1)) if len(accuracy) > 1 else 0.0
        out[str(points[0].labels)] = {
            "accuracy": round(float(accuracy.mean()), 4),
            "sd": round(spread, 4),
            "half_interval": None if len(accuracy) < 2 else round(_half_interval(accuracy), 4),
            "accuracy_unlabeled": round(float(np.mean([point.accuracy_unlabeled for point in points])), 4),
            "auroc": round(float(np.mean([point.auroc for point in points])), 4),
            "human_decisions": round(float(np.mean([point.human_decisions for point in points])), 1),
            "wrong": round(float(np.mean([point.wrong for point in points])), 4),
        }
    return out


@dataclass(frozen=True)
class Difference:
    """Mean of the seeds' differences, and half of its 95 % interval (Student's t, paired; infinite for one seed)."""

    mean: float
    half_interval: float

    @property
    def is_clear(self) -> bool:
        return abs(self.mean) > self.half_interval


def compare(left: Sequence[float], right: Sequence[float], *, comparisons: int = 1) -> Difference:
    """``left`` minus ``right``, seed by seed: what they share (the split, the answers) cancels out.

    Args:
        comparisons: how many such differences are read at once; each interval is widened so that all hold together
            (Bonferroni).
    """
    if len(left) != len(right) or len(left) == 0:
        raise ValueError("Paired differences need the same seeds on both sides, and at least one.")
    difference = np.asarray(left, dtype=np.float64) - np.asarray(right, dtype=np.float64)
    return Difference(float(difference.mean()), _half_interval(difference, comparisons))


def compare_on(left: Sequence[Bools], right: Sequence[Bools], *, comparisons: int = 1) -> Difference:
    """``compare`` for accuracies that all seeds have on the same photos; (photos,) right or not, a seed.

    Seeds then say nothing of the luck of those photos, so its variance is added to theirs (an upper bound on that of
    the two crossed random effects).
    """
    seeds = compare(
        [float(each.mean()) for each in left],
        [float(each.mean()) for each in right],
        comparisons=comparisons,
    )
    by_photo = (np.asarray(left, dtype=np.float64) - np.asarray(right, dtype=np.float64)).mean(axis=0)
    return Difference(seeds.mean, float(np.hypot(seeds.half_interval, _half_interval(by_photo, comparisons))))


def at_decisions(points: Sequence[Point], decisions: int) -> Point | None:
    """The last point that had cost at most so many human decisions; None when the first had cost more."""
    reached = [point for point in points if point.human_decisions <= decisions]
    return reached[-1] if reached else None


def _half_interval(values: npt.NDArray[np.float64], comparisons: int = 1) -> float:
    n = len(values)
    if n < 2:
        return float("inf")
    return float(student.ppf(1.0 - 0.025 / comparisons, n - 1) * values.std(ddof=1) / np.sqrt(n))
