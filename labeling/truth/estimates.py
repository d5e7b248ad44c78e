"""Shares with their interval. Small arithmetic that pages use, so no numerical library is needed here."""

from __future__ import annotations

import math
from dataclasses import dataclass

Z_95 = 1.959963984540054


@dataclass(frozen=True)
class Proportion:
    """``part`` of ``whole``, with Wilson's 95 % interval. Honest for small counts; ``share`` is None for 0 of 0."""

    part: int
    whole: int

    def __post_init__(self) -> None:
        if not 0 <= self.part <= self.whole:
            raise ValueError(f"{self.part} of {self.whole} is no proportion")

    @property
    def share(self) -> float | None:
        return self.part / self.whole if self.whole else None

    @property
    def low(self) -> float:
        return self._bounds()[0]

    @property
    def high(self) -> float:
        return self._bounds()[1]

    def _bounds(self) -> tuple[float, float]:
        n = self.whole
        if n == 0:
            return 0.0, 1.0
        p = self.part / n
        spread = 1 + Z_95**2 / n
        centre = (p + Z_95**2 / (2 * n)) / spread
        half = Z_95 * math.sqrt(p * (1 - p) / n + Z_95**2 / (4 * n * n)) / spread
        return max(0.0, centre - half), min(1.0, centre + half)
