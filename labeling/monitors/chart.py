"""Positions of a monitor's readings over time, for an inline SVG that a template draws. Numbers in and out, no markup."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from django.utils import timezone
from django.utils.formats import date_format

from labeling.learning.templatetags.figures import share
from labeling.learning.version_charts import Frame
from labeling.monitors.models import Monitor, MonitorReading, ReadingState
from labeling.monitors.wording import age, is_drift, seconds

WIDTH, HEIGHT = 340, 140
LEFT, RIGHT, TOP, BOTTOM = 58, 12, 10, 24
#: p-values below are drawn here.
SMALLEST_P = 1e-8
_BELOW = frozenset({Monitor.AGREEMENT, Monitor.AUDIT})


@dataclass(frozen=True)
class Point:
    x: float
    y: float
    low_y: float | None
    high_y: float | None
    alert: bool
    said: str


@dataclass(frozen=True)
class Zone:
    """Where an alert is: from ``top``, ``height`` high, bounded by the threshold at ``edge``."""

    top: float
    height: float
    edge: float


@dataclass(frozen=True)
class Label:
    at: float
    text: str


@dataclass(frozen=True)
class Chart(Frame):
    """Readings from the left (first) to the right (newest). ``line``: the points of a polyline."""

    width: ClassVar[int] = WIDTH
    height: ClassVar[int] = HEIGHT
    left: ClassVar[int] = LEFT
    margin: ClassVar[int] = RIGHT
    top: ClassVar[int] = TOP
    floor: ClassVar[int] = BOTTOM

    points: list[Point]
    line: str
    zones: list[Zone]
    y_labels: list[Label]
    first: str
    last: str

    @property
    def inner(self) -> int:
        return self.right - self.left

    @property
    def label_y(self) -> int:
        return self.height - 6


def chart(readings: Sequence[MonitorReading], said: Callable[[MonitorReading], str]) -> Chart | None:
    """``readings``: oldest first; ``said``: a point's text. ``None`` without any that has a value."""
    known = [each for each in readings if each.value is not None]
    if not known:
        return None
    newest = known[-1]
    limits = _limits(newest)
    floor, ceiling = _scale(known, limits)

    def y(value: float) -> float:
        at = _steps(newest.monitor, value)
        part = (min(max(at, floor), ceiling) - floor) / (ceiling - floor)
        return round(HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * part, 1)

    begin, end = known[0].at, known[-1].at
    span = (end - begin).total_seconds()

    def x(at: datetime) -> float:
        part = (at - begin).total_seconds() / span if span else 1.0
        return round(LEFT + 8 + (WIDTH - LEFT - RIGHT - 16) * part, 1)

    points = [
        Point(
            x(each.at),
            y(each.value or 0.0),
            None if each.low is None else y(each.low),
            None if each.high is None else y(each.high),
            each.state == ReadingState.ALERT,
            said(each),
        )
        for each in known
    ]
    return Chart(
        points=points,
        line=" ".join(f"{point.x},{point.y}" for point in points),
        zones=[_zone(newest.monitor, y(value), upward) for value, upward in limits],
        y_labels=_y_labels(known, floor, [value for value, _up in limits], y),
        first=_moment(begin, end) if span else "",
        last=_moment(end, begin),
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


def _zone(monitor: str, edge: float, upward: bool) -> Zone:
    return Zone(TOP, edge - TOP, edge) if upward else Zone(edge, HEIGHT - BOTTOM - edge, edge)


def _y_labels(
    readings: Sequence[MonitorReading], floor: float, limits: list[float], y: Callable[[float], float]
) -> list[Label]:
    """The thresholds, the end of the axis and the farthest reading, where they do not run into each other."""
    monitor = readings[-1].monitor
    values = [each.value or 0.0 for each in readings]
    farthest = min(values) if is_drift(monitor) or monitor in _BELOW else max(values)
    labels: list[Label] = []
    for value in [*limits, 1.0 if is_drift(monitor) or monitor in _BELOW else floor, farthest]:
        at = y(value)
        if all(abs(at - label.at) >= 14 for label in labels):
            labels.append(Label(at, _text(monitor, value)))
    return labels


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
