"""The docs as a site: built strictly, whole, as they read in the repository, and shown without anything from elsewhere."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from markdown_it import MarkdownIt
from playwright.sync_api import Browser, expect

from config.database import ROOT
from config.site.links import led
from labeling.gateway.schema import prepared
from tests.browser.conftest import PATIENCE

#: By which a page has something fetched as it is shown; a link is followed by whoever wants to.
FETCHED = {"script": "src", "img": "src", "iframe": "src", "object": "data", "link": "href"}
COUNTED = ("li", "table", "tr", "pre", "img", "h1", "h2", "h3")


class Counting(HTMLParser):
    """How many there are of each element in the page's own text, and the addresses that are fetched with it."""

    def __init__(self, html: str, *, within: str = "") -> None:
        super().__init__()
        self.within, self.inside = within, not within
        self.count: Counter[str] = Counter()
        self.fetched: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        told = dict(attributes)
        if address := told.get(FETCHED.get(tag, "")):
            self.fetched += [] if tag == "link" and told.get("rel") in ("prev", "next") else [address]
        self.inside |= tag == self.within
        self.count[tag] += self.inside and tag in COUNTED

    def handle_endtag(self, tag: str) -> None:
        self.inside &= tag != self.within


def test_the_site_is_built_strictly_whole_and_from_nothing_elsewhere(
    chromium: Browser, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    _as_in_the_repository(tmp_path)
    _fetches_nothing(tmp_path)
    _tells_the_whole_api(tmp_path)
    for page in (tmp_path / "ko").glob("*.html"):
        assert '<html lang="ko"' in page.read_text() and page.stat().st_mode & 0o004, page
    _is_searched(chromium, tmp_path)


def _as_in_the_repository(site: Path) -> None:
    """Two dialects of Markdown part here and there: a list that needs an empty line, a block that needs four spaces."""
    common = MarkdownIt("commonmark").enable("table")
    different = {}
    for page in sorted((ROOT / "docs").rglob("*.md")):
        name = page.relative_to(ROOT / "docs")
        here = Counting((site / name.with_suffix(".html")).read_text(), within="article").count
        there = Counting(common.render(page.read_text())).count
        parted = {tag: (there[tag], here[tag]) for tag in COUNTED if here[tag] != there[tag]}
        if parted:
            different[str(name)] = parted
    assert different == {}, "so many in the repository, and so many on the site"


def _fetches_nothing(site: Path) -> None:
    pages = sorted(site.rglob("*.html"))
    assert len(pages) > 100
    found = {str(page): Counting(page.read_text()).fetched for page in pages}
    address = re.compile(r"url\(['\"]?((?:https?:)?//[^)]*)")
    found |= {str(style): address.findall(style.read_text()) for style in site.rglob("*.css")}
    assert [(name, each) for name, addresses in found.items() for each in addresses if "//" in each] == []


def _tells_the_whole_api(site: Path) -> None:
    schema = json.loads(prepared("en", "application/vnd.oai.openapi+json")[0])
    told = "".join(page.read_text() for page in (site / "reference").glob("*.html"))
    operations = [
        each for path in schema["paths"].values() for each in path.values() if "operationId" in each
    ]
    names = [each["operationId"] for each in operations] + [
        kind.replace(".", "_") for kind in schema["webhooks"]
    ]
    names += [shape.lower() for shape in schema["components"]["schemas"]]
    assert len(operations) > 100
    assert [name for name in names if f'id="{name}"' not in told] == []


def _is_searched(browser: Browser, site: Path) -> None:
    """By a browser that reaches nothing else: in English and in Korean, light and dark as the system says."""
    with served(site) as url:
        context = browser.new_context(base_url=url, color_scheme="dark")
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto("/index.html")
        expect(page.locator("body")).to_have_attribute("data-md-color-scheme", "slate")
        for words, target in (("ambiguous", "rule.html"), ("보류", "labeling.html")):
            page.locator(".md-search__input").fill(words)
            page.locator(".md-search__input").press("End")  # it looks when a key goes up
            expect(page.locator(f".md-search-result__link[href*='{target}']").first).to_be_attached()
        context.close()
    assert [each for each in asked if not each.startswith((url, "data:", "blob:"))] == []


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """By a web server that knows nothing of docs."""

    class Silent(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Silent, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_links_lead_to_where_their_targets_are_on_the_site() -> None:
    brought = {"client.md": "client/README.md"}
    said = "[a](../client/README.md) [b](decisions/) [c](api.md#x) [d](../Makefile) [e](nowhere.md) [f](https://x.y/)"
    assert led(said, "docs/agent.md", brought) == (
        "[a](client.md) [b](decisions/index.md) [c](api.md#x) d [e](nowhere.md) [f](https://x.y/)"
    )
    assert (
        led("[a](../docs/agent.md) [b](notebooks/explore.ipynb)", "client/README.md", brought)
        == "[a](agent.md) b"
    )
    assert led("```\n[a](../Makefile)\n```\n", "docs/agent.md", brought) == "```\n[a](../Makefile)\n```\n"
