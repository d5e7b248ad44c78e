"""A zip that is sent while it is written: no file on the disk, one entry in memory. The manifest is its last entry."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterable, Iterator
from datetime import datetime

from labeling.exchange.manifest import manifest_of
from labeling.exchange.tables.sink import Sink
from labeling.exchange.writing import Written

#: Name of an entry, and its bytes: whole (photos, which are compressed already), or in pieces.
Entry = tuple[str, bytes | Iterable[bytes]]


def zipped(written: Written, entries: Iterable[Entry]) -> Iterator[bytes]:
    """The zip in pieces. Times in it are the data set's, so that it comes out the same each time."""
    sink = Sink()
    at = written.data_set.created_at
    with zipfile.ZipFile(sink, "w") as file:
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


def _entry(name: str, at: datetime, how: int) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, at.timetuple()[:6])
    entry.compress_type = how
    entry.external_attr = 0o644 << 16
    return entry
