"""A file as it was sent: by itself, or an archive of labels, perhaps with photos. Bounded, whatever it claims to be."""

from __future__ import annotations

import hashlib
import io
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import ijson

from labeling.catalog.sources.errors import SourceError
from labeling.catalog.sources.source import ARCHIVE, Archive
from labeling.exchange.imports.members import Members
from labeling.exchange.imports.nesting import refuse_deep
from labeling.exchange.imports.photo_names import is_photo, is_sha256, path_of
from labeling.exchange.imports.reader import Unreadable

#: Of one file of labels, unpacked.
MOST_BYTES = 2**29
LABELS = "labels"
#: So much of a JSON text says what it is.
_LOOKED_AT = 20_000


class Package:
    """A staged folder that holds one file: an archive, or labels under the ``name`` they were sent with."""

    def __init__(self, folder: Path, name: str) -> None:
        self._archive: Archive | None = None
        self._shallow: set[str] = set()
        if (folder / ARCHIVE).exists():
            try:
                self._archive = Archive(folder)
                self._members = Members(
                    (listed.name, int(listed.path))
                    for listed in self._archive.listing()
                    if not listed.refused or (listed.refused == "too_large" and not is_photo(listed.name))
                )
            except SourceError as error:
                self._close_archive()
                raise Unreadable(str(error)) from None
        else:
            self._file = folder / LABELS
            self._members = Members([(name, 0)])

    @property
    def is_archive(self) -> bool:
        return self._archive is not None

    def close(self) -> None:
        self._members.close()
        self._close_archive()

    def _close_archive(self) -> None:
        if self._archive is not None:
            self._archive.close()

    # -- labels -------------------------------------------------------------------------------------------------

    def ending_in(self, *endings: str) -> list[str]:
        """Names of files of labels. What Hilltop writes beside them is none."""
        return [
            name for name in self._members.ending_in(*endings) if name.rpartition("/")[2] != "manifest.json"
        ]

    def open(self, name: str) -> IO[bytes]:
        """Its bytes from the beginning, no more than :data:`MOST_BYTES`; reading on raises :class:`Unreadable`."""
        if self._archive is None:
            with suppress(FileNotFoundError):
                return self._file.open("rb")
            raise Unreadable("The file is gone. Send it again.")
        member = self._archive.zip.infolist()[self._members.number(name)]
        try:
            return io.BufferedReader(_Bounded(self._archive.zip.open(member)))
        except Exception:  # what stands in an archive makes its reader fail in many ways
            raise Unreadable(
                f"{name} cannot be unpacked. Pack the archive again and send it again."
            ) from None

    def seekable(self, name: str) -> IO[bytes]:
        """The same, where one must go back and forth: of an archive a copy that goes when it is closed."""
        if self._archive is None:
            return self.open(name)
        copy = tempfile.TemporaryFile()  # noqa: SIM115 - closed by whoever asks
        with self.open(name) as file:
            shutil.copyfileobj(file, copy)
        copy.seek(0)
        return copy

    def begins(self, name: str) -> tuple[str, set[str]]:
        """What a JSON text is: ``map`` or ``array``, and the first names in it, or in its first object; else empty."""
        found: set[str] = set()
        kind = ""
        try:
            with self._json(name) as file:
                for number, (prefix, event, value) in enumerate(ijson.parse(file)):
                    if number == 0:
                        kind = {"start_map": "map", "start_array": "array"}.get(event, "")
                    within = "" if kind == "map" else "item"
                    if event == "map_key" and prefix == within:
                        found.add(value)
                    if not kind or number > _LOOKED_AT:
                        break
        except (ijson.JSONError, UnicodeDecodeError, Unreadable):
            return (kind, found) if found else ("", set())
        return kind, found

    def _json(self, name: str) -> IO[bytes]:
        if name not in self._shallow:
            with self.open(name) as file:
                refuse_deep(file)
            self._shallow.add(name)
        return self.open(name)

    def items(self, name: str, prefix: str) -> Iterator[Any]:
        """What stands at a place of a JSON text, one at a time."""
        try:
            with self._json(name) as file:
                yield from ijson.items(file, prefix, use_float=True)
        except (ijson.JSONError, UnicodeDecodeError) as error:
            raise Unreadable(f"{name} is no whole JSON text ({error}). Export it again.") from None

    def pairs(self, name: str, prefix: str) -> Iterator[tuple[str, Any]]:
        """The same of an object's names and values."""
        try:
            with self._json(name) as file:
                yield from ijson.kvitems(file, prefix, use_float=True)
        except (ijson.JSONError, UnicodeDecodeError) as error:
            raise Unreadable(f"{name} is no whole JSON text ({error}). Export it again.") from None

    # -- photos -------------------------------------------------------------------------------------------------

    @property
    def photos(self) -> Iterator[str]:
        return self._members.each_photo() if self.is_archive else iter(())

    @property
    def photo_count(self) -> int:
        return self._members.photos if self.is_archive else 0

    def hash_of(self, named: str, *, stated: str = "", beside: str = "") -> str:
        """SHA-256 of the photo that is called so: as it is ``stated``, else of the archive's; empty where nobody knows.

        ``beside``: a file of labels that names photos from where it lies.
        """
        if is_sha256(stated):
            return stated.lower()
        inside = self.photo(named, beside) if self.photo_count and named else None
        return self.sha256(inside) if inside else ""

    def photo(self, named: str, beside: str = "") -> str | None:
        """The one photo of the archive that is called so. A name without an ending is looked for with any."""
        path = path_of(named).encode(errors="replace").decode()
        beside_it = f"{beside.rpartition('/')[0]}/{path}".lstrip("/")
        for wanted in (beside_it, path):
            if self._members.is_photo(wanted):
                return wanted
        found = self._members.photos_called(path.rpartition("/")[2])
        alike = [name for name in found if _ends_in(name, path) or _ends_in(path, name)]
        return alike[0] if len(alike) == 1 else None

    def sha256(self, photo: str) -> str:
        """Of a photo of the archive, read once; empty where it cannot be read."""
        assert self._archive is not None
        number, known = self._members.photo(photo)
        if known is not None:
            return known
        digest = hashlib.sha256()
        try:
            with self._archive.zip.open(self._archive.zip.infolist()[number]) as file:
                while piece := file.read(2**20):
                    digest.update(piece)
            known = digest.hexdigest()
        except Exception:  # what stands in an archive makes its reader fail in many ways
            known = ""
        self._members.keep_sha256(photo, known)
        return known


def _ends_in(path: str, end: str) -> bool:
    stem = path if "." in end.rpartition("/")[2] else path.rpartition(".")[0]
    return f"/{stem}".endswith(f"/{end}")


class _Bounded(io.RawIOBase):
    """A member of an archive may unpack to more than it says."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._left = MOST_BYTES

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            data = self._file.read(len(buffer))
        except (zipfile.BadZipFile, OSError, EOFError, RuntimeError, NotImplementedError, ValueError):
            raise Unreadable("The archive is damaged. Pack it again and send it again.") from None
        except Exception as error:  # zlib, lzma, bz2: each has its own
            raise Unreadable("The archive is damaged. Pack it again and send it again.") from error
        self._left -= len(data)
        if self._left < 0:
            raise Unreadable(
                f"The labels unpack to more than {MOST_BYTES >> 20}\u00a0MB. Split the file and send the parts."
            )
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._file.close()
        super().close()
