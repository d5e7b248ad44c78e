"""A figure: a finding as its title, two axes, marks. The server lays it out, once for each width that it may get.

``charts/_figure.html`` draws any of them; ``static/css/charts.css`` has the colours, so that they follow the theme.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from labeling.charts import marks
from labeling.charts.axis import Axis, Ticks
from labeling.charts.marks import Drawn, Guide, Mark, Plane, Series, Shape, Zone, n
from labeling.charts.scale import Scale, levels


@dataclass(frozen=True)
class Size:
    """In units of an SVG, about pixels where it fills its place. ``ticks``: the most along x; ``foot`` holds them."""

    name: str
    width: int
    height: int
    ticks: int
    left: int = 46
    foot: int = 44
    margin: int = 14


#: Beside another one on a large screen, and on a phone.
PANEL = (Size("narrow", 328, 250, 4), Size("wide", 600, 280, 6))
#: Alone across the page.
BROAD = (*PANEL, Size("broad", 1160, 260, 10))
#: Alone in a column of text.
COLUMN = (PANEL[0], Size("wide", 760, 340, 8))
SQUARE = (Size("narrow", 320, 300, 4), Size("wide", 400, 340, 6))


@dataclass(frozen=True)
class Figure:
    """``title`` says the finding; a panel of the dashboard has it from the panel.

    ``xs`` rise: where series have their values that name no others, and where a cursor stops. ``begins``: from when on
    there will be a second point, where that is known.
    """

    x: Axis
    y: Axis
    marks: Sequence[Mark]
    xs: Sequence[float] = ()
    title: str = ""
    sizes: Sequence[Size] = PANEL
    begins: str = ""

    @property
    def alone(self) -> bool:
        """Whether all that is known stands at one place: a dot is no plot, so words stand in for it."""
        places = {
            at
            for each in self.series
            for at, value in zip(_xs(self, each), each.values, strict=False)
            if value is not None
        }
        return len(places) < 2

    @property
    def series(self) -> list[Series]:
        return [each for each in self.marks if isinstance(each, Series)]

    @property
    def keys(self) -> list[Series]:
        """What the legend tells apart: nothing where there is but one."""
        named = [each for each in self.series if each.label]
        return named if len(named) > 1 else []

    @property
    def has_links(self) -> bool:
        return any(spot.link for each in self.series for spot in each.spots)

    @property
    def square(self) -> bool:
        return self.sizes is SQUARE

    @property
    def views(self) -> list[View]:
        return [_view(self, size) for size in self.sizes]


@dataclass(frozen=True)
class Tick:
    at: str
    label: str
    anchor: str = "middle"


@dataclass(frozen=True)
class View:
    """A figure laid out in one size: strings, ready for the template."""

    size: Size
    left: str
    right: str
    top: str
    bottom: str
    middle: str
    x_label_y: str
    x_ticks: list[Tick]
    y_ticks: list[Tick]
    shapes: list[Shape]
    series: list[Drawn]
    places: str


def _view(figure: Figure, size: Size) -> View:
    series = marks.stacked(figure.series, figure.xs)
    x, y = _scales(figure, series, size)
    plane = Plane(x, y)
    shapes = [shape for each in figure.marks if isinstance(each, Zone) for shape in marks.zone(each, plane)]
    shapes += [
        shape for each in figure.marks if isinstance(each, Guide) for shape in marks.guide(each, plane)
    ]
    return View(
        size=size,
        left=n(x.start),
        right=n(x.end),
        top=n(y.end),
        bottom=n(y.start),
        middle=n((x.start + x.end) / 2),
        x_label_y=n(size.height - 6),
        x_ticks=_along(figure.x.ticks_of(x), size.ticks, x),
        y_ticks=_upward(figure.y.ticks_of(y), y),
        shapes=shapes,
        series=[marks.drawn(each, _xs(figure, each), plane) for each in series],
        places=" ".join(n(x(at)) for at in figure.xs),
    )


def _xs(figure: Figure, series: Series) -> Sequence[float]:
    return figure.xs if series.xs is None else series.xs


def _scales(figure: Figure, series: Sequence[Series], size: Size) -> tuple[Scale, Scale]:
    across = [at for each in series for at in _xs(figure, each)] or [0.0, 1.0]
    # Half a bar stays free at both ends.
    half = marks.spacing(figure.xs) / 2 if any(each.kind == "bar" for each in series) else 0.0
    up = [value for each in series for value in (each.values if each.high is None else each.high) if value]
    return (
        figure.x.laid(min(across) - half, max(across) + half, size.left, size.width - size.margin),
        figure.y.laid(0.0, levels(0.0, max(up, default=0.0))[-1], size.height - size.foot, 14.0),
    )


def _along(ticks: Ticks, most: int, x: Scale) -> list[Tick]:
    """So many that they fit; a word at the very edge begins or ends there."""
    within = [(x(at), text) for at, text in ticks if x.holds(at)]
    every = max(1, -(-len(within) // most))
    return [_tick(at, text, x) for at, text in within[::every]]


def _tick(at: float, text: str, x: Scale) -> Tick:
    half = 3.4 * len(text)
    if at + half >= x.end + 12:
        return Tick(n(x.end + 12), text, "end")
    if at - half < x.start - 12:
        return Tick(n(x.start - 4), text, "start")
    return Tick(n(at), text)


def _upward(ticks: Ticks, y: Scale) -> list[Tick]:
    """Of words that would run into each other the first stays."""
    found: list[tuple[float, str]] = []
    for value, text in ticks:
        if y.holds(value) and all(abs(y(value) - at) >= 14 for at, _text in found):
            found.append((y(value), text))
    return [Tick(n(at), text) for at, text in found]
