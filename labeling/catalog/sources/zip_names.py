"""The names in a zip archive, byte by byte, whatever they claim to be.

Python's reader gives up a whole archive for one name that claims to be UTF-8 and is not, for one extra field that is
broken, and a member whose name is flagged in one of its two places only. So these are hidden from it, and names read here.
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from zipfile import ZipInfo

_MEMBER, _LOCAL = b"PK\x01\x02", b"PK\x03\x04"  # APPNOTE 4.3.12 and 4.3.7
_MEMBER_SIZE, _LOCAL_SIZE = 46, 30
_UTF8 = 0x800
_NEWEST_VERSION = zipfile.MAX_EXTRACT_VERSION
_CLAIMS_UTF8 = 0x8000  # a bit of the same field that means nothing
_UNICODE_PATH = 0x7075
_END = b"PK\x05\x06"  # 4.3.16
_STANDS_IN_ZIP64 = b"\xff" * 4  # 4.5.3: a size, or where the member begins
_NOWHERE = b"\xfe\xff\xff\xff"


class BlindToNames(io.BufferedReader):
    """The file of an archive for :class:`zipfile.ZipFile`, which then takes each name for single bytes (CP437)."""

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        if data.startswith(_MEMBER):
            return _blinded(data)
        if len(data) == _LOCAL_SIZE and data.startswith(_LOCAL):
            made = bytearray(data)
            struct.pack_into("<H", made, 6, struct.unpack_from("<H", made, 6)[0] & ~_UTF8)
            return bytes(made)
        return data


def name_of(member: ZipInfo) -> str | bytes:
    """A member's name: text where the archive says truly what it is, else the bytes that stand there."""
    raw = member.orig_filename.encode("cp437")
    if member.flag_bits & _CLAIMS_UTF8:
        return _utf8(raw) or raw
    return _unicode_path(member.extra, raw) or raw


def _blinded(directory: bytes) -> bytes:
    made = bytearray(directory)
    at = 0
    while directory.startswith(_MEMBER, at) and at + _MEMBER_SIZE <= len(directory):
        (flags,) = struct.unpack_from("<H", directory, at + 8)
        if flags & _UTF8:
            struct.pack_into("<H", made, at + 8, flags & ~_UTF8 | _CLAIMS_UTF8)
        (needed,) = struct.unpack_from("<H", directory, at + 6)
        # A member of a kind that is not known here is refused when it is read; it must not stop the others.
        struct.pack_into("<H", made, at + 6, min(needed, _NEWEST_VERSION))
        next_at = at + _MEMBER_SIZE + sum(struct.unpack_from("<HHH", directory, at + 28))
        if not _is_read(bytes(made[at:next_at])):
            made[at:next_at] = _without_extra(made[at:next_at])
        at = next_at
    return bytes(made)


def _is_read(entry: bytes) -> bool:
    """Whether Python's reader takes this entry of a directory, and would not give up the whole directory for it."""
    end = struct.pack("<4s4H2LH", _END, 0, 0, 1, 1, len(entry), 0, 0)
    try:
        zipfile.ZipFile(io.BytesIO(entry + end)).close()
    except Exception:  # what stands in an archive makes its reader fail in many ways
        return False
    return True


def _without_extra(entry: bytearray) -> bytes:
    """The entry with an empty extra field of the same length. A member whose place stands in there has none then."""
    name, extra = struct.unpack_from("<HH", entry, 28)
    entry[_MEMBER_SIZE + name : _MEMBER_SIZE + name + extra] = bytes(extra)
    if _STANDS_IN_ZIP64 in (entry[20:24], entry[24:28], entry[42:46]):
        entry[24:28], entry[42:46] = bytes(4), _NOWHERE
    return bytes(entry)


def _unicode_path(extra: bytes, raw: bytes) -> str | None:
    """The name in Info-ZIP's Unicode Path field (APPNOTE 4.6.9), if it is there and of this very name."""
    while len(extra) >= 4:
        kind, size = struct.unpack_from("<HH", extra)
        field, extra = extra[4 : 4 + size], extra[4 + size :]
        if kind == _UNICODE_PATH and len(field) > 5 and field[0] == 1:
            (checksum,) = struct.unpack_from("<I", field, 1)
            if checksum == zlib.crc32(raw):
                return _utf8(field[5:])
    return None


def _utf8(raw: bytes) -> str | None:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return None
