"""A reviewer looks at the map, draws a line around photos and has them as a search; by keys, too, and on a phone."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.axe import faults
from tests.explorer.conftest import Circle, circle  # noqa: F401

DRAWN = "() => document.querySelector('#map canvas').dataset.drawn === '40'"


def test_the_map_is_moved_searched_and_read_by_pointer_and_keys(
    live_stack: object,
    circle: Circle,  # noqa: F811
    page_for: Callable[..., Page],
) -> None:
    circle.fill()
    page = page_for(circle.reviewer)
    page.goto(f"/p/{circle.project.slug}/photos")
    page.get_by_role("link", name="Map", exact=True).click()
    page.wait_for_function(DRAWN)
    assert faults(page) == []
    for look, width, scheme in (("light", 1280, "light"), ("dark", 1280, "dark"), ("narrow", 390, "light")):
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        if folder := os.environ.get("HILLTOP_EXPLORER_SHOTS"):
            page.screenshot(path=Path(folder) / f"map-{look}.png", full_page=True)
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 1280, "height": 900})

    canvas = page.locator("#map canvas")
    box = canvas.bounding_box()
    assert box is not None
    left, top, right, foot = (
        box["x"] + 4,
        box["y"] + 4,
        box["x"] + box["width"] - 4,
        box["y"] + box["height"] - 8,
    )
    page.get_by_role("button", name="Lasso").click()
    page.mouse.move(right, top)  # beside the buttons
    page.mouse.down()
    for x, y in ((right, foot), (left, foot), (left, top), (right, top)):
        page.mouse.move(x, y, steps=5)
    page.mouse.up()
    inside = page.locator("[data-inside]")
    expect(inside).to_have_text("40")
    if folder := os.environ.get("HILLTOP_EXPLORER_SHOTS"):
        page.screenshot(path=Path(folder) / "map-lasso.png", full_page=True)

    # By keys: closer, and what is seen then.
    canvas.focus()
    for key in ("+", "ArrowLeft", "v"):
        page.keyboard.press(key)
    expect(inside).not_to_have_text("40")
    count = int(inside.inner_text())
    page.get_by_role("link", name="Show them").click()
    expect(page.locator(".found > li")).to_have_count(count)
    expect(page.get_by_role("link", name="in an area of the map")).to_be_visible()
    assert faults(page) == []
