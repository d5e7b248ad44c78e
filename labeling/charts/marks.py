"""What a figure draws: series, lines for the eye, zones. Values in; paths of an SVG out, which wants a decimal point in
every language.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise
from typing import Literal

from labeling.charts.scale import Scale

#: Colours, dashes and markers that there are; a figure with more series repeats them.
LOOKS = 8
#: A line with more points than this is drawn without their markers.
MARKED = 40

Kind = Literal["line", "step", "bar", "dots"]
Values = Sequence[float | None]


@dataclass(frozen=True)
class Spot:
    """What one point is besides its place: words on hover, where it leads, and whether it stands out."""

    says: str
    link: str = ""
    look: Literal["", "best", "alert"] = ""


@dataclass(frozen=True)
class Series:
    """``values`` at ``xs`` (the figure's own unless given); ``low`` and ``high`` are the ends of an interval around each.

    ``look`` is its colour, dash and marker in ``charts.css``. One with a ``label`` is in the legend. Bars are stacked in
    the order of the series. ``bare``: a line without markers. ``spots``: one a value.
    """

    key: str
    label: str
    values: Values
    kind: Kind = "line"
    look: int = 0
    low: Values | None = None
    high: Values | None = None
    xs: Sequence[float] | None = None
    bare: bool = False
    spots: Sequence[Spot] = ()

    @property
    def mark(self) -> str:
        """Its marker in the middle of a key of 28 by 12."""
        return marker(self.look, 14.0, 6.0)


@dataclass(frozen=True)
class Guide:
    """A thin line for the eye, upright at ``x`` or level at ``y``, without either the diagonal; a word beside it.

    ``span``: the part of a level line from one x to another that is drawn broad.
    """

    x: float | None = None
    y: float | None = None
    text: str = ""
    span: tuple[float, float] | None = None
    look: Literal["", "wish"] = ""


@dataclass(frozen=True)
class Zone:
    """From a threshold to the upper or lower end of the plot."""

    edge: float
    upward: bool


Mark = Series | Guide | Zone


@dataclass(frozen=True)
class Shape:
    """A path with a class of its own, and perhaps a word that begins or ends at its first point."""

    look: str
    path: str
    text: str = ""
    x: str = ""
    y: str = ""
    anchor: str = "start"


@dataclass(frozen=True)
class DrawnSpot:
    spot: Spot
    path: str
    interval: str


@dataclass(frozen=True)
class Drawn:
    """One series in a view: paths, and the height of each point for the cursor ("-" where there is none)."""

    key: str
    label: str
    look: int
    kind: Kind
    path: str
    band: str
    dots: str
    heights: str
    spots: list[DrawnSpot]


@dataclass(frozen=True)
class Plane:
    """A plot's two scales."""

    x: Scale
    y: Scale

    def upright(self, at: float) -> str:
        return f"M{n(self.x(at))} {n(self.y.end)}V{n(self.y.start)}"

    def level(self, at: float, start: float | None = None, end: float | None = None) -> str:
        first, last = (
            self.x.start if start is None else self.x(start),
            self.x.end if end is None else self.x(end),
        )
        return f"M{n(first)} {n(self.y(at))}H{n(last)}"


def stacked(series: Sequence[Series], xs: Sequence[float]) -> list[Series]:
    """Bars stand on those before them: their ``low`` becomes where they begin, their value where they end."""
    piles, found = [0.0] * len(xs), []
    for each in series:
        if each.kind == "bar":
            tops = [pile + (value or 0.0) for pile, value in zip(piles, each.values, strict=True)]
            ends = [None if value is None else top for top, value in zip(tops, each.values, strict=True)]
            each, piles = replace(each, values=ends, low=piles), tops
        found.append(each)
    return found


def spacing(xs: Sequence[float]) -> float:
    """The least distance between two neighbours: so broad may a bar be."""
    return min((b - a for a, b in pairwise(xs)), default=1.0) or 1.0


def drawn(series: Series, xs: Sequence[float], plane: Plane) -> Drawn:
    points = [
        None if value is None else (plane.x(at), plane.y(value))
        for at, value in zip(xs, series.values, strict=True)
    ]
    known = [point for point in points if point is not None]
    path = band = dots = ""
    spots: list[DrawnSpot] = []
    if series.kind == "bar":
        path = _bars(series, xs, points, plane)
    else:
        if series.kind != "dots":
            path = _path(points, stepped=series.kind == "step")
        if series.spots:
            spots = list(_spots(series, points, plane))
        elif not series.bare and (series.kind == "dots" or len(known) <= MARKED):
            dots = "".join(marker(series.look, *point) for point in known)
        if not spots:
            band = "".join(_intervals(series, xs, plane))
    heights = " ".join("-" if point is None else n(point[1]) for point in points)
    return Drawn(series.key, series.label, series.look, series.kind, path, band, dots, heights, spots)


def guide(each: Guide, plane: Plane) -> list[Shape]:
    if each.x is not None:
        if not plane.x.holds(each.x):
            return []
        at, at_end = plane.x(each.x), plane.x(each.x) > plane.x.end - 60
        beside = n(at - 4 if at_end else at + 4)
        return [
            Shape(
                "guide",
                plane.upright(each.x),
                each.text,
                beside,
                n(plane.y.end + 9),
                "end" if at_end else "start",
            )
        ]
    if each.y is None:
        path = f"M{n(plane.x.start)} {n(plane.y.start)}L{n(plane.x.end)} {n(plane.y.end)}"
        return [Shape("guide", path)]
    shapes = [Shape(f"guide {each.look}".strip(), plane.level(each.y))]
    if each.span is not None and all(map(plane.x.holds, each.span)):
        shapes.append(Shape(f"span {each.look}".strip(), plane.level(each.y, *each.span)))
    return shapes


def zone(each: Zone, plane: Plane) -> list[Shape]:
    end = plane.y.end if each.upward else plane.y.start
    return [
        Shape("zone", f"{plane.level(each.edge)}V{n(end)}H{n(plane.x.start)}Z"),
        Shape("limit", plane.level(each.edge)),
    ]


def _bars(
    series: Series, xs: Sequence[float], points: Sequence[tuple[float, float] | None], plane: Plane
) -> str:
    first = plane.x.low
    width = max((plane.x(first + spacing(xs)) - plane.x(first)) * 0.72, 1.0)
    return "".join(
        f"M{n(point[0] - width / 2)} {n(plane.y(low or 0.0))}V{n(point[1])}h{n(width)}V{n(plane.y(low or 0.0))}Z"
        for point, low, value in zip(points, series.low or [], series.values, strict=True)
        if point is not None and value != low
    )


def _spots(series: Series, points: Sequence[tuple[float, float] | None], plane: Plane) -> Iterator[DrawnSpot]:
    blank = [None] * len(points)
    for point, spot, low, high in zip(
        points, series.spots, series.low or blank, series.high or blank, strict=True
    ):
        if point is not None:
            # An alert is a square, whatever the series: told without its colour.
            path = marker(2 if spot.look == "alert" else series.look, *point)
            known = low is not None and high is not None
            yield DrawnSpot(
                spot, path, _whisker(point[0], plane.y(low or 0.0), plane.y(high or 0.0)) if known else ""
            )


def _path(points: Sequence[tuple[float, float] | None], *, stepped: bool) -> str:
    parts: list[str] = []
    pen = False
    for point in points:
        if point is not None:
            at, height = n(point[0]), n(point[1])
            parts.append(
                f"M{at} {height}" if not pen else f"H{at}V{height}" if stepped else f"L{at} {height}"
            )
        pen = point is not None
    return "".join(parts)


def _intervals(series: Series, xs: Sequence[float], plane: Plane) -> Iterator[str]:
    """An area for each run of known intervals along a line; for dots, and a run of one, a whisker each."""
    ends = [
        None if low is None or high is None else (plane.x(at), plane.y(low), plane.y(high))
        for at, low, high in zip(xs, series.low or [], series.high or [], strict=False)
    ]
    for known, run in groupby(ends, key=lambda each: each is not None):
        pieces = [each for each in run if each is not None]
        if known and len(pieces) > 1 and series.kind != "dots":
            edge = [f"{n(at)} {n(high)}" for at, _low, high in pieces]
            edge += [f"{n(at)} {n(low)}" for at, low, _high in reversed(pieces)]
            yield f"M{'L'.join(edge)}Z"
        else:
            yield from (_whisker(*each) for each in pieces)


def _whisker(at: float, low: float, high: float) -> str:
    """As an area of a pixel's width, so that it is filled like the others."""
    return f"M{n(at - 0.75)} {n(low)}V{n(high)}h1.5V{n(low)}Z"


def marker(look: int, x: float, y: float) -> str:
    """A shape around a point, one a look: series are told apart without colour."""
    match look % LOOKS:
        case 0:
            return f"M{n(x - 3.5)} {n(y)}a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0 -7 0Z"
        case 1:
            return f"M{n(x)} {n(y - 4.5)}l4.5 8h-9Z"
        case 2:
            return f"M{n(x - 3.2)} {n(y - 3.2)}h6.4v6.4h-6.4Z"
        case 3:
            return f"M{n(x)} {n(y - 4.6)}l4.6 4.6l-4.6 4.6l-4.6 -4.6Z"
        case 4:
            return f"M{n(x)} {n(y + 4.5)}l4.5 -8h-9Z"
        case 5:
            return f"M{n(x - 1.3)} {n(y - 4)}h2.6v2.7h2.7v2.6h-2.7v2.7h-2.6v-2.7h-2.7v-2.6h2.7Z"
        case 6:
            return f"M{n(x - 4.4)} {n(y)}l2.2 -3.8h4.4l2.2 3.8l-2.2 3.8h-4.4Z"
        case _:
            return f"M{n(x - 4)} {n(y - 1.3)}h8v2.6h-8Z"


def n(value: float) -> str:
    """To a tenth of a unit: finer is not seen, and makes the page longer."""
    return f"{value:.1f}".removesuffix(".0")
