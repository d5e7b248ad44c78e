"""Made-up photos of each kind that another decoder may take otherwise: turned, deep, with a profile, see-through, large."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from inference.photo.colour import ADOBE_RGB


def kinds_of_photos() -> dict[str, bytes]:
    """Name -> file."""
    turned = Image.Exif()
    turned[0x0112] = 6
    deep = (_pixels(200, 180, 1).astype(np.uint16) * 11 + 40)[:, :, 0]
    see_through = np.dstack([_pixels(190, 210, 3), _pixels(190, 210, 1)])
    return {
        "turned.jpg": _saved(_pixels(520, 640, 3), "JPEG", exif=turned, quality=88),
        "grey.jpg": _saved(_pixels(240, 250, 1)[:, :, 0], "JPEG"),
        "small.jpg": _saved(_pixels(320, 400, 3), "JPEG", subsampling=2),
        "a-little-larger-than-is-seen.jpg": _saved(_pixels(90, 100, 3), "JPEG"),
        "large.jpg": _saved(_pixels(1900, 2000, 3), "JPEG", progressive=True),
        "profile.jpg": _saved(_pixels(470, 460, 3), "JPEG", icc_profile=ADOBE_RGB),
        "cmyk.jpg": _saved(Image.fromarray(_pixels(230, 240, 3)).convert("CMYK"), "JPEG"),
        "12-bits.png": _saved(deep, "PNG"),
        "12-bits.tif": _saved(deep, "TIFF"),
        "see-through.png": _saved(see_through, "PNG"),
        "palette.png": _saved(Image.fromarray(_pixels(150, 900, 3)).quantize(16), "PNG"),
        "photo.webp": _saved(_pixels(300, 320, 3), "WEBP"),
    }


def _pixels(height: int, width: int, channels: int) -> np.ndarray:
    """Waves and a little noise, as a photo has: noise alone would be another picture after each resize."""
    rng = np.random.default_rng(height * width)
    y, x = np.mgrid[0:height, 0:width]
    waves = [
        np.sin(x / rng.uniform(5, 40) + y / rng.uniform(5, 40) + rng.uniform(0, 6)) for _ in range(channels)
    ]
    return np.clip(128 + 90 * np.dstack(waves) + rng.normal(0, 8, (height, width, channels)), 0, 255).astype(
        np.uint8
    )


def _saved(pixels: np.ndarray | Image.Image, format: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    image.save(buffer, format=format, **options)
    return buffer.getvalue()
