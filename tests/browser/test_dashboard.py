"""The dashboard in Chromium: plots that fit, tell what the cursor is on, hide a series, and leave as PNG files.

With ``HILLTOP_DASHBOARD_SHOTS`` set to a folder, each state is photographed: light, dark and 360 px wide.
"""

from __future__ import annotations

import io
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser import axe
from tests.factories import make_project
from tests.frontier.living import Living, make_living


@pytest.fixture
def living(live_stack: object) -> Living:
    made = make_living(days=80, photos=5, slug="cells")
    made.score_the_rest()
    return made


def opened(page: Page, address: str = "/p/cells/dashboard") -> Page:
    """The dashboard with all its topics unfolded."""
    page.goto(address)
    expect(page.locator("html")).to_have_attribute("data-plots", "on")
    page.evaluate("document.querySelectorAll('.topic').forEach((each) => { each.open = true; })")
    return page


def shoot(page: Page, name: str) -> None:
    folder = os.environ.get("HILLTOP_DASHBOARD_SHOTS")
    for look, width, scheme in (("light", 1280, "light"), ("dark", 1280, "dark"), ("narrow", 360, "light")):
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, f"{name}: {wide} px wide in {width} px"
        if folder:
            page.screenshot(path=Path(folder) / f"dashboard-{name}-{look}.png", full_page=True)
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 1280, "height": 900})


def test_every_panel_fits_light_dark_and_on_a_phone(living: Living, page_for: Callable[..., Page]) -> None:
    page = opened(page_for(living.admin))
    expect(page.locator("[data-frontier]")).to_be_visible()
    shoot(page, "whole")


def test_every_control_has_a_name_and_the_page_an_order(
    living: Living, page_for: Callable[..., Page]
) -> None:
    page = opened(page_for(living.admin))
    expect(page.locator("[data-frontier]")).to_be_visible()
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    assert axe.faults(page) == []


def test_folded_it_is_three_screens_of_a_phone_and_every_topic_opens_by_keyboard(
    living: Living, page_for: Callable[..., Page]
) -> None:
    page = page_for(living.admin, viewport={"width": 390, "height": 844})
    page.goto("/p/cells/dashboard")
    expect(page.locator("html")).to_have_attribute("data-plots", "on")
    shoot(page, "folded")
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollHeight") <= 3 * 844
    assert page.locator("figure[data-plot] svg:visible").count() > 0
    for topic in page.locator(".topic").all():
        expect(topic).not_to_have_attribute("open", "")
        topic.locator(":scope > summary").press("Enter")
        expect(topic).to_have_attribute("open", "")
    expect(page.locator("[data-frontier]")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollHeight") > 3 * 844


def test_a_new_project_is_taught_what_will_be_here(live_stack: object, page_for: Callable[..., Page]) -> None:
    project = make_project(slug="cells")
    page = opened(page_for(project.created_by))
    expect(page.get_by_role("heading", name="Nothing has happened yet")).to_be_visible()
    shoot(page, "empty")


def test_arrow_keys_move_the_cursor_and_the_plot_tells_what_is_there(
    living: Living, page_for: Callable[..., Page]
) -> None:
    page = opened(page_for(living.admin), "/p/cells/dashboard?by=week")
    figure = page.locator("#decided")
    plot = figure.get_by_role("slider")
    told = figure.locator("[data-readout]")
    figure.get_by_text("As a table").click()
    rows = [row.inner_text() for row in figure.locator("[data-rows] tbody th").all()]
    assert len(rows) > 8
    plot.focus()
    page.keyboard.press("Home")
    expect(told).to_contain_text(rows[0])
    expect(plot).to_have_attribute("aria-valuenow", "1")
    for _press in range(2):
        page.keyboard.press("ArrowRight")
    expect(told).to_contain_text(rows[2])
    people = figure.locator("[data-rows] tbody tr").nth(2).locator("td").first.inner_text()
    expect(plot).to_have_attribute("aria-valuetext", re.compile(f"Images settled by people: {people}"))
    expect(figure.locator("svg.wide g:has(> .cursor)")).to_have_attribute("visibility", "visible")
    page.keyboard.press("End")
    expect(told).to_contain_text(rows[-1])


def test_pointing_tells_the_same_as_the_keys(living: Living, page_for: Callable[..., Page]) -> None:
    page = opened(page_for(living.admin), "/p/cells/dashboard?by=week")
    figure = page.locator("#per-decision")
    figure.scroll_into_view_if_needed()
    box = figure.locator("svg.wide").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 4, box["y"] + box["height"] / 2)
    expect(figure.get_by_role("slider")).to_have_attribute("aria-valuenow", "1")
    page.mouse.move(box["x"] + box["width"] - 4, box["y"] + box["height"] / 2)
    rows = figure.locator("[data-rows] tbody tr").count()
    expect(figure.get_by_role("slider")).to_have_attribute("aria-valuenow", str(rows))


def test_a_series_is_switched_off_and_on(living: Living, page_for: Callable[..., Page]) -> None:
    page = opened(page_for(living.admin))
    figure = page.locator("#decided")
    line, key = (
        figure.locator("svg.wide [data-series=machine]"),
        figure.get_by_role("button", name="Images decided by the machine"),
    )
    expect(line).to_be_visible()
    key.click()
    expect(line).to_be_hidden()
    expect(key).to_have_attribute("aria-pressed", "false")
    key.press("Enter")
    expect(line).to_be_visible()


