"""Where values lie along an axis, and the round numbers that stand beside it. Numbers in and out, no markup."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Scale:
    """``low`` lies at ``start``, ``high`` at ``end``, in the SVG's units; what is outside lies at the nearer end."""

    low: float
    high: float
    start: float
    end: float
    logarithmic: bool = False

    def __call__(self, value: float) -> float:
        return self.start + (self.end - self.start) * min(max(self._part(value), 0.0), 1.0)

    def holds(self, value: float) -> bool:
        return -1e-9 <= self._part(value) <= 1 + 1e-9

    def _part(self, value: float) -> float:
        low, high, at = (
            math.log(each) if self.logarithmic else each for each in (self.low, self.high, value)
        )
        return (at - low) / ((high - low) or 1.0)


def levels(low: float, high: float, *, finest: float = 0.0) -> list[float]:
    """At most six round numbers in equal steps: the first at or below ``low``, the last at or above ``high``."""
    if high <= low:
        high = low + 1.0
    power = 10.0 ** math.floor(math.log10(high - low))
    for factor in (0.1, 0.2, 0.5, 1, 2, 5):
        step = max(factor * power, finest)
        first, last = math.floor(low / step + 1e-4), math.ceil(high / step - 1e-4)
        if last - first <= 5:
            break
    return [round(index * step, 9) for index in range(first, last + 1)]


def round_numbers(low: float, high: float) -> list[int]:
    """1, 2, 5, 10, 20, 50 ... from ``low`` to ``high``: what a logarithmic axis shows."""
    found, power = [], 1
    while power <= high:
        found += [factor * power for factor in (1, 2, 5) if low <= factor * power <= high]
        power *= 10
    return found
