"""Positions of a plot's marks for an inline SVG: once for a wide screen and once for a phone. Numbers in, strings out.

SVG wants a decimal point in every language, so everything that is drawn leaves here as a string.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

#: Colours, dashes and markers that there are; a plot with more series repeats them.
LOOKS = 8

Kind = Literal["line", "step", "bar", "dots"]
Values = Sequence[float | None]


@dataclass(frozen=True)
class Series:
    """``values`` beside the chart's ``xs``; ``low`` and ``high`` are the ends of an interval around each.

    ``look`` is its colour, dash and marker in ``dashboard.css``. Bars are stacked in the order of the series.
    """

    key: str
    label: str
    values: Values
    kind: Kind = "line"
    look: int = 0
    low: Values | None = None
    high: Values | None = None

    @property
    def mark(self) -> str:
        """Its marker in the middle of a key of 28 by 12."""
        return marker(self.look, 14.0, 6.0)


@dataclass(frozen=True)
class Note:
    """A vertical line at ``x`` with a word beside it."""

    x: float
    text: str


@dataclass(frozen=True)
class Chart:
    """``xs`` rise. ``ticks``: candidates along x with their text, thinned to what fits; ``percent``: y is a share.

    ``broad``: drawn for the whole width of a page as well.
    ``top``: end of the y axis; by default a round number above everything. What lies above it is drawn at the edge.
    """

    xs: Sequence[float]
    series: Sequence[Series]
    ticks: Sequence[tuple[float, str]]
    x_label: str
    y_label: str
    percent: bool = False
    top: float | None = None
    floor: float = 0.0
    notes: Sequence[Note] = ()
    square: bool = False
    broad: bool = False
    diagonal: bool = False
    logarithmic: bool = False

    @property
    def views(self) -> list[View]:
        if self.square:
            shapes = [("narrow", 320, 300, 4), ("wide", 400, 340, 6)]
        else:
            shapes = [("narrow", 328, 250, 4), ("wide", 600, 280, 6)]
        if self.broad:
            shapes.append(("broad", 1160, 260, 10))
        return [_view(self, *shape) for shape in shapes]


@dataclass(frozen=True)
class Tick:
    at: str
    label: str
    anchor: str = "middle"


@dataclass(frozen=True)
class Drawn:
    """One series in a view: paths, and the height of each point for the cursor ("-" where there is none)."""

    key: str
    look: int
    kind: Kind
    path: str
    band: str
    dots: str
    heights: str


@dataclass(frozen=True)
class View:
    name: str
    width: int
    height: int
    left: str
    right: str
    top: str
    bottom: str
    middle: str
    x_label_y: str
    x_ticks: list[Tick]
    y_ticks: list[Tick]
    series: list[Drawn]
    notes: list[Tick]
    places: str
    diagonal: str = ""


def _view(chart: Chart, name: str, width: int, height: int, most_ticks: int) -> View:
    left, right, top, bottom = 46.0, width - 14.0, 14.0, height - 44.0
    ceiling = chart.top if chart.top is not None else _highest(chart)
    floor = chart.floor
    bars = [each for each in chart.series if each.kind == "bar"]
    scale = math.log if chart.logarithmic else float
    # Half a bar stays free at both ends.
    spacing = _spacing(chart.xs) if bars else 0.0
    first, last = _span(chart, spacing)

    def x(value: float) -> float:
        return left + (right - left) * (scale(value) - scale(first)) / ((scale(last) - scale(first)) or 1.0)

    def y(value: float) -> float:
        return bottom - (bottom - top) * (min(max(value, floor), ceiling) - floor) / (
            (ceiling - floor) or 1.0
        )

    bar_width = max((x(first + spacing) - x(first)) * 0.72, 1.0) if bars else 0.0
    return View(
        name=name,
        width=width,
        height=height,
        left=_n(left),
        right=_n(right),
        top=_n(top),
        bottom=_n(bottom),
        middle=_n((left + right) / 2),
        x_label_y=_n(height - 6),
        x_ticks=_thinned(chart.ticks, most_ticks, x, first, last),
        y_ticks=[Tick(_n(y(value)), text) for value, text in _y_ticks(floor, ceiling, chart.percent)],
        series=_drawn(chart.series, chart.xs, x, y, bar_width),
        notes=[
            Tick(_n(x(note.x)), note.text, "end" if x(note.x) > right - 60 else "start")
            for note in chart.notes
            if first <= note.x <= last
        ],
        places=" ".join(_n(x(value)) for value in chart.xs),
        diagonal=f"M{_n(x(floor))} {_n(y(floor))}L{_n(x(ceiling))} {_n(y(ceiling))}"
        if chart.diagonal
        else "",
    )


def _drawn(
    series: Sequence[Series],
    xs: Sequence[float],
    x: Callable[[float], float],
    y: Callable[[float], float],
    bar_width: float,
) -> list[Drawn]:
    found, piled = [], [0.0] * len(xs)
    for each in series:
        points = [
            None if value is None else (x(at), y(value)) for at, value in zip(xs, each.values, strict=True)
        ]
        path = band = dots = ""
        if each.kind == "bar":
            parts = []
            for index, value in enumerate(each.values):
                if not value:
                    continue
                low, high = y(piled[index]), y(piled[index] + value)
                piled[index] += value
                parts.append(
                    f"M{_n(x(xs[index]) - bar_width / 2)} {_n(low)}V{_n(high)}h{_n(bar_width)}V{_n(low)}Z"
                )
                points[index] = (x(xs[index]), high)
            path = "".join(parts)
        else:
            if each.kind != "dots":
                path = _path(points, stepped=each.kind == "step")
            if each.kind == "dots" or sum(point is not None for point in points) <= 40:
                dots = "".join(marker(each.look, *point) for point in points if point is not None)
            if each.low is not None and each.high is not None:
                band = (
                    _whiskers(xs, each.low, each.high, x, y)
                    if each.kind == "dots"
                    else _area(xs, each.low, each.high, x, y)
                )
        heights = " ".join("-" if point is None else _n(point[1]) for point in points)
        found.append(Drawn(each.key, each.look, each.kind, path, band, dots, heights))
    return found


def _path(points: Sequence[tuple[float, float] | None], *, stepped: bool) -> str:
    parts: list[str] = []
    pen = False
    for point in points:
        if point is None:
            pen = False
            continue
        at, height = point
        if not pen:
            parts.append(f"M{_n(at)} {_n(height)}")
        else:
            parts.append(f"H{_n(at)}V{_n(height)}" if stepped else f"L{_n(at)} {_n(height)}")
        pen = True
    return "".join(parts)


def _area(
    xs: Sequence[float], low: Values, high: Values, x: Callable[[float], float], y: Callable[[float], float]
) -> str:
    """The area between ``low`` and ``high``, a piece for each run of known values."""
    parts: list[str] = []
    run: list[int] = []
    for index in range(len(xs) + 1):
        if index < len(xs) and low[index] is not None and high[index] is not None:
            run.append(index)
            continue
        if len(run) > 1:
            upper = [f"{_n(x(xs[i]))} {_n(y(high[i] or 0.0))}" for i in run]
            lower = [f"{_n(x(xs[i]))} {_n(y(low[i] or 0.0))}" for i in reversed(run)]
            parts.append(f"M{'L'.join([*upper, *lower])}Z")
        elif run:
            parts.append(_whisker(x(xs[run[0]]), y(low[run[0]] or 0.0), y(high[run[0]] or 0.0)))
        run = []
    return "".join(parts)


def _whiskers(
    xs: Sequence[float], low: Values, high: Values, x: Callable[[float], float], y: Callable[[float], float]
) -> str:
    return "".join(
        _whisker(x(at), y(bottom), y(top))
        for at, bottom, top in zip(xs, low, high, strict=True)
        if bottom is not None and top is not None
    )


def _whisker(at: float, low: float, high: float) -> str:
    """As an area of a pixel's width, so that it is filled like the others."""
    return f"M{_n(at - 0.75)} {_n(low)}V{_n(high)}h1.5V{_n(low)}Z"


