"""Simulated labelers and a simulated reviewer.

*clean*: one labeler who is always right. *noisy*: one labeler who answers by the photo's *belief*, the shares in which
people would answer it. *strict*: two such labelers, blind, and where they differ a reviewer who is right 9 times in 10.

Knows nothing of strategies or models: a photo gets the same answers whoever shows it, and when.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

Labelers = Literal["clean", "noisy", "strict"]
LABELERS: tuple[Labelers, ...] = ("clean", "noisy", "strict")

REVIEWER_RIGHT = 0.9


@dataclass(frozen=True)
class People:
    """What they make of each photo under one seed.

    Attributes:
        truth: (n,) the column that is right.
        ground_truth: (n,) the column that the process ends with.
        decisions: (n,) how many human decisions that costs, the reviewer's included.
        classes: number of columns.
    """

    truth: npt.NDArray[np.int64]
    ground_truth: npt.NDArray[np.int64]
    decisions: npt.NDArray[np.int64]
    classes: int


def simulate_people(
    kind: Labelers, truth: npt.NDArray[np.int64], belief: npt.NDArray[np.float64], seed: int
) -> People:
    """Answers for all photos at once.

    Args:
        truth: (n,) columns.
        belief: (n, k) probability of each answer; rows sum to 1.
    """
    n, k = belief.shape
    if truth.shape != (n,):
        raise ValueError(f"belief is for {n} photos, truth for {truth.shape}.")
    rng = np.random.default_rng([seed, 7])
    # Inverse transform, from the last column on: for two classes, "1" where the draw is below its probability.
    steps = np.cumsum(belief[:, ::-1], axis=1)[:, :-1]
    first, second = (k - 1 - (rng.random((2, n))[:, :, None] >= steps).sum(axis=2)).astype(np.int64)
    luck = rng.random(n)
    one = np.ones(n, dtype=np.int64)
    if kind == "clean":
        return People(truth, truth, one, k)
    if kind == "noisy":
        return People(truth, first, one, k)
    differ = first != second
    # A reviewer who errs takes the side that is wrong; where both are, one of them.
    wrong = np.where(first == truth, second, first)
    ruled = np.where(luck < REVIEWER_RIGHT, truth, wrong)
    return People(truth, np.where(differ, ruled, first), 2 * one + differ, k)
