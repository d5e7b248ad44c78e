"""Tags of an EXIF block and the orientation in an XMP packet, read without Pillow.

Pillow's reader turns damage into warnings, and catching warnings is not thread-safe; photos are decoded in a thread pool. A
TIFF file is itself such a block.

Knows nothing of images or files: bytes in, numbers and text out.
"""

from __future__ import annotations

import contextlib
import re
import struct

ORIENTATION, EXIF_IFD, INTEROP_IFD = 0x0112, 0x8769, 0xA005
COLOUR_SPACE, INTEROP_INDEX = 0xA001, 0x0001
TAKEN, TAKEN_OFFSET = 0x9003, 0x9011

#: By type: how a number is unpacked.
_NUMBERS = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i"}
_ASCII = 2
_ORDERS = {b"II*\x00": "<", b"MM\x00*": ">"}
_PREFIX = b"Exif\x00\x00"
_XMP = re.compile(rb"tiff:Orientation\s*(?:=\s*[\"']|>)\s*([1-8])\b")

Tags = dict[int, int | str]


class BadExif(ValueError):
    """The EXIF block contradicts the TIFF 6.0 directory layout."""


def read(block: bytes) -> Tags:
    """The first directory's tags, those of its EXIF directory and of that one's interoperability directory.

    Numbers (the first one, where there are several) and text; tags of other types are left out. A block that is empty or
    holds zeros only, as some programs write, has none. The first directory has to be whole, as it says which way is up; of
    the others what can be read is read.

    Raises:
        BadExif: no TIFF header, or a first directory that reaches beyond the block.
    """
    while block.startswith(_PREFIX):
        block = block[len(_PREFIX) :]
    if not block.strip(b"\0"):
        return {}
    order = _ORDERS.get(block[:4])
    if order is None or len(block) < 8:
        raise BadExif("no TIFF header")
    tags = _directory(block, order, struct.unpack_from(order + "I", block, 4)[0])
    for pointer in (EXIF_IFD, INTEROP_IFD):
        start = tags.get(pointer)
        if isinstance(start, int):
            with contextlib.suppress(BadExif):
                tags = _directory(block, order, start) | tags
    return tags


def orientation(tags: Tags, xmp: bytes = b"") -> int:
    """1 to 8 as in EXIF; 1 (upright) where neither the tags nor an XMP packet says so. Tags are believed first.

    Several cameras write 0 for "unknown"; viewers show that upright.
    """
    value = tags.get(ORIENTATION)
    if isinstance(value, int) and 1 <= value <= 8:
        return value
    found = _XMP.search(xmp.replace(b"\0", b""))  # UTF-16 is read as well
    return int(found[1]) if found else 1


def is_adobe_rgb(tags: Tags) -> bool:
    """What cameras write that were set to Adobe RGB: colour space 2, or "uncalibrated" with the index R03."""
    index = tags.get(INTEROP_INDEX)
    return tags.get(COLOUR_SPACE) == 2 or (
        tags.get(COLOUR_SPACE) == 0xFFFF and isinstance(index, str) and index.startswith("R03")
    )


def _directory(block: bytes, order: str, start: int) -> Tags:
    if start < 8 or start + 2 > len(block):
        raise BadExif("a directory lies outside the block")
    (count,) = struct.unpack_from(order + "H", block, start)
    if start + 2 + 12 * count > len(block):
        raise BadExif("a directory is cut off")
    tags: Tags = {}
    for entry in range(start + 2, start + 2 + 12 * count, 12):
        tag, kind, many = struct.unpack_from(order + "HHI", block, entry)
        if kind in _NUMBERS and many == 1:
            tags.setdefault(tag, struct.unpack_from(order + _NUMBERS[kind], block, entry + 8)[0])
        elif kind == _ASCII:
            place = entry + 8 if many <= 4 else struct.unpack_from(order + "I", block, entry + 8)[0]
            text = block[place : place + min(many, 64)]
            tags.setdefault(tag, text.decode("latin-1").strip("\0 "))
    return tags
