"""From the bytes of a photo to pixels: upright, sRGB, 8 bits, nothing see-through. The one decoder, for people and model.

Pillow decodes, and its image is converted a strip at a time, and reduced where less is asked for: the peak is what the
decoder takes, a few bytes a pixel, and the pixels that come out.

Knows nothing of where the bytes came from, of models or of what the photo is for. Imports no torch.
"""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFile

from inference.photo import DEFAULT_LEVELS, DecodeError, Levels
from inference.photo.colour import plain
from inference.photo.header import Header, read_header, truncated
from inference.photo.levels import narrowing
from inference.photo.room import room

Pixels = npt.NDArray[np.uint8]
Numbers = npt.NDArray[np.generic]
#: Left, top, right, bottom.
Box = tuple[int, int, int, int]

#: Converted at once.
_STRIP_PIXELS = 1 << 18
#: Bytes that the strips take on their way, all together.
_STRIPS = 24 << 20
#: Bytes a pixel that Pillow holds, by mode, 4 in others; that a format's decoder takes beside it; of what comes out.
_HELD = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16B": 2}
_DECODERS = {"WEBP": 16, "TIFF": 8, "GIF": 8, "HEIF": 12, "AVIF": 12}
_COMES_OUT = 6
_WIDE = re.compile("(LA|RGB[XA]?);16[BLN]")
#: How many times smaller a JPEG can come out of Pillow's decoder, the most first.
_SMALLER = (8, 4, 2, 1)
#: A photo is reduced by averaging to no less than this times what is asked for; a real resize follows.
_GAP = 2
# EXIF orientation -> whether rows and whether columns are mirrored, after the axes were swapped for 5 and more.
_MIRRORED = {
    1: (False, False),
    2: (False, True),
    3: (True, True),
    4: (True, False),
    5: (False, False),
    6: (False, True),
    7: (True, True),
    8: (True, False),
}


def decode_pixels(
    photo: bytes | Header, *, max_pixels: int, min_side: int | None = None, levels: Levels = DEFAULT_LEVELS
) -> Pixels:
    """(H, W, 1) uint8 of a grey photo, else (H, W, 3): as ``inference.photo`` says.

    Args:
        photo: the file, whole, or its header, which is used up.
        max_pixels: the largest width x height accepted, judged before scaling.
        min_side: a larger photo may come out smaller, with both sides at least so many pixels: a JPEG by the inverse DCT
            at a half, a quarter or an eighth of its size, others by averaging whole blocks of pixels.
        levels: how more than 8 bits a channel become 8.

    Raises:
        DecodeError: with any of its codes.
    """
    header = photo if isinstance(photo, Header) else read_header(photo, max_pixels=max_pixels)
    least = min(min_side or header.pixels, header.width, header.height)
    with room.of(memory_needed(header, least)):
        try:
            return turn_upright(_decoded(header, least, levels), header.turn)
        finally:
            header.image.close()


def decode_rgb(
    photo: bytes | Header, *, max_pixels: int, min_side: int | None = None, levels: Levels = DEFAULT_LEVELS
) -> Pixels:
    """As ``decode_pixels``, always (H, W, 3): grey becomes three equal channels."""
    pixels = decode_pixels(photo, max_pixels=max_pixels, min_side=min_side, levels=levels)
    return np.repeat(pixels, 3, axis=2) if pixels.shape[2] == 1 else pixels


def turn_upright(pixels: Pixels, orientation: int) -> Pixels:
    """Undo an EXIF orientation: (H, W, C) as stored to (H', W', C) as a viewer shows it."""
    if orientation == 1:
        return pixels
    if orientation >= 5:
        pixels = pixels.swapaxes(0, 1)
    rows, columns = _MIRRORED[orientation]
    return np.ascontiguousarray(pixels[:: -1 if rows else 1, :: -1 if columns else 1])


