"""What each page weighs: height at two widths, bytes and requests of a first visit, the server's time, axe's findings.

Pages are found as people find them: from the home page along links, as one role after another, so that a page that is added
later is measured too. Its name is the role and the address with its parameters named; of pages that differ in their
parameters only (photos, versions, decisions) the first one is measured.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urldefrag, urlparse

# Playwright's synchronous API keeps an event loop in this thread, which makes Django refuse ORM calls.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

from playwright.sync_api import Browser, BrowserContext, CDPSession, Page, sync_playwright
from playwright.sync_api import Error as BrowserError

from benchmarks.bench_project import Member, close_connections, set_up_django
from benchmarks.running import hilltop, own_database
from benchmarks.screen import CHROMIUM, session_cookie

if TYPE_CHECKING:
    from labeling.people.models import User

WIDE, NARROW = {"width": 1360, "height": 900}, {"width": 390, "height": 844}
#: Ways that lead to a file, to another person's session, or out of the pages.
NO_PAGES = ("/api/", "/static/", "/photos/", "/logout", "/metrics", "/healthz")
#: A page is loaded when nothing more is on its way for so long; one that goes on loading is measured as it is then.
QUIET_S, LONGEST_S = 0.4, 8.0
MOST_PAGES = 90
QUICK_PAGES = 12


@dataclass
class Measured:
    """``kb``: of everything that a first visit fetches, as it came over the wire; ``server_ms``: of the page itself, the
    better of two. ``queries``: of the database, known of an own Hilltop only. ``violations``: places that axe finds wrong,
    light on a desk and dark on a phone, with everything unfolded."""

    path: str
    status: int
    height_1360: int
    height_390: int
    kb: float
    requests: int
    server_ms: float
    queries: int | None = None
    violations: int = 0
    faults: list[str] = field(default_factory=list)


class Wire:
    """What a page fetches, as the browser's own tools count it. A stream of live events never ends, and is left out."""

    def __init__(self, session: CDPSession) -> None:
        self.bytes, self.requests = 0, 0
        self._open: set[str] = set()
        self._last = time.monotonic()
        session.on("Network.requestWillBeSent", self._began)
        session.on("Network.loadingFinished", self._ended)
        session.on("Network.loadingFailed", self._ended)
        session.send("Network.enable")

    def _began(self, event: dict[str, Any]) -> None:
        self._last = time.monotonic()
        if event["request"]["url"].startswith("data:") or event.get("type") == "EventSource":
            return
        self.requests += 1
        self._open.add(event["requestId"])

    def _ended(self, event: dict[str, Any]) -> None:
        self._last = time.monotonic()
        self._open.discard(event["requestId"])
        self.bytes += event.get("encodedDataLength", 0)

    def wait(self, page: Page) -> None:
        deadline = time.monotonic() + LONGEST_S
        while time.monotonic() < deadline and (self._open or time.monotonic() - self._last < QUIET_S):
            page.wait_for_timeout(50)


#: Of a plot's points too, whose ``href`` is no text.
_LINKS = "(all) => all.map((each) => new URL(each.getAttribute('href'), location).href)"


def measure(context: BrowserContext, path: str) -> tuple[Measured, list[str]] | None:
    """One page in a browser that has nothing in its cache, and the links on it. None where the address is no page."""
    from tests.browser import axe

    page = context.new_page()
    try:
        page.set_viewport_size(WIDE)  # type: ignore[arg-type]
        wire = Wire(context.new_cdp_session(page))
        try:
            response = page.goto(path, wait_until="load")
        except BrowserError:  # a file that is saved
            return None
        if response is None or not response.headers.get("content-type", "").startswith("text/html"):
            return None
        wire.wait(page)
        found = Measured(
            path=path,
            status=response.status,
            height_1360=_height(page),
            height_390=0,
            kb=round(wire.bytes / 1000, 1),
            requests=wire.requests,
            server_ms=_server_ms(page),
        )
        links = page.eval_on_selector_all("a[href]:not([download])", _LINKS)
        page.set_viewport_size(NARROW)  # type: ignore[arg-type]
        page.goto(path, wait_until="load")
        wire.wait(page)
        found.height_390 = _height(page)
        found.server_ms = min(found.server_ms, _server_ms(page))
        page.set_viewport_size(WIDE)  # type: ignore[arg-type]
        page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
        wire.wait(page)
        found.faults = axe.faults(page)
        found.violations = len(found.faults)
        return found, links
    finally:
        page.close()


