"""Where the files of an intake wait: staged uploads, a staged zip, or a folder on the server.

A source lists what it holds and gives the bytes of one file, bounded, whatever the file claims about itself.
Nothing is ever unpacked to a path that an archive names.
"""

from __future__ import annotations

import hashlib
import os
import stat
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Protocol
from urllib.parse import quote_from_bytes, unquote_to_bytes

from django.conf import settings

from labeling.catalog.models import IntakeFile
from labeling.catalog.name_encodings import Reading, kept_path, leads_out, read, reading_of
from labeling.catalog.photos import PhotoRefused
from labeling.catalog.sources.errors import SourceError
from labeling.catalog.sources.zip_names import BlindToNames, BlindZip, name_of
from labeling.text.lengths import longest

ARCHIVE = "archive.zip"
LONGEST_PATH = longest(IntakeFile, "path")
_CLUTTER = frozenset({"thumbs.db", "desktop.ini", "__macosx"})


@dataclass(frozen=True, slots=True)
class Listed:
    """A file of the source.

    ``path``: by which :meth:`Source.read` finds it. ``refused``: a refusal code known without looking at the bytes, or
    empty. ``raw``: its name's bytes, where nothing says how they are meant (``name`` is then read as ``Source.reading``).
    ``metadata``: what came with it, for the photo. ``version``: another one where its bytes may have changed; of files that
    are looked at again.
    """

    name: str
    path: str
    refused: str = ""
    raw: bytes | None = None
    metadata: dict[str, str | int | float] | None = None
    version: str = ""


class Source(Protocol):
    #: How names that came as bytes are read, known when they are listed; ``None`` where there are no such.
    reading: Reading | None

    def listing(self) -> Iterator[Listed]:
        """All files, folders and clutter left out. May raise :class:`SourceError`."""

    def read(self, path: str) -> bytes:
        """The bytes of one listed file. Raises :class:`~labeling.catalog.photos.PhotoRefused`."""

    def close(self) -> None: ...


class StagedFiles:
    """Uploads, staged by the web process, which wrote their rows as well: there is nothing to list."""

    reading: Reading | None = None

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def listing(self) -> Iterator[Listed]:
        return iter(())

    def read(self, path: str) -> bytes:
        return _read_file(self.folder / path)

    def close(self) -> None:
        pass


class Archive:
    """A staged zip. Members go by their number in the archive, never by their name, which may lie.

    ``encoding`` is how names are read that the archive says nothing of; empty: find out.
    """

    def __init__(self, folder: Path, encoding: str = "") -> None:
        self.reading: Reading | None = None
        self._encoding = encoding
        try:
            self.file = BlindToNames((folder / ARCHIVE).open("rb", buffering=0))
        except FileNotFoundError:
            raise SourceError("archive_gone") from None
        try:
            self.zip = BlindZip(self.file)
        except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError):
            self.file.close()
            raise SourceError("archive_broken") from None

    def listing(self) -> Iterator[Listed]:
        members = self.zip.infolist()
        if len(members) > settings.INTAKE_MAX_ZIP_MEMBERS:
            raise SourceError("archive_many", limit=settings.INTAKE_MAX_ZIP_MEMBERS)
        bound = settings.INTAKE_MAX_ZIP_BYTES
        # What a member claims that is refused for its size is no size of the others.
        if sum(size for member in members if (size := member.file_size) <= settings.INTAKE_MAX_BYTES) > bound:
            raise SourceError("archive_large", limit=f"{bound / 2**30:.3g}")
        self.reading = reading_of(map(name_of, members), self._encoding)
        encoding = self.reading.encoding if self.reading else "ascii"
        for number, member in enumerate(members):
            raw = name_of(member)
            # Only the name as it is meant tells folders and dots: half a letter of Shift-JIS may look like a backslash.
            name = read(raw, encoding)
            if name.endswith("/") or is_clutter(name):
                continue
            unsaid = raw if isinstance(raw, bytes) and not raw.isascii() else None
            refused = "unsafe_path" if leads_out(name) else _refused_member(member)
            yield Listed(name=kept_path(name), path=str(number), refused=refused, raw=unsaid)

    def read(self, path: str) -> bytes:
        member = self.zip.infolist()[int(path)]
        try:
            with self.zip.open(member) as file:
                data = file.read(settings.INTAKE_MAX_BYTES + 1)
        except Exception:  # what stands in an archive makes its reader fail in many ways
            raise PhotoRefused("truncated") from None
        if len(data) > settings.INTAKE_MAX_BYTES:
            raise PhotoRefused("too_large")
        return data

    def close(self) -> None:
        self.zip.close()
        self.file.close()


