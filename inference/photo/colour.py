"""Colours as a camera or a press meant them, to sRGB with 8 bits a channel and no transparency. LittleCMS does the sums.

Knows pixels of any of Pillow's modes and ICC profiles; knows no files.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from functools import lru_cache

from PIL import Image, ImageCms

from inference.photo import BACKDROP

#: Of a grid over all colours: nobody sees a smaller difference, and a photo whose profile makes none is decoded faster.
_NO_DIFFERENCE = 1
_SPACES = {"RGB ": "RGB", "GRAY": "L", "CMYK": "CMYK"}


def plain(image: Image.Image, profile: bytes) -> Image.Image:
    """RGB or L. ``profile``: ICC, or empty for sRGB; one that does not fit the pixels is no reason to lose a photo."""
    alpha = None
    if image.has_transparency_data:
        layer = image.convert("LA" if image.mode in ("L", "LA", "La", "1") else "RGBA")
        alpha, image = layer.getchannel("A"), layer.convert(layer.mode[:-1])
    elif image.mode == "1":
        image = image.convert("L")
    elif image.mode not in ("L", "RGB", "CMYK", "LAB"):
        image = image.convert("RGB")
    change = to_srgb(image.mode, profile)
    if change is not None:
        image = change(image)
    if alpha is None:
        return image
    return Image.composite(
        image, Image.new(image.mode, image.size, (BACKDROP,) * len(image.getbands())), alpha
    )


@lru_cache(maxsize=32)
def to_srgb(mode: str, profile: bytes) -> Callable[[Image.Image], Image.Image] | None:
    """From L, RGB, CMYK or LAB to L or RGB; ``None`` where there is nothing to change."""
    source = _opened(mode, profile)
    if source is None:
        return (lambda image: image.convert("RGB")) if mode in ("CMYK", "LAB") else None
    try:
        made = ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB")
        if mode == "L":
            ramp = Image.frombytes("L", (256, 1), bytes(range(256)))
            curve = made.apply(ramp).getchannel("G").tobytes()
            return None if _alike(curve, ramp.tobytes()) else lambda image: image.point(list(curve))
        if mode == "RGB":
            steps = bytes(range(0, 256, 17))
            grid = Image.frombytes(
                "RGB", (256, 16), bytes(v for r in steps for g in steps for b in steps for v in (r, g, b))
            )
            if _alike(made.apply(grid).tobytes(), grid.tobytes()):
                return None
    except (ImageCms.PyCMSError, OSError, ValueError):
        return to_srgb(mode, b"") if profile else None
    return made.apply


def _opened(mode: str, profile: bytes) -> ImageCms.ImageCmsProfile | None:
    if mode == "LAB":
        return ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
    if not profile:
        return None
    try:
        opened = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    except (ImageCms.PyCMSError, OSError):
        return None
    return opened if _SPACES.get(opened.profile.xcolor_space) == mode else None


def _alike(one: bytes, other: bytes) -> bool:
    return max(abs(a - b) for a, b in zip(one, other, strict=True)) <= _NO_DIFFERENCE


def matrix_profile(
    red: tuple[float, ...], green: tuple[float, ...], blue: tuple[float, ...], gamma: float
) -> bytes:
    """An ICC profile (version 2) of a display with these primaries (XYZ, adapted to D50) and one gamma."""

    def fixed(*values: float) -> bytes:
        return b"".join(struct.pack(">i", round(value * 65536)) for value in values)

    curve = b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256)) + bytes(2)
    tags = [
        (name, b"XYZ " + bytes(4) + fixed(*xyz))
        for name, xyz in ((b"rXYZ", red), (b"gXYZ", green), (b"bXYZ", blue))
    ]
    tags += [(name, curve) for name in (b"rTRC", b"gTRC", b"bTRC")]
    table, content = struct.pack(">I", len(tags)), b""
    for name, body in tags:
        table += name + struct.pack(">II", 128 + 4 + 12 * len(tags) + len(content), len(body))
        content += body
    white = fixed(0.9642, 1.0, 0.8249)
    start = (
        b"lcms"
        + bytes.fromhex("02400000")
        + b"mntrRGB XYZ "
        + bytes(12)
        + b"acsp"
        + bytes(28)
        + white
        + bytes(48)
    )
    return struct.pack(">I", 128 + len(table) + len(content)) + start + table + content


#: Adobe RGB (1998), section 4.3: what cameras mean that say so in EXIF and keep no profile.
ADOBE_RGB = matrix_profile(
    (0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457), 563 / 256
)
