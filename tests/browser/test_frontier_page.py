"""An admin watches the frontier: a certificate appears, the machine decides, a corrupted stream suspends it.

With ``HILLTOP_FRONTIER_SHOTS`` set to a folder, each state is photographed: light, dark and 360 px wide.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

import labeling.frontier.tasks
import labeling.monitors.tasks  # noqa: F401  (registers the handlers)
from labeling.frontier.services import decide
from tests.browser import axe
from tests.factories import make_member
from tests.frontier.proving import certified_pool, make_pool


def shoot(page: Page, name: str) -> None:
    """Nothing is wider than the window, wide or narrow."""
    folder = os.environ.get("HILLTOP_FRONTIER_SHOTS")
    wide, before = page.evaluate("document.documentElement.scrollWidth"), page.viewport_size
    assert before is not None and wide <= before["width"], f"{name}: {wide} px wide"
    for look, width, scheme in (("light", 1280, "light"), ("dark", 1280, "dark"), ("narrow", 360, "light")):
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, f"{name}: {wide} px wide in {width} px"
        if folder:
            page.screenshot(path=Path(folder) / f"frontier-{name}-{look}.png", full_page=True)
    page.set_viewport_size(before)
    page.emulate_media(color_scheme="light")


def test_a_certificate_appears_decides_and_is_suspended_before_ones_eyes(
    page_for: Callable[..., Page],
) -> None:
    pool = make_pool(slug="cells")
    page = page_for(pool.admin)
    page.goto("/p/cells/frontier")
    expect(page.get_by_role("heading", name="Nothing is certified")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("data-live", "on")
    shoot(page, "not-asked")

    page.get_by_role("link", name="Policy").click()
    page.get_by_label("Target precision").fill("90")
    page.get_by_label("Planned random labels").fill("180")
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_text("The policy is applied.")).to_be_visible()
    expect(page.get_by_role("link", name="Policy")).to_have_attribute("aria-current", "page")
    shoot(page, "policy")
    page.get_by_role("link", name="Certified", exact=True).click()
    page.get_by_role("button", name="Certify now").click()
    pool.work()
    expect(page.get_by_role("heading", name="No random label counts yet")).to_be_visible()
    shoot(page, "uncertified")

    pool.settle_all(pool.wrong_below(0.2, pool.draw(200)))
    pool.work()
    expect(page.get_by_role("heading", name="of the pool is certified")).to_be_visible()

    page.get_by_role("link", name="Policy").click()
    page.get_by_label("On The machine decides").check()
    page.get_by_label("Audit rate of decisions").fill("0")
    page.get_by_label("Reason", exact=True).fill("Shadow agreed for two weeks")
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_text("at least 0.5 % of its decisions are audited")).to_be_visible()
    page.get_by_label("Audit rate of decisions").fill("0.5")
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_text("The policy is applied.")).to_be_visible()
    pool.policy(audit_share=0.0)
    page.get_by_role("link", name="Decisions").click()
    pool.work()
    expect(page.locator(".decisions li").first).to_be_visible()
    expect(page.get_by_text("The machine is deciding")).to_have_count(0)
    shoot(page, "decisions")
    page.get_by_role("link", name="Certified", exact=True).click()
    shoot(page, "certified")

    pool.policy(audit_share=1.0)
    stream = pool.new_photos(40)
    decide(project=pool.project)
    page.reload()
    waits = page.get_by_text(
        "20 audited decisions of “Functional” wait for people, so the machine decides no more of it"
    )
    expect(waits).to_be_visible()
    shoot(page, "waiting")
    for item in stream:
        pool.settle(item, "defective")
    pool.work()
    expect(page.get_by_role("heading", name="Suspended for Functional")).to_be_visible()
    expect(page.get_by_text("audited decisions were wrong").first).to_be_visible()
    shoot(page, "suspended")

    page.get_by_role("link", name="Decisions").click()
    page.locator(".decisions a").last.click()
    expect(page.get_by_role("heading", name="Certificate")).to_be_visible()
    shoot(page, "decision")


def test_a_reviewer_reads_but_does_not_steer_and_a_labeler_sees_nothing(
    page_for: Callable[..., Page],
) -> None:
    pool = make_pool(20, slug="cells")
    page = page_for(make_member(pool.project, "reviewer"))
    page.goto("/p/cells/frontier")
    expect(page.get_by_role("heading", name="Frontier", exact=True)).to_be_visible()
    page.get_by_role("link", name="Policy").click()
    expect(page.get_by_text("An admin of the project sets the policy.")).to_be_visible()
    expect(page.get_by_role("button", name="Apply")).to_have_count(0)
    page = page_for(pool.labelers[0])
    response = page.goto("/p/cells/frontier")
    assert response is not None and response.status == 403
    page.goto("/p/cells/")
    expect(page.get_by_role("link", name="Frontier")).to_have_count(0)


@pytest.mark.parametrize("language", ["en", "ko"])
def test_each_part_is_whole_for_a_screen_reader_and_stays_as_it_was_chosen_while_it_lives(
    page_for: Callable[..., Page], language: str
) -> None:
    pool = certified_pool(slug="cells")
    pool.policy(mode="on", audit_share=0.05)
    decide(project=pool.project)
    page = page_for(pool.admin, locale=language)
    for part in ("", "/bands", "/decisions", "/policy"):
        page.goto(f"/p/cells/frontier{part}")
        expect(page.locator("html")).to_have_attribute("data-live", "on")
        page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
        assert axe.faults(page) == [], part
    page.goto("/p/cells/frontier/decisions")
    page.get_by_role("link", name="stands" if language == "en" else "유효", exact=True).click()
    page.get_by_role("link", name="Defective", exact=True).click()
    page.wait_for_url("**/decisions?class=defective&outcome=stands")
    expect(page.locator("html")).to_have_attribute("data-live", "on")
    newest = pool.new_photos(1, key="defective")[0]
    with page.expect_response("**/decisions?class=defective&outcome=stands&fragment=state"):
        pool.policy(audit_share=0.006)
        decide(project=pool.project, item_ids=[newest.pk])
    expect(page.locator(".choices [aria-current]")).to_have_text(
        ["stands" if language == "en" else "유효", "Defective"]
    )


def test_on_a_phone_another_part_begins_at_its_tabs(page_for: Callable[..., Page]) -> None:
    pool = certified_pool(slug="cells")
    page = page_for(pool.admin)
    page.goto("/p/cells/frontier")
    page.get_by_role("link", name="Policy").click()
    expect(page.get_by_role("heading", name="Policy")).to_be_visible()
    assert page.evaluate("window.scrollY") == 0, "on a desk the sentence and the picture stay in view"
    page.set_viewport_size({"width": 390, "height": 500})
    page.goto("/p/cells/frontier")
    page.get_by_role("link", name="Policy").click()
    expect(page.get_by_role("heading", name="Policy")).to_be_visible()
    # At the top, below what sticks there, once the page has come there.
    page.wait_for_function(
        """() => { const { top } = document.getElementById('part').getBoundingClientRect();
        return top >= 0 && top < 120; }"""
    )
