"""Positions of a plot's marks, for an inline SVG that a template draws. Numbers in and out, no markup."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from django.utils.translation import gettext as _

from labeling.learning.models import ModelVersion
from labeling.learning.templatetags.figures import share

WIDTH, HEIGHT = 760, 340
LEFT, RIGHT, TOP, BOTTOM = 48, 16, 12, 44


@dataclass(frozen=True)
class Tick:
    at: float
    label: str


@dataclass(frozen=True)
class Mark:
    """One point with its interval, in the SVG's units, and what it stands for."""

    x: float
    y: float
    low_y: float
    high_y: float
    number: int
    ground_truths: int
    accuracy: dict[str, float]
    audit: dict[str, float] | None
    champion: bool


class Frame:
    """Where a plot's marks lie, in its SVG's units. Plots of another size say so in class variables of their own."""

    width: ClassVar[int] = WIDTH
    height: ClassVar[int] = HEIGHT
    left: ClassVar[int] = LEFT
    margin: ClassVar[int] = RIGHT
    top: ClassVar[int] = TOP
    floor: ClassVar[int] = BOTTOM

    @property
    def right(self) -> int:
        return self.width - self.margin

    @property
    def bottom(self) -> int:
        return self.height - self.floor

    @property
    def middle(self) -> float:
        return (self.left + self.right) / 2


@dataclass(frozen=True)
class LearningCurve(Frame):
    """Accuracy against ground truths. ``line``: the points of a polyline through the marks."""

    finding: str
    marks: list[Mark]
    line: str
    x_ticks: list[Tick]
    y_ticks: list[Tick]


def learning_curve(versions: Sequence[ModelVersion], champion_id: int | None) -> LearningCurve | None:
    """The curve over model versions; ``None`` with fewer than two of them."""
    known = [
        (version, version.metrics["cross_validated"])
        for version in sorted(versions, key=lambda each: each.number)
        if version.metrics["cross_validated"]["accuracy"]
    ]
    if len(known) < 2:
        return None
    most = max(figures["n"] for _v, figures in known)
    step = _round_step(most / 5)
    right_end = step * math.ceil(most / step)
    lowest = min(figures["accuracy"]["low"] for _v, figures in known)
    tenths = max(0, math.floor(lowest * 10))
    spacing = 1 if tenths >= 4 else 2
    tenths -= tenths % 2 if spacing == 2 else 0  # so that the uppermost line is 1
    floor = tenths / 10

    def x(ground_truths: float) -> float:
        return _tenth(LEFT + (WIDTH - LEFT - RIGHT) * ground_truths / right_end)

    def y(accuracy: float) -> float:
        height = HEIGHT - TOP - BOTTOM
        return _tenth(HEIGHT - BOTTOM - height * (accuracy - floor) / (1.0 - floor or 1.0))

    marks = [
        Mark(
            x=x(figures["n"]),
            y=y(figures["accuracy"]["value"]),
            low_y=y(figures["accuracy"]["low"]),
            high_y=y(figures["accuracy"]["high"]),
            number=version.number,
            ground_truths=figures["n"],
            accuracy=figures["accuracy"],
            audit=version.metrics["audit"]["accuracy"] if version.metrics.get("audit") else None,
            champion=version.pk == champion_id,
        )
        for version, figures in known
    ]
    in_order = sorted(marks, key=lambda mark: (mark.ground_truths, mark.number))
    return LearningCurve(
        finding=_finding(in_order[0], in_order[-1]),
        marks=marks,
        line=" ".join(f"{mark.x},{mark.y}" for mark in in_order),
        x_ticks=[Tick(x(at), str(at)) for at in range(0, right_end + 1, step)],
        y_ticks=[Tick(y(at / 10), share(at / 10)) for at in range(tenths, 11, spacing)],
    )


def _tenth(value: float) -> float:
    """To a tenth of a unit: finer is not seen, and makes the page longer."""
    return round(float(value), 1)


def _finding(first: Mark, last: Mark) -> str:
    told = {
        "before": share(first.accuracy["value"]),
        "fewer": first.ground_truths,
        "now": share(last.accuracy["value"]),
        "more": last.ground_truths,
    }
    if last.accuracy["low"] > first.accuracy["value"]:
        return _("Accuracy rose from %(before)s at %(fewer)d to %(now)s at %(more)d ground truths") % told
    if last.accuracy["high"] < first.accuracy["value"]:
        return _("Accuracy fell from %(before)s at %(fewer)d to %(now)s at %(more)d ground truths") % told
    return (
        _("No clear change yet: accuracy %(before)s at %(fewer)d, %(now)s at %(more)d ground truths") % told
    )


