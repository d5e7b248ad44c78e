"""A reviewer asks why the machine decided so: the answer arrives by itself, and a key shows and hides the heat map."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.factories import TINY, make_member
from tests.frontier.test_explanations import make_decided
from tests.stack import Stack


def _shoot(page: Page, name: str) -> None:
    for look, width, scheme in (("light", 1280, "light"), ("dark", 1280, "dark"), ("narrow", 360, "light")):
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, f"{name}: {wide} px wide in {width} px"
        if folder := os.environ.get("HILLTOP_FRONTIER_SHOTS"):
            page.screenshot(path=Path(folder) / f"decision-{name}-{look}.png", full_page=True)


def test_an_explanation_is_asked_for_waits_and_arrives(
    live_stack: Stack, page_for: Callable[..., Page]
) -> None:
    scene = make_decided(backbone=TINY)
    page = page_for(make_member(scene.project, "reviewer"))
    page.goto(scene.address("frontier-decision"))
    page.get_by_role("button", name="Explain").click()
    expect(page.get_by_text("Waiting for a worker.")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("data-live", "on")
    _shoot(page, "waiting")
    page.evaluate("window.notReloaded = true")
    live_stack.start_worker()
    heat = page.locator("[data-heat]")
    expect(heat).to_be_visible()
    expect(heat).not_to_have_js_property("naturalWidth", 0)  # it has come, and does not move any more
    expect(page.get_by_role("heading", name="Nearest settled photos, by embedding")).to_be_visible()
    assert page.evaluate("window.notReloaded") is True
    _shoot(page, "explained")

    # The heat map lies exactly over the photo, and is a real picture.
    boxes = [
        page.locator(each).bounding_box() for each in (".heat-box > img:first-child", ".heat-box > .heat")
    ]
    assert boxes[0] == boxes[1]
    assert page.evaluate("document.querySelector('[data-heat]').naturalWidth") > 20

    toggle = page.get_by_role("button", name="Heat map")
    page.keyboard.press("h")
    expect(heat).to_be_hidden()
    expect(toggle).to_have_attribute("aria-pressed", "false")
    toggle.click()
    expect(heat).to_be_visible()
    page.get_by_label("Reason", exact=True).fill("has a crack")  # typing an h changes nothing
    expect(heat).to_be_visible()
