"""What came of many simulated projects, and what may be said of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import beta

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Outcomes:
    """Of a number of projects under one rule.

    Attributes:
        violated: (runs,) whether anything that the project stated was false.
        coverage: (runs,) share of the photos that the machine may decide, in the scenario's own terms; NaN where that
            has no meaning.
    """

    violated: npt.NDArray[np.bool_]
    coverage: Floats

    def __post_init__(self) -> None:
        if self.violated.shape != self.coverage.shape or self.violated.ndim != 1:
            raise ValueError("every project needs whether it was violated, and its coverage")

    def row(self) -> dict[str, Any]:
        """``violated`` (share), its 95 % ``interval`` and the mean ``coverage``, None where it has no meaning."""
        bad, n = int(self.violated.sum()), len(self.violated)
        known = self.coverage[~np.isnan(self.coverage)]
        return {
            "violated": round(bad / n, 5),
            "interval": list(interval(bad, n)),
            "coverage": round(float(known.mean()), 4) if len(known) else None,
        }


def joined(parts: list[Outcomes]) -> Outcomes:
    return Outcomes(
        np.concatenate([part.violated for part in parts]), np.concatenate([part.coverage for part in parts])
    )


def interval(k: int, n: int) -> tuple[float, float]:
    """Two-sided 95 % Clopper-Pearson interval of a share; (0, 1) where n is 0."""
    low = float(beta.ppf(0.025, k, n - k + 1)) if k else 0.0
    high = float(beta.ppf(0.975, k + 1, n - k)) if k < n else 1.0
    return round(low, 5), round(high, 5)


def upper(k: int, n: int) -> float | None:
    """Upper end of the interval, None where n is 0."""
    return interval(k, n)[1] if n else None
