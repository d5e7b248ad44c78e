"""Hilltop's pages photographed in Chromium, as small files for the docs."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image
from playwright.sync_api import Browser, Page

from benchmarks.bench_project import Member
from benchmarks.screen import session_cookie

if TYPE_CHECKING:
    from labeling.people.models import User

#: Bytes of one picture.
LARGEST = 250_000


class Camera:
    """Opens pages as one person or another, and keeps what they look like as small PNGs."""

    def __init__(self, browser: Browser, url: str, folder: Path) -> None:
        self.browser = browser
        self.url = url
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def take(
        self,
        name: str,
        path: str,
        user: User | None,
        *,
        width: int = 1280,
        height: int = 800,
        dark: bool = False,
        prepare: Callable[[Page], None] | None = None,
        grow_to: int = 0,
        **options: Any,
    ) -> None:
        """``user``: ``None`` for nobody. ``grow_to``: the window is as high as the page, but no higher than that many px;
        else ``height``. ``options``: of the browser's context."""
        context = self.browser.new_context(
            base_url=self.url,
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
            locale="en-GB",
            **options,
        )
        if user is not None:
            context.add_cookies(
                [{"name": "sessionid", "value": session_cookie(Member(user, "")), "url": self.url}]
            )
        page = context.new_page()
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        # The stream of live events never ends, so "networkidle" would never come.
        page.goto(path, wait_until="load")
        if prepare is not None:
            prepare(page)
        if grow_to:
            high = page.evaluate("document.documentElement.scrollHeight")
            page.set_viewport_size({"width": width, "height": min(max(high, height), grow_to)})
            page.evaluate("scrollTo(0, 0)")
        _wait_for_photos(page)
        time.sleep(0.4)
        written, size = self.keep(page.screenshot(), name)
        wide = page.evaluate("document.documentElement.scrollWidth")
        context.close()
        if errors:
            raise SystemExit(f"{name}: script errors: {'; '.join(errors)}")
        if wide > width:
            raise SystemExit(f"{name}: the page is {wide} px wide in a window of {width} px")
        print(f"{written}  {size / 1000:.0f} kB", flush=True)

    def keep(self, data: bytes, name: str) -> tuple[str, int]:
        """Write the PNG ``data``; return the file's name and size."""
        return f"{name}.png", _small_png(data, self.folder / f"{name}.png")


def _wait_for_photos(page: Page) -> None:
    """Until every photo in the window is painted. Asked from outside: the pages' policy lets nobody poll within."""
    waiting = """[...document.images].filter((one) => one.getBoundingClientRect().top < innerHeight
        && one.getClientRects().length && !one.complete).length"""
    deadline = time.monotonic() + 15
    while page.evaluate(waiting):
        if time.monotonic() > deadline:
            raise SystemExit(f"{page.url}: a photo does not come")
        time.sleep(0.1)


def _small_png(data: bytes, path: Path) -> int:
    """Write as a PNG of at most :data:`LARGEST` bytes, of 256 colours where it must be; return the size.

    The palette is put together from greys, for the photos, and from what is coloured: a plain median cut would
    spend it all on the photo's greys and turn a small orange mark brown.
    """
    with Image.open(io.BytesIO(data)) as picture:
        plain = picture.convert("RGB")
    buffer = io.BytesIO()
    plain.save(buffer, "PNG", optimize=True)
    if buffer.tell() <= LARGEST:
        path.write_bytes(buffer.getvalue())
        return buffer.tell()
    pixels = np.asarray(plain).reshape(-1, 3)
    coloured = pixels[np.ptp(pixels, axis=1) > 10]
    colours: list[int] = []
    if len(coloured):
        strip = Image.fromarray(coloured.reshape(1, -1, 3)).quantize(120, kmeans=3, dither=Image.Dither.NONE)
        colours = list(strip.getpalette() or [])[: 3 * 120]
    for greys in (128, 64, 32):
        ramp = [round(255 * step / (greys - 1)) for step in range(greys)]
        palette = Image.new("P", (1, 1))
        palette.putpalette([level for grey in ramp for level in (grey, grey, grey)] + colours)
        buffer = io.BytesIO()
        plain.quantize(palette=palette, dither=Image.Dither.NONE).save(buffer, "PNG", optimize=True)
        if buffer.tell() <= LARGEST:
            path.write_bytes(buffer.getvalue())
            return buffer.tell()
    raise SystemExit(f"{path.name}: {buffer.tell()} bytes, more than {LARGEST}")


def photo_shown(page: Page) -> None:
    page.wait_for_selector("html[data-shown]", state="attached", timeout=60_000)
