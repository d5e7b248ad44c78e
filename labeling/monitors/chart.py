"""A monitor's readings over time: small, with the thresholds as zones."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import datetime

from django.utils import timezone
from django.utils.formats import date_format

from labeling.charts.axis import Axis
from labeling.charts.figure import Figure, Size
from labeling.charts.marks import Series, Spot, Zone
from labeling.learning.templatetags.figures import share
from labeling.monitors.models import Monitor, MonitorReading, ReadingState
from labeling.monitors.wording import age, is_drift, seconds

SMALL = (Size("small", 340, 140, 2, left=58, foot=24),)
#: p-values below are drawn here.
SMALLEST_P = 1e-8
_BELOW = frozenset({Monitor.AGREEMENT, Monitor.AUDIT})


def chart(readings: Sequence[MonitorReading], said: Callable[[MonitorReading], str]) -> Figure | None:
    """``readings``: oldest first; ``said``: a point's text. ``None`` without any that has a value."""
    known = [each for each in readings if each.value is not None]
    if not known:
        return None
    monitor, limits = known[-1].monitor, _limits(known[-1])
    floor, ceiling = _scale(known, limits)

    def places(values: Sequence[float | None]) -> list[float | None]:
        return [None if value is None else _steps(monitor, value) for value in values]

    begin, end = known[0].at, known[-1].at
    ticks = [(end.timestamp(), _moment(end, begin))]
    if begin < end:
        ticks.insert(0, (begin.timestamp(), _moment(begin, end)))
    return Figure(
        Axis("", begin.timestamp() if begin < end else end.timestamp() - 1, end.timestamp(), "time", ticks),
        Axis("", floor, ceiling, ticks=_labels(known, floor, [value for value, _up in limits])),
        [
            *(Zone(_steps(monitor, value), upward) for value, upward in limits),
            Series(
                "readings",
                "",
                places([each.value for each in known]),
                low=places([each.low for each in known]),
                high=places([each.high for each in known]),
                spots=[
                    Spot(said(each), look="alert" if each.state == ReadingState.ALERT else "")
                    for each in known
                ],
            ),
        ],
        xs=[each.at.timestamp() for each in known],
        sizes=SMALL,
    )


def _steps(monitor: str, value: float) -> float:
    """p-values on a logarithmic axis, the smallest on top; all else as it is."""
    return -math.log10(max(value, SMALLEST_P)) if is_drift(monitor) else value


def _limits(reading: MonitorReading) -> list[tuple[float, bool]]:
    """(threshold, whether alerts lie above it on the plot)."""
    if reading.monitor == Monitor.SPEED:
        return [(reading.figures["fast"], False), (reading.figures["slow"], True)]
    if reading.threshold is None:
        return []
    return [(reading.threshold, reading.monitor not in _BELOW)]


def _scale(readings: Sequence[MonitorReading], limits: list[tuple[float, bool]]) -> tuple[float, float]:
    monitor = readings[0].monitor
    values = [each.value or 0.0 for each in readings] + [value for value, _up in limits]
    values += [end for each in readings for end in (each.low, each.high) if end is not None]
    steps = [_steps(monitor, value) for value in values]
    if monitor in _BELOW:
        return min(math.floor(10 * min(steps)) / 10, 0.9), 1.0
    return 0.0, max(steps) * 1.25 or 1.0


def _labels(
    readings: Sequence[MonitorReading], floor: float, limits: Sequence[float]
) -> list[tuple[float, str]]:
    """The thresholds, the end of the axis and the farthest reading: what comes first stays where words would meet."""
    monitor = readings[-1].monitor
    values = [each.value or 0.0 for each in readings]
    falls = is_drift(monitor) or monitor in _BELOW
    shown = [*limits, 1.0 if falls else floor, min(values) if falls else max(values)]
    return [(_steps(monitor, value), _text(monitor, value)) for value in shown]


def _text(monitor: str, value: float) -> str:
    if is_drift(monitor):
        if value >= 0.001:
            return "1" if value >= 1 else f"{value:.3f}".rstrip("0").removeprefix("0")
        if value <= SMALLEST_P:
            return f"≤10{_raised(round(math.log10(SMALLEST_P)))}"
        return f"10{_raised(round(math.log10(value)))}"
    if monitor == Monitor.SPEED:
        return seconds(value)
    if monitor == Monitor.QUEUE:
        return age(value) if value else "0"
    return share(value)


def _raised(exponent: int) -> str:
    return str(exponent).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


def _moment(at: datetime, other: datetime) -> str:
    """The day, or the time of day where both ends are on one."""
    here, there = timezone.localtime(at), timezone.localtime(other)
    return date_format(here, "TIME_FORMAT" if here.date() == there.date() else "MONTH_DAY_FORMAT")
