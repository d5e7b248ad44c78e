"""Files of an intake that lie elsewhere, as at addresses that a table names. Their bytes come over the network once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import unquote, urlsplit

from django.conf import settings

from labeling.catalog.metadata.tables import FILE_NAME, lines_of
from labeling.catalog.name_encodings import Reading, kept_path
from labeling.catalog.photos import PhotoRefused
from labeling.catalog.sources.errors import SourceError
from labeling.catalog.sources.source import LONGEST_PATH, Listed
from labeling.http import public_addresses

URLS = "urls.csv"
URL = "url"
MOST_ADDRESSES = 100_000
#: What servers of files call a photo whose kind they do not know.
_KINDS = ("image/", "application/octet-stream", "binary/octet-stream")


class Remote:
    """What has been read lies on this machine until :meth:`let_go`, for whoever reads it once more."""

    reading: Reading | None = None

    def __init__(self) -> None:
        self._here = TemporaryDirectory(prefix="hilltop-intake-")

    def read(self, path: str) -> bytes:
        here = Path(self._here.name) / hashlib.sha256(path.encode()).hexdigest()
        with suppress(FileNotFoundError):
            return here.read_bytes()
        data = self.fetch(path)
        if len(data) > settings.INTAKE_MAX_BYTES:
            raise PhotoRefused("too_large")
        here.write_bytes(data)
        return data

    def fetch(self, path: str) -> bytes:
        """At most a byte more than ``INTAKE_MAX_BYTES``. Raises :class:`~labeling.catalog.photos.PhotoRefused`."""
        raise NotImplementedError

    def let_go(self) -> None:
        for file in Path(self._here.name).iterdir():
            file.unlink()

    def close(self) -> None:
        self._here.cleanup()


class UrlTable(Remote):
    """A staged CSV with an address in the column ``url``; the photo's name in ``file_name``, if it has one; and metadata."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._table = folder / URLS

    def listing(self) -> Iterator[Listed]:
        try:
            lines = list(lines_of(self._table.read_bytes(), URL))
        except FileNotFoundError:
            raise SourceError("table_gone") from None
        except PhotoRefused:
            raise SourceError("table_unreadable") from None
        if len(lines) > MOST_ADDRESSES:
            raise SourceError("table_long", limit=MOST_ADDRESSES)
        for line in lines:
            name = str(line.values.pop(FILE_NAME, "")) or _name_of(line.key)
            path, refused = f"{line.number}:{line.key}", line.refused
            if len(path) > LONGEST_PATH:
                path, refused = str(line.number), "path_too_long"
            yield Listed(kept_path(name) or path, path, refused, metadata=line.values or None)

    def fetch(self, path: str) -> bytes:
        try:
            url = path.partition(":")[2]
            return public_addresses.fetch(url, most_bytes=settings.INTAKE_MAX_BYTES, kinds=_KINDS).data
        except public_addresses.NotFetched as error:
            raise PhotoRefused("too_large" if error.code == "too_large" else f"url_{error.code}") from error


def _name_of(url: str) -> str:
    try:
        return unquote(urlsplit(url).path.rstrip("/").rpartition("/")[2])
    except ValueError:
        return ""
