"""Figures as they are laid out and drawn: stacked bars, gaps, round axes, zones, words at the edge, and their names."""

from __future__ import annotations

import re

import pytest
from django.template.loader import render_to_string
from django.utils import translation

from labeling.charts.axis import Axis, share_axis
from labeling.charts.figure import Figure
from labeling.charts.marks import LOOKS, Guide, Mark, Series, Spot, Zone, marker
from labeling.charts.scale import levels, round_numbers


def figure(*marks: Mark, high: float | None = None) -> Figure:
    return Figure(Axis("x", ticks=[(0.0, "a"), (2.0, "c")]), Axis("y", high=high), marks, xs=[0.0, 1.0, 2.0])


def test_bars_are_stacked_and_the_axis_holds_the_pile() -> None:
    view = figure(Series("a", "A", [4, 0, 2], kind="bar"), Series("b", "B", [4, 1, None], kind="bar")).views[
        1
    ]
    assert [tick.label for tick in view.y_ticks] == ["0", "2", "4", "6", "8"]
    lower, upper = view.series
    assert lower.path.count("Z") == 2
    assert upper.path.count("Z") == 2
    assert upper.heights.split()[0] == view.top
    assert upper.heights.split()[2] == "-"


def test_a_line_stops_where_nothing_is_known_and_what_is_too_high_stays_at_the_edge() -> None:
    view = figure(Series("a", "A", [1, None, 9]), high=2.0).views[0]
    (line,) = view.series
    assert line.path.count("M") == 2
    assert "L" not in line.path
    assert line.heights.split()[1:] == ["-", view.top]


def test_plots_are_written_with_points_in_every_language() -> None:
    with translation.override("ko"):
        for view in figure(Series("a", "A", [0.3, 0.5, 1.25])).views:
            assert "," not in view.places + view.series[0].path + view.series[0].dots


def test_every_look_has_a_marker_of_its_own() -> None:
    assert len({marker(look, 14.0, 6.0) for look in range(LOOKS)}) == LOOKS


@pytest.mark.parametrize(
    ("value", "top"), [(0, 1), (0.46, 0.5), (1.01, 1.5), (83, 100), (120, 150), (2000, 2000)]
)
def test_an_axis_ends_at_a_round_number(value: float, top: float) -> None:
    assert levels(0.0, value)[-1] == pytest.approx(top)


@pytest.mark.parametrize(
    ("low", "high"), [(0.66, 1.0), (0.913, 0.931), (0.4, 0.95), (0.98, 0.98), (1.0, 1.0)]
)
def test_an_axis_of_shares_holds_them_and_says_each_step_once(low: float, high: float) -> None:
    axis = share_axis("accuracy", low, high)
    assert axis.low is not None and axis.high is not None and axis.ticks is not None
    assert 0 <= axis.low <= low and high <= axis.high <= 1
    assert 2 <= len(axis.ticks) <= 6 and len({text for _at, text in axis.ticks}) == len(axis.ticks)


def test_a_logarithmic_axis_shows_round_numbers_and_lies_evenly() -> None:
    assert round_numbers(15, 1000) == [20, 50, 100, 200, 500, 1000]
    series = Series("a", "A", [1, 2, 3], xs=[10, 100, 1000])
    view = Figure(Axis("n", scale="log"), Axis("y"), [series]).views[1]
    first, middle, last = (float(x) for x in re.findall(r"[ML]([\d.]+)", view.series[0].path))
    assert middle - first == pytest.approx(last - middle, abs=0.2)
    assert [tick.label for tick in view.x_ticks][:: len(view.x_ticks) - 1] == ["10", "1,000"]


def test_a_zone_reaches_from_its_threshold_to_the_end_where_alerts_are() -> None:
    line = Series("a", "A", [1, 2, 4])
    (view, *_others) = figure(line, Zone(3.0, upward=True)).views
    zone, limit = view.shapes
    assert (zone.look, limit.look) == ("zone", "limit")
    assert f"V{view.top}H{view.left}Z" in zone.path
    (view, *_others) = figure(line, Zone(3.0, upward=False)).views
    assert f"V{view.bottom}H{view.left}Z" in view.shapes[0].path


def test_a_line_for_the_eye_is_drawn_only_within_the_axes() -> None:
    line = Series("a", "A", [1, 2, 4])
    shapes = (
        figure(line, Guide(9.0, text="v2"), Guide(1.0, text="v1"), Guide(y=2.0, span=(0.0, 9.0)))
        .views[0]
        .shapes
    )
    assert [(shape.look, shape.text) for shape in shapes] == [("guide", "v1"), ("guide", "")]


def test_words_that_would_meet_or_leave_the_plot_do_not() -> None:
    named = Axis("y", 0.0, 100.0, ticks=[(50.0, "limit"), (52.0, "reading"), (100.0, "end")])
    long = Axis("x", ticks=[(0.0, "23 September"), (2.0, "25 September")])
    view = Figure(long, named, [Series("a", "A", [1, 2, 4])], xs=[0.0, 1.0, 2.0]).views[0]
    assert [tick.label for tick in view.y_ticks] == ["limit", "end"]
    assert [tick.anchor for tick in view.x_ticks] == ["start", "end"]


def test_a_figure_tells_its_finding_and_what_each_point_is() -> None:
    spots = [Spot("first"), Spot("second", link="/p/cells/models/2", look="best"), Spot("third")]
    linked = figure(Series("a", "", [1, 2, 4], spots=spots))
    page = render_to_string("charts/_figure.html", {"figure": linked, "title": "It rose"})
    assert page.count('aria-label="It rose"') == len(linked.views)
    # What may be followed must not lie in an image, whose parts nobody reaches.
    assert 'role="group"' in page and 'role="img"' not in page
    assert '<a href="/p/cells/models/2" aria-label="second">' in page and "<title>third</title>" in page
    assert "style=" not in page and "<script" not in page
    plain = figure(Series("a", "A", [1, 2, 4]), Series("b", "B", [2, 2, 2], look=1))
    page = render_to_string("charts/_figure.html", {"figure": plain, "title": "It rose"})
    assert 'role="img"' in page and page.count('class="row key look-') == 2
    page = render_to_string("charts/_figure.html", {"figure": plain, "title": "It rose", "read": True})
    assert page.count("data-toggle=") == 2 and page.count("data-heights=") == 2 * len(plain.views)
