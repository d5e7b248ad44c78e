"""An axis: what it measures, from where to where, and the words beside its ticks."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _

from labeling.charts.scale import Scale, levels, round_numbers
from labeling.text.percentage import percentage

Ticks = Sequence[tuple[float, str]]


@dataclass(frozen=True)
class Axis:
    """``label`` says what is measured, and its unit. By default it holds what the marks need and has round ticks.

    ``ticks``: candidates with their text, thinned to what fits. On a scale of ``time`` values are seconds since 1970.
    """

    label: str
    low: float | None = None
    high: float | None = None
    scale: Literal["linear", "log", "time"] = "linear"
    ticks: Ticks | None = None

    def laid(self, low: float, high: float, start: float, end: float) -> Scale:
        """From ``start`` to ``end`` of a plot whose marks reach from ``low`` to ``high``."""
        first, last = low if self.low is None else self.low, high if self.high is None else self.high
        if first == last:
            first, last = (first / 2, last * 2) if self.scale == "log" else (first - 0.5, last + 0.5)
        return Scale(first, last, start, end, self.scale == "log")

    def ticks_of(self, scale: Scale) -> Ticks:
        if self.ticks is not None:
            return self.ticks
        if self.scale == "log":
            numbers = round_numbers(scale.low, scale.high)
            return [(float(each), number_format(each, force_grouping=True)) for each in numbers]
        if self.scale == "time":
            step = (scale.high - scale.low) / 6
            return [(at, day(at)) for at in (scale.low + index * step for index in range(7))]
        return short(levels(scale.low, scale.high))


def rounded_axis(
    label: str, low: float, high: float, text: Callable[[float], str], *, finest: float = 0.0
) -> Axis:
    """From the round number below ``low`` to the one above ``high``."""
    steps = levels(low, high, finest=finest)
    return Axis(label, steps[0], steps[-1], ticks=[(each, text(each)) for each in steps])


def share_axis(
    label: str, low: float = 0.0, high: float = 1.0, text: Callable[[float], str] | None = None
) -> Axis:
    """Shares between 0 and 1 by hundredths at the finest, in per cent unless ``text`` says them otherwise."""
    low = min(low, 0.98)
    return rounded_axis(label, low, max(high, low + 0.02), text or percentage, finest=0.01)


def day(at: float) -> str:
    return date_format(timezone.localtime(datetime.fromtimestamp(at, UTC)), _("j M"))


def short(values: Sequence[float]) -> Ticks:
    """12k for 12,000: an axis has little room."""
    step = values[1] - values[0]
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    return [(each, f"{each / 1000:g}k" if abs(each) >= 10_000 else f"{each:.{digits}f}") for each in values]
