"""How long the map of a pool takes to be made, in how much memory, and how fluid it is: real job, real page, real Chromium.

The grown project of ``routes`` with made-up embeddings, as many numbers as EfficientNet-Lite0's have, in groups of some
fifty. The job ``space`` runs to its end in a process of its own, as in a worker: ``job`` has its seconds, and of each part
the seconds and the process's largest size by its end. Then the pointer drags the map and turns the wheel, once a frame; the
page's own frames are timed (``requestAnimationFrame``), in whole and in part. Without a GPU, so Chromium puts the page
together by processor, which is in each frame. ``--job``: the job alone, of photos that nobody answered.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import shutil
import statistics
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from itertools import pairwise
from multiprocessing import get_context
from typing import Any
from unittest.mock import patch

import numpy as np

from benchmarks.bench_project import Member, close_connections, set_up_django
from benchmarks.routes import grown_world
from benchmarks.running import hilltop, own_database
from benchmarks.screen import CHROMIUM, session_cookie

BACKBONE = "efficientnet_lite0"
#: Numbers that tell the photos apart; an embedding's others follow from them.
RANK = 64
BLOCK = 50_000
#: Key -> what the job says when it begins with it.
PARTS = {
    "project": "Projecting embeddings",
    "lay_out": "Laying out the map",
    "place": "Placing photos on the map",
    "write": "Writing places",
}

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


def embed(project: Any) -> int:
    """Put made-up embeddings of the project's photos into the store of its backbone; return how many."""
    from labeling.catalog.models import Image, Project
    from labeling.learning.compute.stores import load_backbone, store_of

    Project.objects.filter(pk=project.pk).update(backbone=BACKBONE)
    backbone = load_backbone(BACKBONE)
    store, dice = store_of(backbone), np.random.default_rng(0)
    keys = list(Image.objects.filter(items__project=project).order_by("pk").values_list("sha256", flat=True))
    # As principal axes are: each is narrower than the one before.
    basis = dice.standard_normal((RANK, backbone.dim), dtype=np.float32)
    basis /= np.sqrt(np.arange(1, RANK + 1, dtype=np.float32))[:, None]
    centres = dice.standard_normal((len(keys) // 50 + 1, RANK), dtype=np.float32)
    for start in range(0, len(keys), BLOCK):
        some = keys[start : start + BLOCK]
        rows = centres[dice.integers(len(centres), size=len(some))]
        rows += 0.5 * dice.standard_normal(rows.shape, dtype=np.float32)
        store.append(some, rows @ basis)
    return len(keys)


def lay_out(slug: str) -> dict[str, Any]:
    """The job, from its first line to its last; what it takes is none of the set-up's."""
    set_up_django(migrated=True)
    import labeling.explorer.tasks  # noqa: F401 - registers the handler, as a worker does
    from labeling.catalog.models import Project
    from labeling.explorer.compute import tables
    from labeling.explorer.laying_out import request_space
    from labeling.jobs import runner
    from labeling.jobs.progress import Progress

    job = request_space(project=Project.objects.get(slug=slug))
    begins = [("read", time.perf_counter(), _peak_mb())]

    def begin(part: str) -> None:
        if part not in (name for name, _at, _peak in begins):
            begins.append((part, time.perf_counter(), _peak_mb()))

    names = {said: part for part, said in PARTS.items()}
    report, index = Progress.report, tables.index

    def reporting(
        progress: Progress, done: int, total: int | None = None, message: str | None = None
    ) -> None:
        if message in names:
            begin(names[message])
        report(progress, done, total, message)

    def indexing(*given: Any) -> None:
        begin("index")
        index(*given)

    with patch.object(Progress, "report", reporting), patch.object(tables, "index", indexing):
        runner.run(job.pk)
    job.refresh_from_db()
    if job.result is None:
        raise SystemExit(f"{job.kind}: {job.error}\n{job.trace}")
    begin("")
    close_connections()
    return {
        "photos": job.result["photos"],
        "seconds": round(begins[-1][1] - begins[0][1], 1),
        "before_mb": round(begins[0][2]),
        "parts": {
            part: {"s": round(ends - began, 1), "peak_mb": round(peak)}
            for (part, began, _before), (_next, ends, peak) in pairwise(begins)
        },
    }


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def set_up(photos: int, answers: int) -> tuple[str, str]:
    """A project with embeddings: its slug, and a cookie of its admin."""
    set_up_django()
    world = grown_world(photos, answers)
    embed(world.project)
    cookie = session_cookie(Member(world.admin, ""))
    close_connections()
    return world.project.slug, cookie


def measure(photos: int, steps: int, job_alone: bool) -> dict[str, Any]:
    with own_database():
        began = time.perf_counter()
        slug, cookie = _alone(set_up, photos, 0 if job_alone else photos)
        print(f"{photos:,} photos in {time.perf_counter() - began:.0f} s", file=sys.stderr, flush=True)
        job = _alone(lay_out, slug)
        print(json.dumps(job), file=sys.stderr, flush=True)
        found: dict[str, Any] = {"points": job["photos"], "job": job}
        if not job_alone:
            with hilltop() as target:
                found |= look(target.url, cookie, slug, job["photos"], steps)
    return found


def _alone(what: Any, *given: Any) -> Any:
    """In a process of its own: its peak is its own, and Django knows one database a process."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        return process.submit(what, *given).result()


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--steps", type=int, default=120, help="of each gesture")
    parser.add_argument("--job", action="store_true", help="only make the map")
    parser.add_argument("--quick", action="store_true", help="10,000 photos, 30 steps")
    options = parser.parse_args(arguments)
    if options.quick:
        options.images, options.steps = [10_000], 30
    print(
        json.dumps(
            {
                "maps": [measure(photos, options.steps, options.job) for photos in options.images],
                "n": options.steps,
                "device": f"Chromium headless without a GPU, {os.cpu_count()} cores, {platform.machine()}",
                "how": "the job in a process of its own; time between two frames of the page in a gesture, 1440 x 900",
            }
        )
    )


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    main()