class ServerFolder:
    """A folder that the server's administrator opened for intake, by name or within one of ``roots``.

    ``encoding``: as for an archive, of names that are no UTF-8.
    """

    reading: Reading | None = None

    def __init__(self, folder: Path, roots: Sequence[Path], encoding: str = "") -> None:
        self._encoding = encoding
        self.roots = [root.resolve() for root in roots]
        self.folder = folder.resolve()
        if not any(self.folder.is_relative_to(root) for root in self.roots):
            raise SourceError("folder_outside")

    def listing(self) -> Iterator[Listed]:
        if not self.folder.is_dir():
            raise SourceError("folder_gone")
        if not os.access(self.folder, os.R_OK | os.X_OK):
            raise SourceError("folder_closed")
        # Two passes, so that names which are no UTF-8 are read together; there are hardly ever any.
        strange = [raw for raw, _refused in self._walk() if not _is_utf8(raw)]
        self.reading = reading_of(strange, self._encoding)
        for raw, refused in self._walk():
            unsaid = None if _is_utf8(raw) else raw
            name = kept_path(read(raw, self.reading.encoding if unsaid and self.reading else "utf-8"))
            path = _path_kept(raw)
            if len(path) > LONGEST_PATH:
                # Never read, so its row needs no path but one of its own.
                path, refused = "/" + hashlib.sha256(raw).hexdigest(), refused or "path_too_long"
            version = "" if refused else self._version(raw)
            yield Listed(name=name, path=path, refused=refused, raw=unsaid, version=version)

    def _version(self, raw: bytes) -> str:
        try:
            found = os.stat(os.path.join(os.fsencode(self.folder), raw))
        except OSError:
            return ""
        # The time of its last change of any kind: one that was allowed to be read is another one, too.
        return f"{found.st_size}-{found.st_ctime_ns}"

    def _walk(self) -> Iterator[tuple[bytes, str]]:
        """Paths below the folder with the reason for which each cannot come in: files, and folders that are not entered."""
        unreadable: list[OSError] = []
        for parent, folders, files in os.walk(self.folder, onerror=unreadable.append):
            here = Path(parent).relative_to(self.folder)
            folders[:] = sorted(name for name in folders if not is_clutter(name))
            for name in folders:
                if os.path.islink(os.path.join(parent, name)):  # may lead outside, or around in a circle
                    yield os.fsencode((here / name).as_posix()), "folder_linked"
            for name in sorted(files):
                if not is_clutter(name):
                    yield os.fsencode((here / name).as_posix()), ""
        for error in unreadable:
            yield os.fsencode(os.path.relpath(error.filename, self.folder)), "folder_unreadable"

    def read(self, path: str) -> bytes:
        try:
            file = (self.folder / _path_found(path)).resolve(strict=True)
        except PermissionError:
            raise PhotoRefused("unreadable") from None
        except (OSError, RuntimeError):
            raise PhotoRefused("missing") from None
        if not any(file.is_relative_to(root) for root in self.roots):
            raise PhotoRefused("unsafe_path")
        return _read_file(file)

    def close(self) -> None:
        pass


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


def _path_kept(raw: bytes) -> str:
    """A relative path as text that a database can keep. One that is no UTF-8 begins with a slash, as no other does."""
    return raw.decode() if _is_utf8(raw) else "/" + quote_from_bytes(raw)


def _path_found(kept_path: str) -> str:
    return os.fsdecode(unquote_to_bytes(kept_path[1:])) if kept_path.startswith("/") else kept_path


def _read_file(path: Path) -> bytes:
    try:
        # Not blocking on open: a named pipe must not stop the intake for ever.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode):
                raise PhotoRefused("not_an_image")
            if found.st_size > settings.INTAKE_MAX_BYTES:
                raise PhotoRefused("too_large")
            return file.read()
    except PermissionError:
        raise PhotoRefused("unreadable") from None
    except OSError:
        raise PhotoRefused("missing") from None


def is_clutter(name: str) -> bool:
    parts = PurePosixPath(name.replace("\\", "/")).parts
    # ".." is no hidden file: it is listed, and refused, so that nobody wonders where the photo went.
    return any((part.startswith(".") and part != "..") or part.lower() in _CLUTTER for part in parts)


def _refused_member(member: zipfile.ZipInfo) -> str:
    if stat.S_ISLNK(member.external_attr >> 16):
        return "unsafe_path"
    if member.flag_bits & 0x1:
        return "encrypted"
    if member.file_size > settings.INTAKE_MAX_BYTES:
        return "too_large"
    return ""
