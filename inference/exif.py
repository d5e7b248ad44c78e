"""The orientation tag of an EXIF block, read strictly.

Pillow's EXIF reader turns damage into warnings, and catching warnings is not thread-safe; decoding runs in a thread
pool. Orientation is the one tag we act on, so this reads the first directory (IFD0) and nothing else.

Knows nothing of images or files: one bytes object in, one number out.
"""

from __future__ import annotations

import struct

_ORIENTATION_TAG = 0x0112
_SHORT = 3
_PREFIX = b"Exif\x00\x00"


class BadExif(ValueError):
    """The EXIF block contradicts the TIFF 6.0 directory layout."""


def orientation(block: bytes) -> int:
    """EXIF orientation, 1 to 8; 1 (upright) when the tag is absent or holds a value outside 1 to 8.

    Raises:
        BadExif: no TIFF header, or a first directory that reaches beyond the block.
    """
    while block.startswith(_PREFIX):
        block = block[len(_PREFIX) :]
    if not block:
        return 1
    if len(block) < 8 or block[:4] not in (b"II*\x00", b"MM\x00*"):
        raise BadExif("no TIFF header")
    order = "<" if block[:2] == b"II" else ">"
    (start,) = struct.unpack_from(order + "I", block, 4)
    if start < 8 or start + 2 > len(block):
        raise BadExif("the first directory lies outside the block")
    (count,) = struct.unpack_from(order + "H", block, start)
    if start + 2 + 12 * count > len(block):
        raise BadExif("the first directory is cut off")
    for entry in range(count):
        tag, kind, _ = struct.unpack_from(order + "HHI", block, start + 2 + 12 * entry)
        if tag == _ORIENTATION_TAG and kind == _SHORT:
            (value,) = struct.unpack_from(order + "H", block, start + 2 + 12 * entry + 8)
            # Several cameras write 0 for "unknown"; viewers show that upright.
            return int(value) if 1 <= value <= 8 else 1
    return 1
