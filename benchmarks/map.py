"""How fluid the map of a pool is: frames while it is moved and zoomed, in real Chromium on the real page.

The grown project of ``routes`` with the space of ``explorer``, its server running. The pointer drags the map and turns the
wheel, once a frame; the page's own frames are timed (``requestAnimationFrame``), in whole and in part. Without a GPU, so
Chromium puts the page together by processor, which is in each frame.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any
from unittest.mock import patch

from benchmarks.bench_project import Member, close_connections, set_up_django
from benchmarks.explorer import make_space
from benchmarks.routes import grown_world
from benchmarks.running import hilltop, own_database
from benchmarks.screen import CHROMIUM, session_cookie

#: Keeps the time between two frames for as long as it is told to.
_WATCH = """
() => {
  window.watched = [];
  let before = 0;
  const frame = (now) => {
    if (before) window.watched.push(now - before);
    before = now;
    window.watching = requestAnimationFrame(frame);
  };
  window.watching = requestAnimationFrame(frame);
}
"""
_WATCHED = "() => { cancelAnimationFrame(window.watching); return window.watched; }"
_NEXT_FRAME = "() => new Promise((ready) => requestAnimationFrame(() => ready()))"


def look(url: str, cookie: str, slug: str, photos: int, steps: int) -> dict[str, Any]:
    """The map is opened, and moved and zoomed in ``steps`` each."""
    from playwright.sync_api import sync_playwright

    path = os.environ.get("HILLTOP_CHROMIUM") or next(filter(None, map(shutil.which, CHROMIUM)), None)
    if path is None:
        raise SystemExit(
            "No Chromium here: install it (Debian: apt-get install chromium) or set HILLTOP_CHROMIUM."
        )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        context = browser.new_context(base_url=url, viewport={"width": 1440, "height": 900})
        context.add_cookies([{"name": "sessionid", "value": cookie, "url": url}])
        page = context.new_page()
        page.goto(f"/p/{slug}/map")
        canvas = page.locator("#map canvas")
        canvas.scroll_into_view_if_needed()
        page.locator("#map progress").wait_for(state="hidden", timeout=600_000)
        page.wait_for_function(
            "(all) => document.querySelector('#map canvas').dataset.drawn === String(all)", arg=photos
        )
        loaded = page.evaluate("() => performance.now()")
        box = canvas.bounding_box()
        assert box is not None
        left, top = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        found: dict[str, Any] = {"loaded_s": round(loaded / 1000, 2), "chromium": browser.version}

        def watched(name: str, deed: Any) -> None:
            page.evaluate(_WATCH)
            for step in range(steps):
                deed(step)
                page.evaluate(_NEXT_FRAME)
            found[name] = _figures(page.evaluate(_WATCHED))

        page.mouse.move(left, top)
        watched("nothing_ms", lambda _step: page.mouse.move(left, top))
        watched("zoom_ms", lambda step: page.mouse.wheel(0, -40 if step < steps / 2 else 40))
        page.mouse.down()
        watched(
            "drag_ms", lambda step: page.mouse.move(left + 120 * (step % 7 - 3) / 3, top + 10 * (step % 5))
        )
        page.mouse.up()
        browser.close()
    return found


def _figures(frames: list[float]) -> dict[str, float]:
    return {
        "median": round(statistics.median(frames), 1),
        "p95": round(statistics.quantiles(frames, n=20, method="inclusive")[18], 1),
        "frames": len(frames),
    }


def measure(photos: int, steps: int) -> dict[str, Any]:
    with own_database():
        set_up_django()
        from labeling.catalog.models import Item
        from labeling.explorer.compute import tables

        world = grown_world(photos, photos)
        with patch.object(tables, "index"):  # of neighbours, which no map asks for: minutes at a million
            make_space(world)
        cookie = session_cookie(Member(world.admin, ""))
        count, slug = Item.objects.filter(project=world.project).count(), world.project.slug
        close_connections()
        with hilltop() as target:
            found = look(target.url, cookie, slug, count, steps)
        close_connections()
    return {"points": count, **found}


def _in_a_process(photos: int, steps: int) -> dict[str, Any]:
    """Django knows one database a process."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        return process.submit(measure, photos, steps).result()


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--steps", type=int, default=120, help="of each gesture")
    parser.add_argument("--quick", action="store_true", help="10,000 photos, 30 steps")
    options = parser.parse_args(arguments)
    if options.quick:
        options.images, options.steps = [10_000], 30
    print(
        json.dumps(
            {
                "maps": [_in_a_process(photos, options.steps) for photos in options.images],
                "n": options.steps,
                "device": f"Chromium headless without a GPU, {os.cpu_count()} cores, {platform.machine()}",
                "how": "time between two frames of the page while a gesture goes on, 1440 x 900",
            }
        )
    )


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    main()