def test_dragging_the_time_shows_the_bands_as_they_stood(
    living: Living, page_for: Callable[..., Page]
) -> None:
    page = opened(page_for(living.admin))
    figure = page.locator("#frontier")
    bands = figure.locator("[data-line] li")
    assert [each.inner_text() for each in bands.all()] == [
        "certified", "settled", "settled", "open", "open", "settled", "settled", "suspended",
    ]  # fmt: skip
    time = figure.get_by_label("Time", exact=True)
    time.focus()
    time.press("Home")
    expect(figure.locator("[data-readout]")).to_contain_text("version 1 promoted")
    assert [each.inner_text() for each in bands.all()] == ["open", *["closed"] * 6, "open"]
    expect(time).to_have_attribute("aria-valuetext", re.compile("version 1 promoted"))


@pytest.mark.parametrize("look", ["light", "dark"])
def test_a_plot_is_saved_as_a_png_with_its_title_in_the_theme_of_the_page(
    living: Living, page_for: Callable[..., Page], look: Any
) -> None:
    page = opened(page_for(living.admin, color_scheme=look))
    for key in ("frontier", "decided", "learning", "confusion", "reliability"):
        button = page.locator(f"#{key} [data-export]")
        with page.expect_download() as saved:
            button.click()
        assert saved.value.suggested_filename == f"cells-{key}.png"
        if folder := os.environ.get("HILLTOP_DASHBOARD_SHOTS"):
            saved.value.save_as(Path(folder) / f"export-{key}-{look}.png")
        with Image.open(io.BytesIO(Path(saved.value.path()).read_bytes())) as picture:
            assert picture.format == "PNG"
            assert picture.width >= 700 and picture.height >= 200
            pixels = picture.convert("RGB")
            corner = pixels.getpixel((2, 2))
            assert isinstance(corner, tuple)
            assert (min(corner) > 200) == (look == "light")
            assert len(pixels.getcolors(1 << 24) or []) > 20  # there is a plot on it


def test_a_csv_file_is_one_click_away(living: Living, page_for: Callable[..., Page]) -> None:
    page = opened(page_for(living.admin), "/p/cells/dashboard?by=week")
    with page.expect_download() as saved:
        page.locator("#hours").get_by_role("link", name="CSV").click()
    assert saved.value.suggested_filename == "cells-hours.csv"
    assert (
        Path(saved.value.path()).read_text(encoding="utf-8-sig").startswith("since,hours,all_human,per_1000")
    )


def test_on_a_phone_nothing_scrolls_sideways_and_the_plots_stay_legible(
    living: Living, page_for: Callable[..., Page]
) -> None:
    page = opened(page_for(living.admin, viewport={"width": 360, "height": 740}))
    expect(page.locator("[data-frontier]")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    for figure in page.locator("[data-plot]").all():
        shown = [svg for svg in figure.locator("svg[data-view]").all() if svg.is_visible()]
        assert [svg.get_attribute("data-view") for svg in shown] == ["narrow"]
        # 12 units of the plot are at least 10 pixels high
        box = shown[0].bounding_box()
        assert box is not None
        assert 12 * box["width"] / float((shown[0].get_attribute("viewBox") or "").split()[2]) >= 10


# -- the weekly report -------------------------------------------------------------------------------------------


def test_the_week_is_one_sheet_of_paper_and_fits_a_phone(
    living: Living, page_for: Callable[..., Page]
) -> None:
    page = page_for(living.admin)
    page.goto("/p/cells/dashboard")
    page.get_by_role("link", name="Weekly report").click()
    expect(page.get_by_role("heading", name="Weekly report")).to_be_visible()
    for language in ("en", "ko"):
        page.context.add_cookies([{"name": "django_language", "value": language, "url": page.url}])
        page.reload()
        paper = page.pdf(prefer_css_page_size=True)
        if folder := os.environ.get("HILLTOP_DASHBOARD_SHOTS"):
            (Path(folder) / f"week-{language}.pdf").write_bytes(paper)
            page.set_viewport_size({"width": 688, "height": 1000})  # of A4, within its margins
            page.emulate_media(media="print")
            page.screenshot(path=Path(folder) / f"week-{language}-print.png", full_page=True)
            page.emulate_media(media="null")
        assert len(re.findall(rb"/Type\s*/Page\b", paper)) == 1, language
        shoot(page, f"week-{language}")
        assert axe.faults(page) == []


def test_weeks_are_walked_by_links_and_printed_by_a_button(
    living: Living, page_for: Callable[..., Page]
) -> None:
    page = page_for(living.admin)
    page.add_init_script("window.printed = 0; window.print = () => { window.printed += 1; };")
    page.goto("/p/cells/week")
    newest = page.locator(".week-of").inner_text()
    page.locator("a[rel=prev]").click()
    expect(page).to_have_url(re.compile(r"\?of=\d{4}-W\d\d$"))
    expect(page.locator(".week-of")).not_to_have_text(newest)
    page.locator("a[rel=next]").click()
    expect(page.locator(".week-of")).to_have_text(newest)
    page.locator("a[rel=next]").click()
    expect(page.locator(".week-of")).to_contain_text("not over yet")
    expect(page.locator("a[rel=next]")).to_have_count(0)
    page.get_by_role("button", name="Print").press("Enter")
    assert page.evaluate("window.printed") == 1


def test_the_file_of_the_week_opens_alone(living: Living, page_for: Callable[..., Page]) -> None:
    page = page_for(living.admin)
    page.goto("/p/cells/week")
    with page.expect_download() as saved:
        page.get_by_role("link", name="HTML file").click()
    text = Path(saved.value.path()).read_text()
    rows = page.locator(".week-table tr").count()
    alone = page.context.new_page()
    alone.context.set_offline(True)
    alone.set_content(text)
    expect(alone.get_by_role("heading", name="Weekly report")).to_be_visible()
    assert alone.locator(".week-table tr").count() == rows > 15
    assert (
        alone.locator(".week-table").evaluate("(table) => getComputedStyle(table).borderCollapse")
        == "collapse"
    )
