"""Pools of photos that end: what is drawn of them, what people take, and what is left to the machine."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from inference.certify import Ladder, Rest, Sample
from inference.certify.walk import decide

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

BANDS = 10
SHARE: Floats = np.arange(1, BANDS + 1) / BANDS


@dataclass(frozen=True)
class Pool:
    """Photos of one predicted class, the surest first, with confidences falling evenly.

    Attributes:
        confidence: (N,).
        wrong: (N,) whether the machine is.
    """

    confidence: Floats
    wrong: Bools

    @classmethod
    def of(cls, rng: np.random.Generator, photos: int, errors: Floats) -> Pool:
        """``errors`` (BANDS,) by band, outermost first: exactly so many, anywhere in the band."""
        wrong = np.zeros(photos, dtype=bool)
        for rate, places in zip(errors, np.array_split(np.arange(photos), len(errors)), strict=True):
            wrong[rng.choice(places, min(round(float(rate) * len(places)), len(places)), replace=False)] = (
                True
            )
        return cls(1.0 - (np.arange(photos) + 0.5) / photos, wrong)

    def __len__(self) -> int:
        return len(self.wrong)

    def sample(self, places: Ints) -> Sample:
        return Sample(self.confidence[places], ~self.wrong[places])

    def ladder(self, *, ends: bool, hoped: Floats | None = None) -> Ladder:
        """As the app lays it over these photos; ``ends``: it knows how many they are."""
        inside = np.round(SHARE * len(self)).astype(np.int64)
        return Ladder(1.0 - SHARE, SHARE, hoped, inside if ends else None)

    def rest(self, taken: Bools) -> Rest:
        """What is left to the machine where people have taken (N,), in each region."""
        inside = self.confidence[None, :] >= (1.0 - SHARE)[:, None]
        return Rest((inside & ~taken).sum(axis=1), (inside & taken & self.wrong).sum(axis=1))


def certified(
    sample: Sample, rungs: Ladder, planned: int, stated: float, delta: float, rest: Rest | None = None
) -> int | None:
    """The innermost threshold that Hilltop certifies by these labels."""
    found = decide(
        {"": sample},
        {"": rungs},
        precision=stated,
        delta=delta,
        method="planned",
        planned={"": planned},
        rests=None if rest is None else {"": rest},
    )
    return found[""].certified


def precision_of(wrong: Bools) -> float:
    """1 where there is nothing."""
    return 1.0 - float(wrong.mean()) if len(wrong) else 1.0
