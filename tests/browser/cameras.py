"""A phone's camera: Chromium's fake one, which shows a film of made-up pictures."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image as PillowImage
from PIL import ImageFilter
from playwright.sync_api import BrowserContext, Page, expect

from labeling.inspections.capture.links import token_of
from labeling.inspections.models import CaptureLink

PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
#: Pictures of the film, each for ten frames of thirty a second. In its corner each says its number by its brightness.
PICTURES, FRAMES = 24, 10
SIZE = (640, 480)
CORNER = 80
#: Broad enough to be seen in a photo that was made much smaller.
STRIPES = 8


def picture(
    number: int, *, roll: int = 0, sharp: bool = True, striped: bool = False, size: tuple[int, int] = SIZE
) -> PillowImage.Image:
    """Patches of grey, so that no two pictures are alike, with fine noise over them; and something to see, if wished."""
    rng = np.random.default_rng(roll * PICTURES + number)
    patches = PillowImage.fromarray(rng.integers(60, 200, (6, 8), dtype=np.uint8)).resize(size)
    grey = np.asarray(patches, np.int16) + rng.integers(-30, 30, size[::-1])
    if striped:
        grey[:, np.arange(size[0]) * 2 * STRIPES // size[0] % 2 == 1] -= 70
    image = PillowImage.fromarray(grey.clip(0, 255).astype(np.uint8))
    if not sharp:
        image = image.filter(ImageFilter.GaussianBlur(8))
    image.paste(40 + 8 * number, (0, 0, CORNER, CORNER))
    return image


def film(path: Path, *, sharp: bool = True, **look: Any) -> None:
    """Motion JPEG. ``look``: of each :func:`picture`."""
    frames = []
    for number in range(PICTURES):
        out = io.BytesIO()
        picture(number, sharp=sharp, **look).convert("RGB").save(out, "JPEG", quality=85)
        frames.append(out.getvalue() * FRAMES)
    path.write_bytes(b"".join(frames))


#: The number of the picture that the camera shows.
NUMBER = f"""() => {{
    const video = document.getElementById("video");
    const canvas = Object.assign(document.createElement("canvas"), {{ width: 1, height: 1 }});
    const context = canvas.getContext("2d");
    context.drawImage(video, {CORNER // 4}, {CORNER // 4}, {CORNER // 2}, {CORNER // 2}, 0, 0, 1, 1);
    return Math.round((context.getImageData(0, 0, 1, 1).data[0] - 40) / 8);
}}"""


class Phone:
    """A page with a camera. No two photos are of one picture, nor of its neighbours in the film."""

    def __init__(self, context: BrowserContext, errors: list[str]) -> None:
        self.context = context
        self.page: Page = context.new_page()
        self.page.on("pageerror", lambda error: errors.append(str(error)))
        self._used: list[int] = []

    def open(self, link: CaptureLink | str) -> None:
        """``link``: one, or the address that was made of it."""
        self.page.goto(link if isinstance(link, str) else f"/capture/{token_of(link)}/")
        self.page.wait_for_selector("html[data-ready]")

    def begin(self) -> None:
        self.page.get_by_role("button", name="Start the camera").click()
        expect(self.page.locator("#video")).to_be_visible()

    def shoot(self, name: str) -> None:
        expect(self.page.get_by_role("heading", name=name, exact=True)).to_be_visible()
        shutter = self.page.get_by_role("button", name=f"Photograph “{name}”")
        expect(shutter).to_be_visible()
        used = json.dumps(self._used)
        self.page.wait_for_function(
            f"() => {{ const n = ({NUMBER})(); return n >= 0 && {used}.every((each) => Math.abs(n - each) > 1); }}"
        )
        self._used.append(self.page.evaluate(NUMBER))
        shutter.click()

    def shot(self, name: str) -> Any:
        return self.page.locator(f".cp-shot[aria-label^='{name}:']")
