"""The home page and the overview as they are met: every control has a name, nothing lies beside the page, links lead on."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser import axe
from tests.frontier.proving import make_pool
from tests.overview.test_home import broken

PageFor = Callable[..., Page]


@pytest.mark.parametrize("language", ["en", "ko"])
def test_what_is_red_is_read_by_everybody_and_leads_to_where_it_is_mended(
    live_stack: object, page_for: PageFor, language: str
) -> None:
    pool = make_pool(40)
    broken(pool)
    page = page_for(pool.admin, locale=language)
    for address in ("/", f"/p/{pool.project.slug}/"):
        page.goto(address)
        expect(page.locator(".says")).to_be_visible()
        assert axe.faults(page) == [], address
        page.set_viewport_size({"width": 360, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        page.set_viewport_size({"width": 1280, "height": 800})
    page.goto("/")
    page.locator(".notice.error").get_by_role("link").first.click()
    page.wait_for_url(f"**/p/{pool.project.slug}/frontier")
    page.goto("/")
    page.locator(".notice.error").get_by_role("link").last.click()
    page.wait_for_url(f"**/p/{pool.project.slug}/jobs")
