"""What a two-sample test found, and which photos made it so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

#: So many photos are named as those that drive a difference.
DRIVERS = 12


@dataclass(frozen=True)
class Drift:
    """Outcome of one test of "the window comes from where the reference came from".

    Attributes:
        name: what was compared.
        p_value: right for one look; for many windows see ``inference.drift.watch``.
        statistic: the test's own, larger for a larger difference; its meaning stands with the test.
        drivers: indices into the window, the photo that is least like the reference first.
        n_reference, n_window: photos compared.
    """

    name: str
    p_value: float
    statistic: float
    drivers: tuple[int, ...]
    n_reference: int
    n_window: int

    def as_json(self) -> dict[str, Any]:
        """Plain numbers, strings and lists."""
        return asdict(self)


def undecided(name: str, n_reference: int, n_window: int) -> Drift:
    """Too little to compare: nothing speaks against the window."""
    return Drift(name, 1.0, 0.0, (), n_reference, n_window)


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjusted p-values: at most α in one of them with probability at most α where all hypotheses hold (Holm 1979)."""
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    adjusted = [1.0] * len(p_values)
    highest = 0.0
    for rank, i in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[i]))
        adjusted[i] = highest
    return adjusted
