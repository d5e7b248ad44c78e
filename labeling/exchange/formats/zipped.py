"""A zip that is sent while it is written: one entry in memory, and on the disk what its directory will say of the others.

The manifest is its last entry.
"""

from __future__ import annotations

import json
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import IO, Any

from labeling.exchange.manifest import manifest_of
from labeling.exchange.tables.sink import Sink
from labeling.exchange.writing import Written

#: Name of an entry, and its bytes: whole (photos, which are compressed already), or in pieces.
Entry = tuple[str, bytes | Iterable[bytes]]
#: What an entry's line in the directory needs to know that only its writing told.
_TOLD = (
    "header_offset",
    "CRC",
    "compress_size",
    "file_size",
    "flag_bits",
    "extract_version",
    "create_version",
)


class _OnDisk:
    """``ZipFile.filelist``, for writing: in memory each of a hundred thousand entries takes a kilobyte."""

    def __init__(self, file: IO[str], at: datetime) -> None:
        self._file = file
        self._at = at
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[zipfile.ZipInfo]:
        self._file.seek(0)
        for line in self._file:
            name, how, *told = json.loads(line)
            entry = _entry(name, self._at, how)
            for attribute, value in zip(_TOLD, told, strict=True):
                setattr(entry, attribute, value)
            yield entry

    def append(self, entry: zipfile.ZipInfo) -> None:
        told = (getattr(entry, attribute) for attribute in _TOLD)
        self._file.write(json.dumps([entry.filename, entry.compress_type, *told]) + "\n")
        self._count += 1


class _NoNames(dict[str, Any]):
    """``ZipFile.NameToInfo``, of which writing asks only whether a name came before: each comes once."""

    def __setitem__(self, name: str, entry: Any) -> None:
        pass


def zipped(written: Written, entries: Iterable[Entry]) -> Iterator[bytes]:
    """The zip in pieces. Times in it are the data set's, so that it comes out the same each time."""
    sink = Sink()
    at = written.data_set.created_at
    with tempfile.TemporaryFile("w+", encoding="utf-8") as told, zipfile.ZipFile(sink, "w") as file:
        file.filelist, file.NameToInfo = _OnDisk(told, at), _NoNames()  # type: ignore[assignment]
        for name, data in entries:
            if isinstance(data, bytes):
                file.writestr(_entry(name, at, zipfile.ZIP_STORED), data)
                yield sink.taken()
                continue
            # How large it becomes is not known before, so room for more than 4 GiB is left.
            with file.open(_entry(name, at, zipfile.ZIP_DEFLATED), "w", force_zip64=True) as open_entry:
                for piece in data:
                    open_entry.write(piece)
                    if ready := sink.taken():
                        yield ready
        manifest = json.dumps(manifest_of(written), ensure_ascii=False, indent=1).encode()
        file.writestr(_entry("manifest.json", at, zipfile.ZIP_DEFLATED), manifest)
        yield sink.taken()
        yield from sink.all_of(file.close)  # the directory, a hundred bytes an entry


def _entry(name: str, at: datetime, how: int) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, at.timetuple()[:6])
    entry.compress_type = how
    entry.external_attr = 0o644 << 16
    return entry
