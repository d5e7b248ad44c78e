"""Where the lab's curves run: one line a strategy, accuracy against human decisions. Numbers in and out, no markup."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from labeling.learning.templatetags.figures import share
from labeling.learning.version_charts import BOTTOM, LEFT, RIGHT, TOP, Frame, Tick

WIDTH, HEIGHT = 720, 320


@dataclass(frozen=True)
class Line:
    """``line`` and ``area`` (the 95 % interval, or empty) as the points of a polyline and a polygon; ``look``: its class
    colour.
    """

    name: str
    label: str
    line: str
    area: str
    end_x: float
    end_y: float
    look: int


@dataclass(frozen=True)
class LabChart(Frame):
    width: ClassVar[int] = WIDTH
    height: ClassVar[int] = HEIGHT

    lines: list[Line]
    x_ticks: list[Tick]
    y_ticks: list[Tick]
    mark_x: float | None


def lab_chart(
    curves: Sequence[dict[str, Any]], labels: dict[str, Any], decisions: int, *, bands: bool = True
) -> LabChart:
    """``curves`` as a run's result has them; ``decisions``: where strategies were compared in words; ``bands``: whether
    intervals are drawn.
    """
    rows = [point for curve in curves for point in curve["points"]]
    end = max(point["decisions"] for point in rows)
    step = _step(end / 6)
    right_end = step * math.ceil(end / step)
    low = min(point["accuracy"]["low" if bands else "value"] for point in rows)
    high = max(point["accuracy"]["high" if bands else "value"] for point in rows)
    floor, ceiling, spacing = _y_range(low, high)

    def x(value: float) -> float:
        return float(round(LEFT + (WIDTH - LEFT - RIGHT) * value / right_end, 1))

    def y(value: float) -> float:
        return float(
            round(HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (value - floor) / (ceiling - floor), 1)
        )

    lines = []
    for look, curve in enumerate(curves):
        points = curve["points"]
        upper = [f"{x(p['decisions'])},{y(p['accuracy']['high'])}" for p in points]
        lower = [f"{x(p['decisions'])},{y(p['accuracy']['low'])}" for p in points]
        lines.append(
            Line(
                name=curve["name"],
                label=str(labels.get(curve["name"], curve["name"])),
                line=" ".join(f"{x(p['decisions'])},{y(p['accuracy']['value'])}" for p in points),
                area=" ".join([*upper, *reversed(lower)]) if bands else "",
                end_x=x(points[-1]["decisions"]),
                end_y=y(points[-1]["accuracy"]["value"]),
                look=look % 8,
            )
        )
    ticks = round((ceiling - floor) / spacing)
    return LabChart(
        lines=lines,
        x_ticks=[Tick(x(at), str(at)) for at in range(0, right_end + 1, step)],
        y_ticks=[
            Tick(y(floor + spacing * index), share(floor + spacing * index)) for index in range(ticks + 1)
        ],
        mark_x=x(decisions) if decisions <= right_end else None,
    )


def _y_range(low: float, high: float) -> tuple[float, float, float]:
    """Floor, ceiling and the distance of lines: about five lines around what is to be seen."""
    spacing = next((s for s in (0.02, 0.05, 0.1) if (high - low) / s <= 7), 0.2)
    floor = max(0.0, math.floor(low / spacing) * spacing)
    ceiling = min(1.0, math.ceil(high / spacing - 1e-9) * spacing)
    return floor, max(ceiling, floor + spacing), spacing


def _step(rough: float) -> int:
    power = 10 ** math.floor(math.log10(max(rough, 1)))
    return int(next(f * power for f in (1, 2, 5, 10) if f * power >= rough))
