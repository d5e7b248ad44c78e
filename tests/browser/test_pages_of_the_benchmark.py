"""The benchmark of the pages finds them along their links, as each role may, and counts what is wrong with them."""

from __future__ import annotations

from playwright.sync_api import Browser

from benchmarks.bench_project import Member
from benchmarks.pages import route_of, walk
from benchmarks.screen import session_cookie
from tests.factories import make_member, make_project
from tests.stack import Stack


def test_a_labelers_pages_are_found_and_weighed_and_no_other(chromium: Browser, live_stack: Stack) -> None:
    project = make_project()
    pages = dict(walk(chromium, live_stack.url, session_cookie(Member(make_member(project), "")), 30))
    assert {"/", "/account", "/p/<slug:slug>/", "/p/<slug:slug>/label"} <= pages.keys()
    assert not pages.keys() & {
        "/p/<slug:slug>/dashboard",
        "/p/<slug:slug>/members",
        "/p/<slug:slug>/settings",
    }
    for name, page in pages.items():
        assert page.status == 200, name
        assert page.height_1360 >= 900 and page.height_390 >= 844, name
        assert 5 < page.kb < 2000 and page.requests >= 3 and page.server_ms > 0, name
        assert page.violations == len(page.faults)


def test_what_is_no_page_has_no_name() -> None:
    assert route_of("/p/cells/dashboard") == "/p/<slug:slug>/dashboard"
    for path in ("/api/v1/projects/cells/export/annotations.csv", "/static/css/hilltop.css", "/nowhere"):
        assert route_of(path) is None
