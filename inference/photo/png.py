"""The chunks of a PNG that say something of its pixels and may be anywhere in it: EXIF, XMP, the colour profile.

They are taken out of the file, and texts with them, before anybody decodes it: Pillow calls a sound file broken where one of
them is large, and reads those behind the pixels with the pixels only.

Knows nothing of images: bytes in, bytes out.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass

SIGNATURE = b"\x89PNG\r\n\x1a\n"
#: Of a chunk once it is unpacked. The largest profiles have some 4 MB; what unpacks to more says nothing to us.
MOST_BYTES = 16 * 2**20

_XMP = b"XML:com.adobe.xmp"
#: ImageMagick's way to keep EXIF, older than the chunk for it: a few lines, then hexadecimal digits.
_RAW_EXIF = (b"Raw profile type exif", b"Raw profile type APP1")


@dataclass
class Chunks:
    """``file``: the PNG without these chunks. The others are empty where there are none.

    ``significant_bits``: a channel, as far as the file says so; 0 where it does not.
    """

    file: bytes
    exif: bytes = b""
    xmp: bytes = b""
    profile: bytes = b""
    significant_bits: int = 0


def taken_apart(data: bytes) -> Chunks:
    """Any bytes that begin as a PNG. What is cut off stays so, for the decoder to find."""
    found = Chunks(data)
    kept = [data[:8]]
    at = whole = 8
    while at + 12 <= len(data):
        kind = data[at + 4 : at + 8]
        end = at + 12 + int.from_bytes(data[at : at + 4])
        if kind in _READERS and end <= len(data):
            _READERS[kind](found, data[at + 8 : end - 4])
            kept.append(data[whole:at])
            whole = end
        elif kind == b"sBIT" and end <= len(data):
            found.significant_bits = max(data[at + 8 : end - 4], default=0)
        at = end
    if whole > 8:
        found.file = b"".join([*kept, data[whole:]])
    return found


def _unpacked(packed: bytes) -> bytes:
    """Empty where it is damaged, or unpacks to more than ``MOST_BYTES``."""
    unpacker = zlib.decompressobj()
    try:
        out = unpacker.decompress(packed, MOST_BYTES)
    except zlib.error:
        return b""
    return b"" if unpacker.unconsumed_tail else out


def _exif(found: Chunks, content: bytes) -> None:
    found.exif = found.exif or content


def _profile(found: Chunks, content: bytes) -> None:
    found.profile = _unpacked(content.partition(b"\0")[2][1:])


def _international_text(found: Chunks, content: bytes) -> None:
    keyword, _, rest = content.partition(b"\0")
    if keyword == _XMP:
        # Whether it is packed, how; then language and translated keyword, each up to a zero.
        text = rest[2:].split(b"\0", 2)[-1]
        found.xmp = _unpacked(text) if rest[:1] == b"\1" else text


def _text(found: Chunks, content: bytes) -> None:
    keyword, _, text = content.partition(b"\0")
    _raw_exif(found, keyword, text)


def _packed_text(found: Chunks, content: bytes) -> None:
    keyword, _, packed = content.partition(b"\0")
    if keyword in _RAW_EXIF:
        _raw_exif(found, keyword, _unpacked(packed[1:]))


def _raw_exif(found: Chunks, keyword: bytes, text: bytes) -> None:
    if keyword in _RAW_EXIF and not found.exif:
        digits = b"".join(text.split(b"\n")[3:]).decode("latin-1")
        try:
            found.exif = bytes.fromhex(digits)
        except ValueError:
            found.exif = b"not hexadecimal"  # it is refused like any other that cannot be read


_READERS: dict[bytes, Callable[[Chunks, bytes], None]] = {
    b"eXIf": _exif,
    b"iCCP": _profile,
    b"iTXt": _international_text,
    b"tEXt": _text,
    b"zTXt": _packed_text,
}
