"""From a key press to the next photo painted, in real Chromium on the real labeling screen.

The page takes the times itself (``window.hilltop.answers``): from the key's own time stamp to the first frame after
the next photo is on the screen. Photos are JPEGs of 1440 × 1080, as inspection cameras make them, put together from
solar cells. ``round_trip_ms`` is the same seen from outside, with the driver's own delay in it.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import platform
import random
import shutil
import statistics
import time
from typing import TYPE_CHECKING, Any

from benchmarks.bench_project import Member, close_connections, make_project, set_up_django
from benchmarks.running import hilltop, own_database
from labeling.catalog.elpv import elpv_cells

if TYPE_CHECKING:
    from labeling.catalog.models import Project

CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
COLUMNS, ROWS, CELL = 4, 3, 360


def photos(count: int) -> list[bytes]:
    """So many different JPEGs of 1440 × 1080 pixels."""
    from PIL import Image

    dice = random.Random(7)
    cells = elpv_cells()
    made = []
    for _ in range(count):
        sheet = Image.new("L", (COLUMNS * CELL, ROWS * CELL))
        for place in range(COLUMNS * ROWS):
            with Image.open(dice.choice(cells).path) as cell:
                tile = cell.resize((CELL, CELL))
            sheet.paste(tile, (place % COLUMNS * CELL, place // COLUMNS * CELL))
        buffer = io.BytesIO()
        sheet.convert("RGB").save(buffer, "JPEG", quality=90)
        made.append(buffer.getvalue())
    return made


def fill(count: int) -> tuple[Project, Member]:
    from labeling.catalog.services import add_image, add_items

    project, _admin, people = make_project(labelers=1, gold_rate=0.0)
    images = [(add_image(data=data)[0], f"{number}.jpg") for number, data in enumerate(photos(count))]
    add_items(project=project, images=images, source="benchmark")
    return project, people[0]


def session_cookie(person: Member) -> str:
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.sessions.backends.db import SessionStore

    person.user.toured_at = person.user.date_joined  # the tour was seen
    person.user.save(update_fields=["toured_at"])
    session = SessionStore()
    session[SESSION_KEY] = str(person.user.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = person.user.get_session_auth_hash()
    session.save()
    assert session.session_key is not None
    return session.session_key


def label(url: str, cookie: str, slug: str, *, answers: int, look_s: float, path: str) -> dict[str, Any]:
    """Answer by keyboard; return what the page measured and what the driver saw, in milliseconds."""
    from playwright.sync_api import sync_playwright

    dice = random.Random(3)
    outside: list[float] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        version = browser.version
        context = browser.new_context(base_url=url, viewport={"width": 1440, "height": 900})
        context.add_cookies([{"name": "sessionid", "value": cookie, "url": url}])
        page = context.new_page()
        page.goto(f"/p/{slug}/label")
        page.wait_for_selector("html[data-shown]", timeout=60_000)
        for number in range(1, answers + 1):
            time.sleep(dice.uniform(0.7, 1.3) * look_s)
            began = time.perf_counter()
            page.keyboard.press(dice.choice("12"))
            # Asked from outside: the page's content security policy lets nobody poll within it.
            while page.evaluate("window.hilltop.answers.length") < number:
                if time.perf_counter() - began > 30:
                    raise SystemExit(f"answer {number}: no next photo in 30 s")
            outside.append((time.perf_counter() - began) * 1000)
        inside = page.evaluate("window.hilltop.answers")
        time.sleep(1)  # the last answers are on their way
        browser.close()
    return {"inside": inside, "outside": outside, "chromium": version}


def measure(options: argparse.Namespace) -> dict[str, Any]:
    path = os.environ.get("HILLTOP_CHROMIUM") or next(filter(None, map(shutil.which, CHROMIUM)), None)
    if path is None:
        raise SystemExit(
            "No Chromium here: install it (Debian: apt-get install chromium) or set HILLTOP_CHROMIUM."
        )
    with own_database():
        set_up_django()
        from labeling.truth.models import Annotation

        project, person = fill(options.answers + 20)
        cookie = session_cookie(person)
        close_connections()
        with hilltop() as target:
            _wait_for_order(project)
            seen = label(
                target.url,
                cookie,
                project.slug,
                answers=options.answers,
                look_s=options.look_ms / 1000,
                path=path,
            )
        stored = Annotation.objects.filter(project=project).count()
        close_connections()
    inside = seen["inside"]
    return {
        "median_ms": round(statistics.median(inside), 2),
        "p95_ms": round(sorted(inside)[min(len(inside) - 1, int(len(inside) * 0.95))], 2),
        "answers": len(inside),
        "stored": stored,
        "max_ms": round(max(inside), 2),
        "round_trip_ms": round(statistics.median(seen["outside"]), 2),
        "look_ms": options.look_ms,
        "n": len(inside),
        "device": f"Chromium {seen['chromium']} headless, {os.cpu_count()} cores, {platform.machine()}",
        "how": "key's time stamp to the first frame after the next photo is shown, taken in the page",
    }


def _wait_for_order(project: Project, timeout: float = 120.0) -> None:
    """Wait until the photos are embedded and ranked, so that nothing else runs meanwhile."""
    from labeling.jobs.models import Job

    deadline = time.monotonic() + timeout
    while Job.objects.of_project(project.pk).live().exists():
        if time.monotonic() > deadline:
            raise SystemExit("the photos were not prepared in time")
        time.sleep(0.2)
    close_connections()


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--answers", type=int, default=50)
    parser.add_argument("--look-ms", type=int, default=700, help="mean time a photo is looked at")
    parser.add_argument("--quick", action="store_true", help="12 answers")
    options = parser.parse_args(arguments)
    if options.quick:
        options.answers = 12
    print(json.dumps(measure(options)))


if __name__ == "__main__":
    main()
