"""Requests of a page that is already open, taken over by a test."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page

_PROBE = "/is-the-route-in-force"


def take_over(page: Page, pattern: str, handler: Callable[[Any], object]) -> None:
    """``page.route``, and wait until it holds: a loaded page's next request may still go past a new route."""
    page.route(f"**{_PROBE}", lambda route: route.fulfill(body="yes"))
    page.route(pattern, handler)
    page.wait_for_function(
        "address => fetch(address).then((answer) => answer.text()).then((text) => text === 'yes')", arg=_PROBE
    )
