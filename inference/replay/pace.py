"""How fast a queue moves inward, in a replay.

Knows nothing of agreement: a project's queue also waits for that before it opens a band.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Pace:
    """Attributes:
    bands: slices between an end and the boundary.
    boundary_after: the share (bands - 1) / bands of so many ground truths is settled outside the boundary band.
    retrain_every: a head is trained, and the pool ordered anew, after so many ground truths.
    cold_start: no head before so many.
    """

    bands: int = 3
    boundary_after: int = 60
    retrain_every: int = 10
    cold_start: int = 10

    def band(self, ground_truths: int) -> int:
        """The outermost band that is still shown."""
        return min(self.bands * ground_truths // max(self.boundary_after, 1), self.bands - 1)
