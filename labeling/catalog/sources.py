"""Where the files of an intake wait: staged uploads, a staged zip, or a folder on the server.

A source lists what it holds and gives the bytes of one file, bounded, whatever the file claims about itself.
Nothing is ever unpacked to a path that an archive names.
"""

from __future__ import annotations

import os
import stat
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Protocol

from django.conf import settings

from labeling.catalog.photos import PhotoRefused

ARCHIVE = "archive.zip"
_CLUTTER = frozenset({"thumbs.db", "desktop.ini", "__macosx"})


class SourceError(Exception):
    """The whole source cannot be used. The text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A file of the source. ``refused`` is a refusal code known without looking at the bytes, or empty."""

    name: str
    path: str
    refused: str = ""


class Source(Protocol):
    def listing(self) -> Iterator[Listed]:
        """All files, folders and clutter left out. May raise :class:`SourceError`."""

    def read(self, path: str) -> bytes:
        """The bytes of one listed file. Raises :class:`~labeling.catalog.photos.PhotoRefused`."""

    def close(self) -> None: ...


class StagedFiles:
    """Uploads, staged by the web process, which wrote their rows as well: there is nothing to list."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def listing(self) -> Iterator[Listed]:
        return iter(())

    def read(self, path: str) -> bytes:
        return _read_file(self.folder / path)

    def close(self) -> None:
        pass


class Archive:
    """A staged zip. Members go by their number in the archive, never by their name, which may lie."""

    def __init__(self, folder: Path) -> None:
        try:
            self.zip = zipfile.ZipFile(folder / ARCHIVE)
        except FileNotFoundError:
            raise SourceError("The archive is gone. Send it again.") from None
        except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError):
            raise SourceError(
                "The file is no whole zip archive. Pack the photos again and send it again."
            ) from None

    def listing(self) -> Iterator[Listed]:
        members = self.zip.infolist()
        limit = getattr(settings, "INTAKE_MAX_ZIP_MEMBERS", 100_000)
        if len(members) > limit:
            raise SourceError(f"The archive holds more than {limit} files. Split it and send the parts.")
        bound = getattr(settings, "INTAKE_MAX_ZIP_BYTES", 50 * 2**30)
        if sum(member.file_size for member in members) > bound:
            raise SourceError(
                f"The archive unpacks to more than {bound / 2**30:.3g} GB. Split it and send the parts."
            )
        for number, member in enumerate(members):
            name = member.filename
            if member.is_dir() or _is_clutter(name):
                continue
            yield Listed(name=name, path=str(number), refused=_refused_member(member))

    def read(self, path: str) -> bytes:
        member = self.zip.infolist()[int(path)]
        try:
            with self.zip.open(member) as file:
                data = file.read(settings.INTAKE_MAX_BYTES + 1)
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError):
            raise PhotoRefused("truncated") from None
        if len(data) > settings.INTAKE_MAX_BYTES:
            raise PhotoRefused("too_large")
        return data

    def close(self) -> None:
        self.zip.close()


class ServerFolder:
    """A folder that the server's administrator opened for intake, by name or within one of ``roots``."""

    def __init__(self, folder: Path, roots: Sequence[Path]) -> None:
        self.roots = [root.resolve() for root in roots]
        self.folder = folder.resolve()
        if not any(self.folder.is_relative_to(root) for root in self.roots):
            raise SourceError("The folder is outside the folders that are open for intake.")

    def listing(self) -> Iterator[Listed]:
        if not self.folder.is_dir():
            raise SourceError("The folder is gone. Put it back and start the intake again.")
        for parent, folders, files in os.walk(self.folder):
            folders[:] = sorted(name for name in folders if not _is_clutter(name))
            for name in sorted(files):
                if _is_clutter(name):
                    continue
                path = (Path(parent) / name).relative_to(self.folder).as_posix()
                if len(path) <= 1000:
                    yield Listed(name=path, path=path)

    def read(self, path: str) -> bytes:
        try:
            file = (self.folder / path).resolve(strict=True)
        except (OSError, RuntimeError):
            raise PhotoRefused("missing") from None
        if not any(file.is_relative_to(root) for root in self.roots):
            raise PhotoRefused("unsafe_path")
        return _read_file(file)

    def close(self) -> None:
        pass


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
    except OSError:
        raise PhotoRefused("missing") from None


def _is_clutter(name: str) -> bool:
    parts = PurePosixPath(name.replace("\\", "/")).parts
    # ".." is no hidden file: it is listed, and refused, so that nobody wonders where the photo went.
    return any((part.startswith(".") and part != "..") or part.lower() in _CLUTTER for part in parts)


def _refused_member(member: zipfile.ZipInfo) -> str:
    name = member.filename.replace("\\", "/")
    if name.startswith("/") or name[1:3] == ":/" or ".." in PurePosixPath(name).parts:
        return "unsafe_path"
    if stat.S_ISLNK(member.external_attr >> 16):
        return "unsafe_path"
    if member.flag_bits & 0x1:
        return "encrypted"
    if member.file_size > settings.INTAKE_MAX_BYTES:
        return "too_large"
    return ""