def memory_needed(header: Header, min_side: int) -> int:
    """Bytes at the peak of decoding, at most; ``tests/inference/test_photo_memory.py`` measures them."""
    mode, times = header.image.mode, max(1, min(header.width, header.height) // min_side)
    of_file, smaller = 0, 1
    if header.format == "JPEG":
        smaller = next(each for each in _SMALLER if each <= times)
        # Only a progressive one is held as a whole, as coefficients.
        of_file = 2 * len(header.image.getbands()) if header.image.info.get("progressive") else 0
    decoded = header.pixels // smaller**2
    held = _HELD.get(mode, 4) * (2 if _wide_colour(header.image) else 1) + _DECODERS.get(header.format, 0)
    comes_out = _COMES_OUT * decoded // max(1, times // (smaller * _GAP)) ** 2
    return header.pixels * of_file + decoded * held + comes_out + 2 * len(header.data) + _STRIPS


def _decoded(header: Header, min_side: int, levels: Levels) -> Pixels:
    """As the file holds it, not turned."""
    image = header.image
    if header.format == "JPEG":
        image.draft(image.mode, (min_side, min_side))
    wide = _wide_colour(image)
    planes = _planes(header, wide)
    for plane in planes:
        _load(plane)
    values = _values(planes, wide)
    if values is None:
        return _in_strips(image.size, min_side, lambda box: plain(image.crop(box), header.profile))
    narrow = narrowing(
        lambda: (values(box)[0] for box in _boxes(image.size, 1)),
        levels,
        significant_bits=header.significant_bits,
        white_is_zero=header.white_is_zero,
    )

    def plain_strip(box: Box) -> Image.Image:
        colours, alpha = values(box)
        strip = Image.fromarray(narrow(colours))
        if alpha is not None:
            strip.putalpha(Image.fromarray(alpha))
        return plain(strip, header.profile)

    return _in_strips(image.size, min_side, plain_strip)


def _in_strips(size: tuple[int, int], min_side: int, plain_strip: Callable[[Box], Image.Image]) -> Pixels:
    """``plain_strip`` of all of the photo, reduced where it is much larger than asked for."""
    factor = max(1, min(size) // (_GAP * min_side))
    out: Pixels | None = None
    for box in _boxes(size, factor):
        strip = plain_strip(box)
        part = np.asarray(strip.reduce(factor) if factor > 1 else strip)
        part = part.reshape(*part.shape[:2], -1)
        if out is None:
            out = np.empty((-(-size[1] // factor), -(-size[0] // factor), part.shape[2]), dtype=np.uint8)
        out[box[1] // factor :][: len(part)] = part
    assert out is not None
    return out


def _boxes(size: tuple[int, int], factor: int) -> Iterator[Box]:
    """Strips from the top, of a multiple of ``factor`` rows."""
    width, height = size
    rows = max(1, _STRIP_PIXELS // (width * factor)) * factor
    for top in range(0, height, rows):
        yield 0, top, width, min(height, top + rows)


def _values(
    planes: Sequence[Image.Image], wide: str
) -> Callable[[Box], tuple[Numbers, Pixels | None]] | None:
    """Of a photo with more than 8 bits: a strip's numbers, without what is see-through, and that in 8 bits."""
    image = planes[0]
    clear = image.info.get("transparency")

    def of(box: Box) -> tuple[Numbers, Pixels | None]:
        parts = [np.asarray(plane.crop(box)) for plane in planes]
        if not wide:
            numbers, alpha = parts[0], None
        elif wide == "LA":  # two bytes of grey, two of what is see-through
            pairs = parts[0].astype(np.uint16)
            numbers, alpha = pairs[:, :, 0] << 8 | pairs[:, :, 1], parts[0][:, :, 2]
        else:
            both = parts[0].astype(np.uint16) << 8 | parts[1]
            numbers, alpha = both[:, :, :3], parts[0][:, :, 3] if image.mode == "RGBA" else None
        if alpha is None and clear is not None:
            is_clear = (numbers == clear) if numbers.ndim == 2 else (numbers == clear).all(axis=2)
            alpha = np.where(is_clear, 0, 255).astype(np.uint8)
        return numbers, alpha

    return of if wide or image.mode in ("I", "F") or image.mode.startswith("I;16") else None


def _wide_colour(image: Image.Image) -> str:
    """ "RGB", "RGBA" ... or "LA" where the file has 16 bits a channel and Pillow would keep the higher 8; else empty."""
    tiles = getattr(image, "tile", None)
    found = _WIDE.fullmatch(_raw_mode(tiles[0])) if tiles else None
    return found[1] if found else ""


def _raw_mode(tile: Any) -> str:
    return str(tile.args if isinstance(tile.args, str) else tile.args[0])


def _planes(header: Header, wide: str) -> list[ImageFile.ImageFile]:
    """What Pillow is to load: of 16-bit colour the higher bytes, then the lower ones, by telling it the other order."""
    image = header.image
    if not wide:
        return [image]
    if wide == "LA":
        _read_as(image, lambda _raw: "RGBA")
        return [image]
    lower = Image.open(io.BytesIO(header.data), formats=[header.format])
    native = {"little": "B", "big": "L"}[sys.byteorder]
    _read_as(lower, lambda raw: raw[:-1] + {"B": "L", "L": "B", "N": native}[raw[-1]])
    return [image, lower]


def _read_as(image: ImageFile.ImageFile, other: Callable[[str], str]) -> None:
    tiles: list[Any] = image.tile
    image.tile = [
        tile._replace(
            args=other(tile.args) if isinstance(tile.args, str) else (other(tile.args[0]), *tile.args[1:])
        )
        for tile in tiles
    ]


def _load(image: ImageFile.ImageFile) -> None:
    try:
        image.load()
    except MemoryError as error:
        raise DecodeError(
            "too_many_pixels", "The photo unpacks to too much data. Send a smaller version."
        ) from error
    except Exception as error:  # OSError, SyntaxError, struct.error, zlib.error ... by plugin
        raise truncated() from error