def _round_step(rough: float) -> int:
    """The next of 1, 2, 5, 10, 20, 50 ... that is not smaller."""
    power = 10 ** math.floor(math.log10(max(rough, 1)))
    for factor in (1, 2, 5, 10):
        if factor * power >= rough:
            return int(factor * power)
    return int(10 * power)


@dataclass(frozen=True)
class Dot:
    x: float
    y: float
    n: int
    accuracy: float


@dataclass(frozen=True)
class Wish:
    """A wished accuracy as a level line, and the interval of ground truths that reach it (``None``: off the plot)."""

    y: float
    low_x: float | None
    high_x: float | None


@dataclass(frozen=True)
class ForecastChart(Frame):
    """A version's own learning curve on a logarithmic axis, its forecast and the band around it.

    ``band``: the points of a polygon; ``known``, ``ahead``: of polylines up to, and from, the ground truths of today.
    """

    dots: list[Dot]
    band: str
    known: str
    ahead: str
    now_x: float
    wish: Wish | None
    x_ticks: list[Tick]
    y_ticks: list[Tick]


def forecast_chart(
    points: Sequence[dict[str, Any]], forecast: dict[str, Any], wish: dict[str, Any] | None = None
) -> ForecastChart:
    """``points`` and ``forecast`` as in ``Diagnostics.findings``; ``wish``: an entry of ``forecast["reach"]``."""
    band = forecast["band"]
    first, last = band[0]["n"], band[-1]["n"]
    lowest = min(band[0]["low"], *(point["accuracy"] for point in points))
    tenths = max(0, math.floor(lowest * 10))
    spacing = 1 if tenths >= 4 else 2
    tenths -= tenths % 2 if spacing == 2 else 0
    floor = tenths / 10
    span = math.log(last / first) or 1.0

    def x(n: float) -> float:
        return _tenth(LEFT + (WIDTH - LEFT - RIGHT) * math.log(n / first) / span)

    def y(accuracy: float) -> float:
        return _tenth(HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (accuracy - floor) / (1.0 - floor or 1.0))

    def within(n: int | None) -> float | None:
        return x(n) if n is not None and first <= n <= last else None

    labels = forecast["labels"]
    level = forecast["now"]["value"]
    known = [(x(each["n"]), y(each["value"])) for each in band if each["n"] <= labels]
    ahead = [(x(each["n"]), y(each["value"])) for each in band if each["n"] > labels]
    joint = (x(labels), y(level))
    edge = [(x(each["n"]), y(each["low"])) for each in band]
    edge += [(x(each["n"]), y(each["high"])) for each in reversed(band)]
    wished = None
    if wish is not None and wish["accuracy"] >= floor:
        ends = [None if wish[end] is None else labels + wish[end] for end in ("low", "high")]
        wished = Wish(y(wish["accuracy"]), within(ends[0]), within(ends[1]))
    return ForecastChart(
        dots=[
            Dot(x(point["n"]), y(point["accuracy"]), point["n"], point["accuracy"])
            for point in points
            if first <= point["n"] <= last
        ],
        band=_points(edge),
        known=_points([*known, joint]),
        ahead=_points([joint, *ahead]),
        now_x=joint[0],
        wish=wished,
        x_ticks=[Tick(x(n), str(n)) for n in _round_numbers(first, last)],
        y_ticks=[Tick(y(at / 10), share(at / 10)) for at in range(tenths, 11, spacing)],
    )


def _points(pairs: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x},{y}" for x, y in pairs)


def _round_numbers(first: int, last: int) -> list[int]:
    """1, 2, 5, 10, 20, 50 ... from ``first`` to ``last``."""
    found, power = [], 1
    while power <= last:
        found += [factor * power for factor in (1, 2, 5) if first <= factor * power <= last]
        power *= 10
    return found


@dataclass(frozen=True)
class ReliabilityMark:
    x: float
    y: float
    confidence: float
    accuracy: float
    count: int
    low: float
    high: float


RELIABILITY_SIDE = 240
_EDGE = 36


def reliability_marks(bins: Sequence[dict[str, Any]]) -> list[ReliabilityMark]:
    """Stated confidence against the share that is right, in a square plot of ``RELIABILITY_SIDE``."""
    inner = RELIABILITY_SIDE - 2 * _EDGE
    return [
        ReliabilityMark(
            x=round(_EDGE + inner * each["confidence"], 1),
            y=round(RELIABILITY_SIDE - _EDGE - inner * each["accuracy"], 1),
            confidence=each["confidence"],
            accuracy=each["accuracy"],
            count=each["count"],
            low=each["low"],
            high=each["high"],
        )
        for each in bins
    ]
