"""Positions of a monitor's readings over time, for an inline SVG that a template draws. Numbers in and out, no markup."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from django.utils import timezone
from django.utils.formats import date_format

from labeling.learning.version_charts import Frame
from labeling.monitors.models import MonitorReading, ReadingState
from labeling.monitors.scales import Scale
from labeling.monitors.spec import Limit, MonitorSpec

WIDTH, HEIGHT = 340, 140
LEFT, RIGHT, TOP, BOTTOM = 58, 12, 10, 24


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


def chart(spec: MonitorSpec, readings: Sequence[MonitorReading]) -> Chart | None:
    """``readings``: oldest first. ``None`` without any that has a value."""
    known = [each for each in readings if each.value is not None]
    if not known:
        return None
    scale, limits = spec.scale, spec.limits(known[-1])
    floor, ceiling = _ends(scale, known, limits)

    def y(value: float) -> float:
        at = scale.place(value)
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
            f"{spec.value(each)} · {spec.finding(each)}",
        )
        for each in known
    ]
    return Chart(
        points=points,
        line=" ".join(f"{point.x},{point.y}" for point in points),
        zones=[_zone(y(limit.value), limit.above) for limit in limits],
        y_labels=_y_labels(scale, known, limits, y),
        first=_moment(begin, end) if span else "",
        last=_moment(end, begin),
    )


def _ends(scale: Scale, readings: Sequence[MonitorReading], limits: Sequence[Limit]) -> tuple[float, float]:
    values = [each.value or 0.0 for each in readings] + [limit.value for limit in limits]
    values += [end for each in readings for end in (each.low, each.high) if end is not None]
    return scale.span([scale.place(value) for value in values])


def _zone(edge: float, upward: bool) -> Zone:
    return Zone(TOP, edge - TOP, edge) if upward else Zone(edge, HEIGHT - BOTTOM - edge, edge)


def _y_labels(
    scale: Scale,
    readings: Sequence[MonitorReading],
    limits: Sequence[Limit],
    y: Callable[[float], float],
) -> list[Label]:
    """The thresholds, the end of the axis and the farthest reading, where they do not run into each other."""
    farthest = scale.farthest([each.value or 0.0 for each in readings])
    labels: list[Label] = []
    for value in [*(limit.value for limit in limits), scale.end, farthest]:
        at = y(value)
        if all(abs(at - label.at) >= 14 for label in labels):
            labels.append(Label(at, scale.label(value)))
    return labels


def _moment(at: datetime, other: datetime) -> str:
    """The day, or the time of day where both ends are on one."""
    here, there = timezone.localtime(at), timezone.localtime(other)
    return date_format(here, "TIME_FORMAT" if here.date() == there.date() else "MONTH_DAY_FORMAT")