def marker(look: int, x: float, y: float) -> str:
    """A shape around a point, one a look: series are told apart without colour."""
    match look % LOOKS:
        case 0:
            return f"M{_n(x - 3.5)} {_n(y)}a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0 -7 0Z"
        case 1:
            return f"M{_n(x)} {_n(y - 4.5)}l4.5 8h-9Z"
        case 2:
            return f"M{_n(x - 3.2)} {_n(y - 3.2)}h6.4v6.4h-6.4Z"
        case 3:
            return f"M{_n(x)} {_n(y - 4.6)}l4.6 4.6l-4.6 4.6l-4.6 -4.6Z"
        case 4:
            return f"M{_n(x)} {_n(y + 4.5)}l4.5 -8h-9Z"
        case 5:
            return f"M{_n(x - 1.3)} {_n(y - 4)}h2.6v2.7h2.7v2.6h-2.7v2.7h-2.6v-2.7h-2.7v-2.6h2.7Z"
        case 6:
            return f"M{_n(x - 4.4)} {_n(y)}l2.2 -3.8h4.4l2.2 3.8l-2.2 3.8h-4.4Z"
        case _:
            return f"M{_n(x - 4)} {_n(y - 1.3)}h8v2.6h-8Z"


def _spacing(xs: Sequence[float]) -> float:
    gaps = [b - a for a, b in pairwise(xs)]
    return min(gaps, default=1.0) or 1.0