def _height(page: Page) -> int:
    return int(page.evaluate("document.documentElement.scrollHeight"))


def _server_ms(page: Page) -> float:
    timing = (
        "performance.getEntriesByType('navigation').map((each) => each.responseStart - each.requestStart)[0]"
    )
    return round(float(page.evaluate(timing)), 1)


def route_of(path: str) -> str | None:
    """The address with its parameters named; None where it leads to no page of ours."""
    from django.urls import Resolver404, resolve

    if path.startswith(NO_PAGES):
        return None
    try:
        return "/" + resolve(path).route
    except Resolver404:
        return None


def walk(browser: Browser, url: str, cookie: str, most: int) -> Iterator[tuple[str, Measured]]:
    """Every page that is reached from the home page, in the order in which it is met."""
    waiting, known = ["/"], {"/"}
    measured = 0
    while waiting and measured < most:
        path = waiting.pop(0)
        with browser.new_context(base_url=url, reduced_motion="reduce", locale="en-GB") as context:
            context.add_cookies([{"name": "sessionid", "value": cookie, "url": url}])
            found = measure(context, path)
        if found is None:
            continue
        measured += 1
        page, links = found
        yield route_of(path) or path, page
        for link in links:
            there = urlparse(urldefrag(link).url)
            route = route_of(there.path) if link.startswith(url + "/") else None
            if route is not None and route not in known:
                known.add(route)
                waiting.append(there.path)


def people() -> dict[str, User]:
    """A project of twelve weeks on made-up cells, and one person of each role in it."""
    from labeling.catalog.models import Item, Membership, Project
    from labeling.catalog.services import set_role
    from labeling.people.models import User
    from labeling.truth.models import Dispute
    from tests.browser.screenshots import Stage, live_for_weeks

    admin = User.objects.create_superuser("admin", password=None)
    slug = live_for_weeks(Stage(None, admin, admin, [], {}))  # type: ignore[arg-type]
    project = Project.objects.get(slug=slug)
    open_items = Item.objects.filter(project=project, ground_truths=None).order_by("-pk")[:3]
    for item in open_items:
        Dispute.objects.create(project=project, item=item, round=1, cause="disagreement")
    viewer = User.objects.create_user("viewer", password=None)
    set_role(project=project, user=viewer, role="viewer", by=admin)
    found = {"admin": admin}
    for role in ("reviewer", "labeler"):
        found[role] = Membership.objects.filter(project=project, role=role)[:1].get().user
    return found | {"viewer": viewer}


def queries(user: User, path: str) -> int:
    """Of the database, to make the page; counted in this process, on the second visit."""
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    client = Client(headers={"host": "localhost"}, raise_request_exception=False)
    client.force_login(user)
    client.get(path)
    with CaptureQueriesContext(connection) as asked:
        client.get(path)
    return len(asked)


def of_own(browser: Browser, options: argparse.Namespace) -> dict[str, Measured]:
    with own_database():
        os.environ["HILLTOP_STATIC"] = "hashed"
        set_up_django()
        from django.core.management import call_command

        call_command("collectstatic", verbosity=0, interactive=False)
        someone = people()
        found: dict[str, Measured] = {}
        with hilltop() as target:
            for role in options.roles:
                cookie = session_cookie(Member(someone[role], ""))
                for route, page in walk(browser, target.url, cookie, options.most):
                    page.queries = queries(someone[role], page.path)
                    found[f"{role} {route}"] = page
                    _say(role, route, page)
        close_connections()
    return found


