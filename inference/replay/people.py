"""Simulated labelers and a simulated reviewer.

*clean*: one labeler who is always right. *noisy*: one labeler who answers by the photo's *belief*, the shares in which
people would answer it. *strict*: two such labelers, blind, and where they differ a reviewer who is right 9 times in 10.
*boundary*: strict, but of a photo that is asked in the boundary band three such labelers, and where they differ it is held:
no ground truth. *pairs-held*: the same with two there.

Knows nothing of strategies or models: a photo gets the same answers whoever shows it; when it is shown says how many.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

Labelers = Literal["clean", "noisy", "strict", "boundary", "pairs-held"]
LABELERS: tuple[Labelers, ...] = ("clean", "noisy", "strict", "boundary", "pairs-held")

REVIEWER_RIGHT = 0.9
#: In place of a column: people differ, and the photo is kept out of training.
HELD = -1


@dataclass(frozen=True)
class People:
    """What they make of each photo under one seed.

    Attributes:
        truth: (n,) the column that is right.
        ground_truth: (n,) the column that the process ends with.
        decisions: (n,) how many human decisions that costs, the reviewer's included.
        classes: number of columns.
        at_boundary: the same two of a photo that is asked in the boundary band, where that differs; ``HELD`` for no
            ground truth.
    """

    truth: npt.NDArray[np.int64]
    ground_truth: npt.NDArray[np.int64]
    decisions: npt.NDArray[np.int64]
    classes: int
    at_boundary: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]] | None = None

    def asked(self, photo: int, *, at_boundary: bool) -> tuple[int, int]:
        """Ground truth (or ``HELD``) and human decisions of one photo."""
        ground_truth, decisions = (
            self.at_boundary if at_boundary and self.at_boundary else (self.ground_truth, self.decisions)
        )
        return int(ground_truth[photo]), int(decisions[photo])


def simulate_people(
    kind: Labelers,
    truth: npt.NDArray[np.int64],
    belief: npt.NDArray[np.float64],
    seed: int,
    *,
    alike: float = 0.0,
    slips: Sequence[float] = (),
) -> People:
    """Answers for all photos at once.

    Args:
        truth: (n,) columns.
        belief: (n, k) probability of each answer; rows sum to 1.
        alike: share of photos that show everybody the same: whoever answers, answers as the first.
        slips: how often each of some people (three at least) names another class than they see. Who answers is drawn.
    """
    n, k = belief.shape
    if truth.shape != (n,):
        raise ValueError(f"belief is for {n} photos, truth for {truth.shape}.")
    rng = np.random.default_rng([seed, 7])
    # Inverse transform, from the last column on: for two classes, "1" where the draw is below its probability.
    steps = np.cumsum(belief[:, ::-1], axis=1)[:, :-1]
    drawn = rng.random((2, n))
    luck = rng.random(n)
    # Of their own, so that the others are what they were before there was a third.
    more = np.random.default_rng([seed, 8])
    drawn = np.concatenate([drawn, more.random((1, n))])
    drawn = np.where(more.random(n) < alike, drawn[0], drawn)
    answers = (k - 1 - (drawn[:, :, None] >= steps).sum(axis=2)).astype(np.int64)
    if len(slips):
        people = more.random((n, len(slips))).argsort(axis=1)[:, :3].T
        slip = more.random((3, n)) < np.asarray(slips)[people]
        answers = np.where(slip, (answers + more.integers(1, k, (3, n))) % k, answers)
    first, second, third = answers
    one = np.ones(n, dtype=np.int64)
    if kind == "clean":
        return People(truth, truth, one, k)
    if kind == "noisy":
        return People(truth, first, one, k)
    differ = first != second
    # A reviewer who errs takes the side that is wrong; where both are, one of them.
    wrong = np.where(first == truth, second, first)
    ruled = np.where(luck < REVIEWER_RIGHT, truth, wrong)
    strict = (np.where(differ, ruled, first), 2 * one + differ)
    if kind == "strict":
        return People(truth, *strict, k)
    if kind == "pairs-held":
        return People(truth, *strict, k, (np.where(differ, HELD, first), 2 * one))
    # The first two that differ spare the third.
    held = differ | (third != first)
    return People(truth, *strict, k, (np.where(held, HELD, first), 3 * one - differ))
