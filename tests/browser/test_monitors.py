"""An admin reads that photos became darker, sees which, says what is done, and sees it close by itself.

With ``HILLTOP_FRONTIER_SHOTS`` set to a folder, each state is photographed: light, dark and 360 px wide.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from labeling.monitors.services import request_monitoring
from tests.browser import axe
from tests.factories import make_member, make_project
from tests.frontier.stream import WINDOW, make_stream


def _shoot(page: Page, name: str) -> None:
    folder = os.environ.get("HILLTOP_FRONTIER_SHOTS")
    before = page.viewport_size
    assert before is not None
    for look, width, scheme in (("light", 1280, "light"), ("dark", 1280, "dark"), ("narrow", 360, "light")):
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, f"{name}: {wide} px wide in {width} px"
        if folder:
            page.screenshot(path=Path(folder) / f"monitors-{name}-{look}.png", full_page=True)
    page.set_viewport_size(before)
    page.emulate_media(color_scheme="light")


def test_a_drift_is_read_acknowledged_and_closed_before_ones_eyes(page_for: Callable[..., Page]) -> None:
    stream = make_stream(slug="cells")
    page = page_for(stream.admin)
    page.goto("/p/cells/frontier")
    page.get_by_role("link", name="Monitors").click()
    expect(page.get_by_role("heading", name="No alert is open")).to_be_visible()
    expect(page.get_by_text("0 of 40 photos have come since the model was made").first).to_be_visible()
    _shoot(page, "not-enough")

    stream.come(range(1000, 1040))
    expect(page.locator("html")).to_have_attribute("data-live", "on")
    page.get_by_role("button", name="Check now").click()
    expect(page.get_by_text("The monitors are looking.")).to_be_visible()
    stream.work()
    expect(page.get_by_role("heading", name="The newest photos look like those")).to_be_visible()

    dark = {item.image.sha256 for item in stream.come(range(2000, 2000 + WINDOW), light=0.6)}
    page.get_by_role("button", name="Check now").click()
    _shoot(page, "looking")
    stream.work()
    heading = page.get_by_role("heading", name="The newest photos look different")
    expect(heading).to_be_visible()
    card = page.locator("section", has=heading).last
    shown = card.locator("ul.monitor-photos img")
    expect(shown.first).to_be_visible()
    for place in range(shown.count()):
        assert any(sha256 in (shown.nth(place).get_attribute("src") or "") for sha256 in dark)
    expect(card.get_by_text("This decides nothing by itself")).to_be_visible()
    _shoot(page, "alert")
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    assert axe.faults(page) == []
    _shoot(page, "opened")

    card.get_by_label("Action taken").fill("The lamp of line 4 is being replaced")
    card.get_by_role("button", name="Acknowledge").click()
    expect(page.get_by_text("“The lamp of line 4 is being replaced”")).to_be_visible()
    page.goto("/p/cells/frontier")
    expect(page.get_by_role("link", name="Monitors").locator(".badge")).to_be_visible()
    page.goto("/p/cells/monitors")

    stream.come(range(3000, 3000 + 3 * WINDOW))
    request_monitoring(project=stream.project, by=stream.admin)
    stream.work()
    expect(page.get_by_role("heading", name="No alert is open")).to_be_visible()
    expect(page.get_by_role("heading", name="Earlier alerts")).to_be_visible()
    _shoot(page, "closed")


def test_thresholds_are_set_with_a_reason_and_wrong_ones_are_marked(page_for: Callable[..., Page]) -> None:
    project = make_project(slug="cells")
    page = page_for(project.created_by)
    page.goto("/p/cells/monitors")
    expect(page.get_by_role("heading", name="No check yet")).to_be_visible()
    _shoot(page, "empty")
    page.get_by_label("Agreement wanted").fill("140")
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_text("Nothing was changed")).to_be_visible()
    expect(page.locator(".field.invalid")).to_have_count(1)
    page.get_by_label("Agreement wanted").fill("85")
    page.get_by_label("Reason").fill("The customer asks for it")
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_text("The thresholds are applied.")).to_be_visible()
    expect(page.get_by_label("Agreement wanted")).to_have_value("85")
    expect(page.get_by_text("“The customer asks for it”")).to_be_visible()


def test_a_reviewer_reads_and_a_labeler_sees_nothing(page_for: Callable[..., Page]) -> None:
    project = make_project(slug="cells")
    page = page_for(make_member(project, "reviewer"))
    page.goto("/p/cells/monitors")
    expect(page.get_by_role("heading", name="Monitors", exact=True)).to_be_visible()
    expect(page.get_by_role("button", name="Check now")).to_have_count(0)
    expect(page.get_by_role("heading", name="Thresholds")).to_have_count(0)
    response = page_for(make_member(project)).goto("/p/cells/monitors")
    assert response is not None and response.status == 403