def of_running(browser: Browser, options: argparse.Namespace) -> dict[str, Measured]:
    import django

    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    django.setup()  # for the names of addresses
    found: dict[str, Measured] = {}
    for account in options.people:
        name, _colon, password = account.partition(":")
        cookie = _sign_in(browser, options.url, name, password)
        for route, page in walk(browser, options.url, cookie, options.most):
            found[f"{name} {route}"] = page
            _say(name, route, page)
    return found


def _sign_in(browser: Browser, url: str, name: str, password: str) -> str:
    with browser.new_context(base_url=url) as context:
        page = context.new_page()
        page.goto("/login")
        page.locator("input[name=username]").fill(name)
        page.locator("input[name=password]").fill(password)
        page.locator("input[name=password]").press("Enter")
        page.wait_for_load_state("load")
        cookies = {each.get("name"): each.get("value") for each in context.cookies()}
        if "/login" in page.url or not cookies.get("sessionid"):
            raise SystemExit(f"{name} could not sign in at {url}: check the name and the password")
        return str(cookies["sessionid"])


HEADS = ("page", "1360", "390", "kB", "requests", "ms", "queries", "axe")


def _say(role: str, route: str, page: Measured) -> None:
    cells = (
        page.height_1360,
        page.height_390,
        page.kb,
        page.requests,
        page.server_ms,
        page.queries,
        page.violations,
    )
    told = "".join(f"{'–' if each is None else each:>9}" for each in cells)
    print(f"{role + ' ' + route:<56}{told}", file=sys.stderr, flush=True)
    for fault in page.faults:
        print(f"    {fault}", file=sys.stderr, flush=True)
    if page.status >= 400:
        print(f"    a link led here, and the answer was {page.status}", file=sys.stderr, flush=True)


def run(options: argparse.Namespace) -> dict[str, Any]:
    path = os.environ.get("HILLTOP_CHROMIUM") or next(filter(None, map(shutil.which, CHROMIUM)), None)
    if path is None:
        raise SystemExit(
            "No Chromium here: install it (Debian: apt-get install chromium) or set HILLTOP_CHROMIUM."
        )
    print(f"{HEADS[0]:<56}" + "".join(f"{each:>9}" for each in HEADS[1:]), file=sys.stderr)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        version = browser.version
        found = of_running(browser, options) if options.url else of_own(browser, options)
        browser.close()
    pages = list(found.values())
    return {
        "pages": {name: asdict(page) for name, page in found.items()},
        "violations": sum(page.violations for page in pages),
        "broken_links": [name for name, page in found.items() if page.status >= 400],
        "median_kb": round(statistics.median(page.kb for page in pages), 1),
        "slowest_ms": max(page.server_ms for page in pages),
        "n": len(pages),
        "device": f"Chromium {version} headless, {os.cpu_count()} cores, {platform.machine()}",
        "how": "cold cache, static files hashed and compressed on an own Hilltop; server_ms is the better of two visits",
    }


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    roles = ("admin", "reviewer", "labeler", "viewer")
    parser.add_argument("--roles", nargs="+", choices=roles, default=list(roles), help="whose pages")
    parser.add_argument("--url", help="a Hilltop that runs, instead of an own one with made-up photos")
    parser.add_argument(
        "--people", nargs="+", default=[], metavar="NAME:PASSWORD", help="who looks at the pages of --url"
    )
    parser.add_argument("--most", type=int, default=MOST_PAGES, help="pages of a role at most")
    parser.add_argument("--quick", action="store_true", help=f"an admin's first {QUICK_PAGES} pages")
    options = parser.parse_args(arguments)
    if options.url and not options.people:
        parser.error("--url needs --people NAME:PASSWORD, as whom to look")
    if options.quick:
        options.roles, options.people, options.most = ["admin"], options.people[:1], QUICK_PAGES
    if options.url:
        options.url = options.url.rstrip("/")
    result = run(options)
    print(json.dumps(result))
    return 1 if result["violations"] or result["broken_links"] else 0


if __name__ == "__main__":
    sys.exit(main())
