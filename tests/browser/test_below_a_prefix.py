"""Served below a path of a site that has other things too: pages, files, calls, live events and cookies stay below it."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator
from urllib.error import HTTPError
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, expect

from labeling.people.models import User
from labeling.truth.models import Annotation
from tests.browser.test_labeling_screen import Screen, project_with_photos
from tests.factories import make_member
from tests.stack import Stack

PREFIX = "/inspection/hilltop"


@pytest.fixture
def below(live_stack: Stack) -> Iterator[Stack]:
    stack = Stack(HILLTOP_PREFIX=f"{PREFIX}/")
    stack.ensure_web()
    yield stack
    stack.stop()


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_anything: object) -> None:
        return None


def _answer(address: str) -> tuple[int, str, str]:
    opener = urllib.request.build_opener(_NoRedirect)
    try:
        with opener.open(address, timeout=10) as answer:
            return answer.status, answer.headers.get("Location", ""), answer.read().decode()
    except HTTPError as error:
        return error.code, error.headers.get("Location", ""), error.read().decode()


def test_a_labeler_works_below_a_prefix(below: Stack, chromium: Browser) -> None:
    project = project_with_photos(6)
    ann = make_member(project, username="ann")
    User.objects.filter(pk=ann.pk).update(toured_at=project.created_at)
    context = chromium.new_context(base_url=below.url)
    page = context.new_page()
    asked: list[str] = []
    errors: list[str] = []
    page.on("request", lambda request: asked.append(urlsplit(request.url).path))
    page.on("response", lambda response: errors.append(response.url) if response.status >= 400 else None)
    page.goto(f"{PREFIX}/p/{project.slug}/label")
    expect(page).to_have_url(f"{below.url}{PREFIX}/login?next={PREFIX}/p/{project.slug}/label")
    page.fill("[name=username]", "ann")
    page.fill("[name=password]", "ann")
    page.press("[name=password]", "Enter")
    screen = Screen(page, project)
    screen.wait_for_photo()
    screen.press("1")
    page.wait_for_function(
        "() => performance.getEntriesByType('resource').some((e) => e.name.endsWith('/annotations'))"
    )
    page.goto(f"{PREFIX}/p/{project.slug}")
    expect(page.locator("html")).to_have_attribute("data-live", "on")
    assert Annotation.objects.filter(labeler=ann).count() == 1
    assert {path for path in asked if not path.startswith(f"{PREFIX}/") and path != "/favicon.ico"} == set()
    assert not errors
    assert {cookie["path"] for cookie in context.cookies()} == {f"{PREFIX}/"}
    context.close()


def test_it_does_not_matter_whether_the_proxy_takes_the_prefix_off(below: Stack) -> None:
    for path in (PREFIX, ""):
        assert _answer(f"{below.url}{path}/healthz")[0] == 200
        assert _answer(f"{below.url}{path}/p/x/label?a=b")[:2] == (
            302,
            f"{PREFIX}/login?next={PREFIX}/p/x/label%3Fa%3Db",
        )
        assert _answer(f"{below.url}{path}/login/")[:2] == (308, f"{PREFIX}/login")
        status, _location, body = _answer(f"{below.url}{path}/api/nothing")
        assert (status, "not_found" in body) == (404, True)
        assert _answer(f"{below.url}{path}/static/css/hilltop.css")[0] == 200
        assert f'href="{PREFIX}/static/' in _answer(f"{below.url}{path}/login")[2]
    assert _answer(f"{below.url}{PREFIX}")[0] == 302, "the prefix alone is the home page"
