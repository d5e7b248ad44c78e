"""What people are shown of a photo: a picture for the screen, a thumbnail, and the photo's own pixels in tiles.

Knows upright pixels and how they are encoded; what a file's bytes mean, ``photos`` knows, and where it is kept, ``storage``.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from PIL import Image as Pillow

from inference.photo import DECODER_VERSION, DEFAULT_LEVELS, LEVELS, Levels

#: Raise it whenever the same pixels would be encoded otherwise. That they are decoded otherwise, the decoder's version says.
_ENCODED = 0
#: Either of them raises it. It stands in addresses, which browsers keep for ever, and beside each image, so that a job
#: remakes what an earlier version made.
VERSION = DECODER_VERSION + _ENCODED
#: variant -> (longest side in pixels, WebP quality)
VARIANTS: dict[str, tuple[int, int]] = {"screen": (1600, 88), "thumb": (320, 80)}
#: A photo of up to so many pixels is its own screen picture, without loss, at 0.6 (EL cells) to 2.1 (a noisy sensor) bytes a
#: pixel: two megabytes at most, where lossy it would be 0.2. By size in pixels and not by the file's, because everybody
#: knows that before anything is encoded: where it holds, nobody ever needs tiles.
LOSSLESS_PIXELS = 2**20
#: Side of a tile in pixels: a screen full is four to twelve of them. All of a photo of 12 megapixels take 0.7 s on two cores
#: (decoding 0.1 s) and 11 MB, so they are made when somebody first looks so closely, and not for every photo at intake.
TILE = 1024


def made_with(levels: Levels, version: int = VERSION) -> str:
    """How a rendition was made, for addresses and names: the version, and where white lies unless the photo says that."""
    return f"{version}" if levels == DEFAULT_LEVELS else f"{version}-{levels}"


def levels_of(how: str) -> Levels | None:
    """The other way round; ``None`` for another version, or for no such levels."""
    return next((each for each in LEVELS if made_with(each) == how), None)


def current_version() -> int:
    return VERSION


class Place(NamedTuple):
    """Where a tile lies: column and row, from 0."""

    x: int
    y: int


def is_whole(width: int, height: int) -> bool:
    """Whether the screen picture of a photo of this size holds each of its pixels, as it was."""
    return width * height <= LOSSLESS_PIXELS and max(width, height) <= VARIANTS["screen"][0]


def fitted(width: int, height: int, longest: int) -> tuple[int, int]:
    """The size of a photo of this size whose longest side is at most ``longest``."""
    scale = min(1.0, longest / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def fit(image: Pillow.Image, longest: int) -> Pillow.Image:
    size = fitted(*image.size, longest)
    if size == image.size:
        return image
    return image.resize(size, Pillow.Resampling.LANCZOS, reducing_gap=2.0)


def encode(screen: Pillow.Image, *, whole: bool) -> dict[str, bytes]:
    """WebP bytes by variant; ``screen`` fits that variant, and is encoded without loss where it is the ``whole`` photo."""
    made: dict[str, bytes] = {}
    for variant, (longest, quality) in VARIANTS.items():
        if variant != "screen" and max(screen.size) <= longest:
            made[variant] = made["screen"]  # a photo smaller than a thumbnail needs no second encoding
        elif variant == "screen" and whole:
            made[variant] = _lossless(screen)
        else:
            buffer = io.BytesIO()
            fit(screen, longest).save(buffer, format="WEBP", quality=quality, method=2)
            made[variant] = buffer.getvalue()
    return made


def places(width: int, height: int) -> list[Place]:
    """All tiles of a photo of this size, in rows from the top."""
    return [Place(x, y) for y in range(-(-height // TILE)) for x in range(-(-width // TILE))]


def tiles(image: Pillow.Image) -> Iterator[tuple[Place, bytes]]:
    """The photo cut up: WebP without loss by place, as they are done."""

    def cut(place: Place) -> tuple[Place, bytes]:
        left, top = place.x * TILE, place.y * TILE
        box = (left, top, min(left + TILE, image.width), min(top + TILE, image.height))
        return place, _lossless(image.crop(box))

    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1, thread_name_prefix="tiles") as pool:
        yield from pool.map(cut, places(*image.size))


def _lossless(image: Pillow.Image) -> bytes:
    buffer = io.BytesIO()
    # The least effort: a quarter of the time of the next, for a seventh more bytes (twice as many, of small grey photos).
    image.save(buffer, format="WEBP", lossless=True, quality=0, method=0)
    return buffer.getvalue()
