"""Positions of a plot's marks, for an inline SVG that a template draws. Numbers in and out, no markup."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from labeling.learning.models import ModelVersion
from labeling.learning.templatetags.figures import share

WIDTH, HEIGHT = 640, 260
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


@dataclass(frozen=True)
class LearningCurve:
    """Accuracy against ground truths. ``line``: the points of a polyline through the marks."""

    finding: str
    marks: list[Mark]
    line: str
    x_ticks: list[Tick]
    y_ticks: list[Tick]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    top: int = TOP
    bottom: int = HEIGHT - BOTTOM

    @property
    def middle(self) -> float:
        return (self.left + self.right) / 2


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