def _span(chart: Chart, spacing: float) -> tuple[float, float]:
    if chart.diagonal:
        return chart.floor, chart.top or 1.0
    if not chart.xs:
        return 0.0, 1.0
    first, last = min(chart.xs) - spacing / 2, max(chart.xs) + spacing / 2
    if first == last:
        return (first / 2, last * 2) if chart.logarithmic else (first - 0.5, last + 0.5)
    return first, last


def _highest(chart: Chart) -> float:
    piles = [0.0] * len(chart.xs)
    highest = 0.0
    for each in chart.series:
        if each.kind == "bar":
            piles = [pile + (value or 0.0) for pile, value in zip(piles, each.values, strict=True)]
        else:
            ends = each.high if each.high is not None else each.values
            highest = max([highest, *(value for value in ends if value is not None)])
    return rounded_up(max([highest, *piles]))


def rounded_up(value: float) -> float:
    """The next of 1, 2, 2.5, 5 and 10 times a power of ten."""
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(
        factor * power for factor in (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10) if factor * power >= value * 0.9999
    )


def _y_ticks(floor: float, ceiling: float, percent: bool) -> list[tuple[float, str]]:
    span = ceiling - floor
    power = 10.0 ** math.floor(math.log10(span))
    step = next(factor * power for factor in (0.1, 0.2, 0.25, 0.5, 1, 2) if span / (factor * power) <= 5.001)
    ticks = []
    for index in range(int(span / step + 1e-6) + 1):
        value = floor + index * step
        text = f"{100 * value:.0f} %" if percent else _short(value, step)
        ticks.append((value, text))
    return ticks


def _short(value: float, step: float) -> str:
    """12k for 12,000: the axis has little room."""
    if abs(value) >= 10_000:
        return f"{value / 1000:g}k"
    digits = max(0, -math.floor(math.log10(step) + 1e-9)) if step < 1 else 0
    digits += 1 if round(step * 10**digits, 6) % 1 else 0
    return f"{value:.{digits}f}"


def _thinned(
    ticks: Sequence[tuple[float, str]], most: int, x: Callable[[float], float], first: float, last: float
) -> list[Tick]:
    within = [(at, text) for at, text in ticks if first <= at <= last]
    every = max(1, math.ceil(len(within) / most))
    found = [(x(at), text) for at, text in within[::every]]
    # A word at the very edge begins or ends there.
    return [
        Tick(_n(at), text) if at + 3.4 * len(text) < x(last) + 12 else Tick(_n(x(last) + 12), text, "end")
        for at, text in found
    ]


def _n(value: float) -> str:
    """To a tenth of a unit: finer is not seen, and makes the page longer."""
    return f"{value:.1f}".removesuffix(".0")
