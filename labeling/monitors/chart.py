"""A monitor's readings over time: small, with the thresholds as zones."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.utils import timezone
from django.utils.formats import date_format

from labeling.charts.axis import Axis
from labeling.charts.figure import Figure, Size
from labeling.charts.marks import Series, Spot, Zone
from labeling.monitors.models import MonitorReading, ReadingState
from labeling.monitors.scales import Scale
from labeling.monitors.spec import Limit, MonitorSpec

SMALL = (Size("small", 340, 140, 2, left=58, foot=24),)


def chart(spec: MonitorSpec, readings: Sequence[MonitorReading]) -> Figure | None:
    """``readings``: oldest first. ``None`` without any that has a value."""
    known = [each for each in readings if each.value is not None]
    if not known:
        return None
    limits = spec.limits(known[-1])
    series = Series(
        "readings",
        "",
        _places(spec.scale, [each.value for each in known]),
        low=_places(spec.scale, [each.low for each in known]),
        high=_places(spec.scale, [each.high for each in known]),
        spots=[
            Spot(
                f"{spec.value(each)} · {spec.finding(each)}",
                look="alert" if each.state == ReadingState.ALERT else "",
            )
            for each in known
        ],
    )
    return Figure(
        _x(known[0].at, known[-1].at),
        _y(spec.scale, known, limits),
        [*(Zone(spec.scale.place(limit.value), limit.above) for limit in limits), series],
        xs=[each.at.timestamp() for each in known],
        sizes=SMALL,
    )


def _places(scale: Scale, values: Sequence[float | None]) -> list[float | None]:
    return [None if value is None else scale.place(value) for value in values]


def _x(begin: datetime, end: datetime) -> Axis:
    """Its two ends are named; a reading that is alone lies at the right one."""
    first, last = begin.timestamp(), end.timestamp()
    named = [(last, _moment(end, begin))]
    if first < last:
        named.insert(0, (first, _moment(begin, end)))
    return Axis("", min(first, last - 1), last, "time", named)


def _y(scale: Scale, readings: Sequence[MonitorReading], limits: Sequence[Limit]) -> Axis:
    """Named are the thresholds, the end of the axis and the farthest reading: the first of those that would meet."""
    values = [each.value or 0.0 for each in readings]
    bounds = [limit.value for limit in limits]
    ends = [end for each in readings for end in (each.low, each.high) if end is not None]
    low, high = scale.span([scale.place(value) for value in [*values, *bounds, *ends]])
    named = [*bounds, scale.end, scale.farthest(values)]
    return Axis("", low, high, ticks=[(scale.place(value), scale.label(value)) for value in named])


def _moment(at: datetime, other: datetime) -> str:
    """The day, or the time of day where both ends are on one."""
    here, there = timezone.localtime(at), timezone.localtime(other)
    return date_format(here, "TIME_FORMAT" if here.date() == there.date() else "MONTH_DAY_FORMAT")
