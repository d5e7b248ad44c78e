"""Photo files of every kind whose right pixels are known: turned, with profiles, with 16 bits."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageCms, PngImagePlugin

Pixels = npt.NDArray[np.uint8]

#: Formats that Pillow writes, and what keeps the colours near enough to be told apart.
FORMATS: dict[str, dict[str, Any]] = {
    "JPEG": {"quality": 95, "subsampling": 0},
    "PNG": {},
    "WEBP": {"lossless": True},
    "TIFF": {},
    "AVIF": {"quality": 95, "subsampling": "4:4:4", "speed": 9},
}
# EXIF orientation -> how a camera held so stores what a person sees.
_STORED = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}
_XMP = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="{}"/></rdf:RDF></x:xmpmeta>'
)


def seen(width: int = 96, height: int = 64) -> Image.Image:
    """Blue, the upper left corner red, the lower left one green: told apart in all eight orientations."""
    pixels = np.full((height, width, 3), (40, 60, 200), np.uint8)
    pixels[: height * 3 // 8, : width // 3] = (220, 30, 30)
    pixels[-(height * 3 // 8) :, : width // 3] = (30, 190, 60)
    return Image.fromarray(pixels)


def is_upright(pixels: Pixels, width: int = 96, height: int = 64) -> bool:
    """Whether these are the pixels of :func:`seen`, however lossily they were kept."""
    return pixels.shape == (height, width, 3) and bool(
        np.abs(pixels.astype(int) - np.asarray(seen(width, height))).mean() < 8
    )


def stored(image: Image.Image, orientation: int) -> Image.Image:
    how = _STORED.get(orientation)
    return image if how is None else image.transpose(Image.Transpose(how))


def encoded(image: Image.Image, format: str, **save: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, format, **FORMATS.get(format, {}) | save)
    return file.getvalue()


def turned(format: str, orientation: int, by: str) -> bytes:
    """:func:`seen` as a camera stores it, which says so ``by`` "exif", "long" (EXIF, as a long number) or "xmp"."""
    image = stored(seen(), orientation)
    how: dict[str, Any] = {}
    if format == "TIFF" and by == "exif":
        how = {"tiffinfo": {0x0112: orientation}}
    elif format == "TIFF" and by == "long":
        directory = tags(orientation)
        directory.tagtype[0x0112] = 4
        how = {"tiffinfo": directory}
    elif format == "TIFF":
        how = {"tiffinfo": {700: _XMP.format(orientation).encode()}}
    elif by == "xmp" and format == "PNG":
        info = PngImagePlugin.PngInfo()
        info.add_itxt("XML:com.adobe.xmp", _XMP.format(orientation))
        how = {"pnginfo": info}
    elif by == "xmp":
        how = {"xmp": _XMP.format(orientation).encode()}
    else:
        how = {"exif": exif((0x0112, 4 if by == "long" else 3, orientation))}
    return encoded(image, format, **how)


def tags(orientation: int) -> Any:
    from PIL.TiffImagePlugin import ImageFileDirectory_v2

    made = ImageFileDirectory_v2()
    made[0x0112] = orientation
    return made


def exif(*entries: tuple[int, int, int], details: tuple[tuple[int, int, int], ...] = ()) -> bytes:
    """An EXIF block of (tag, type, number) in its first directory, and ``details`` in the one that this names."""
    if details:
        entries = (*entries, (0x8769, 4, 8 + 2 + 12 * (len(entries) + 1) + 4))
    block = b"II*\0" + struct.pack("<I", 8)
    for directory in (entries, details):
        block += struct.pack("<H", len(directory))
        block += b"".join(
            struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in directory
        ) + bytes(4)
    return b"Exif\0\0" + block


def png(
    pixels: npt.NDArray[Any], *chunks: tuple[bytes, bytes], behind: tuple[tuple[bytes, bytes], ...] = ()
) -> bytes:
    """(H, W) or (H, W, 2 to 4), 8 or 16 bits; ``chunks`` before the pixels, and some ``behind`` them."""
    height, width = pixels.shape[:2]
    kind = {1: 0, 2: 4, 3: 2, 4: 6}[1 if pixels.ndim == 2 else pixels.shape[2]]
    rows = np.ascontiguousarray(pixels.astype(f">u{pixels.dtype.itemsize}"))
    lines = b"".join(b"\0" + row.tobytes() for row in rows)
    header = struct.pack(">IIBBBBB", width, height, 8 * pixels.dtype.itemsize, kind, 0, 0, 0)
    parts = [(b"IHDR", header), *chunks, (b"IDAT", zlib.compress(lines)), *behind, (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in parts
    )


def tiff(
    pixels: npt.NDArray[Any],
    *,
    photometric: int | None = None,
    order: Literal["<", ">"] = "<",
    more: tuple[tuple[int, list[int]], ...] = (),
) -> bytes:
    """(H, W) or (H, W, 3 or 4), any type of numbers, in one strip, not compressed; ``more`` entries of the directory."""
    height, width = pixels.shape[:2]
    bands = 1 if pixels.ndim == 2 else pixels.shape[2]
    content = pixels.astype(pixels.dtype.newbyteorder(order)).tobytes()
    numbers = {"u": 1, "i": 2, "f": 3}[pixels.dtype.kind]
    meaning = photometric if photometric is not None else (1 if bands == 1 else 2)
    entries: list[tuple[int, list[int]]] = [
        (256, [width]), (257, [height]), (258, [8 * pixels.dtype.itemsize] * bands), (259, [1]), (262, [meaning]),
        (273, [0]), (277, [bands]), (278, [height]), (279, [len(content)]),
        *more, *([(338, [2])] if bands == 4 else []), (339, [numbers] * bands),
    ]  # fmt: skip
    at = 8 + 2 + 12 * len(entries) + 4
    directory, beyond = struct.pack(order + "H", len(entries)), b""
    start = at + sum(4 * len(values) for _tag, values in entries if len(values) > 1)
    for tag, values in entries:
        values = [start] if tag == 273 else values
        packed = struct.pack(f"{order}{len(values)}I", *values)
        place = packed if len(values) == 1 else struct.pack(order + "I", at + len(beyond))
        beyond += b"" if len(values) == 1 else packed
        directory += struct.pack(order + "HHI", tag, 4, len(values)) + place
    return (
        {"<": b"II*\0", ">": b"MM\0*"}[order]
        + struct.pack(order + "I", 8)
        + directory
        + bytes(4)
        + beyond
        + content
    )


def cmyk_profile(colour: tuple[int, int, int]) -> bytes:
    """ICC of a press whose paper is white and whose black is black; every other ink, alone or not, prints ``colour``."""

    def lab(rgb: tuple[int, int, int]) -> bytes:
        change = ImageCms.buildTransform(
            ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB"
        )
        lightness, a, b = change.apply(Image.new("RGB", (1, 1), rgb)).tobytes()
        return bytes((lightness, (a + 128) % 256, (b + 128) % 256))

    identity = struct.pack(">9i", *(65536 if at % 4 == 0 else 0 for at in range(9)))
    paper, ink, black = lab((255, 255, 255)), lab(colour), lab((0, 0, 0))
    nodes = paper + black + (ink + black) * 7  # black is the channel that changes fastest
    ramp = bytes(range(256))
    table = b"mft1" + bytes(4) + bytes((4, 3, 2, 0)) + identity + ramp * 4 + nodes + ramp * 3
    start = b"lcms" + bytes.fromhex("02400000") + b"prtrCMYKLab " + bytes(12) + b"acsp" + bytes(28)
    start += struct.pack(">3i", 63190, 65536, 54061) + bytes(48)
    names = (b"A2B0", b"A2B1")
    index = struct.pack(">I", len(names)) + b"".join(
        name + struct.pack(">II", 128 + 4 + 12 * len(names), len(table)) for name in names
    )
    return struct.pack(">I", 128 + len(index) + len(table)) + start + index + table
