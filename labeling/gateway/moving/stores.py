"""Where files are: in a folder or in a bucket. What Hilltop holds has the same names in both.

Photos are ``originals/…`` (``references/…``: where one lies that stays elsewhere) and, of what is made of them, ``vN/…``;
all else begins with one of :data:`FOLDERS`. On one machine those are folders of ``var/`` beside ``var/photos``; in a bucket
everything is below its ``location``.
"""

from __future__ import annotations

import json
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Protocol

from django.core.files.base import File
from django.core.files.storage import FileSystemStorage, Storage, storages
from django.core.files.storage.handler import InvalidStorageError
from django.utils._os import safe_join

from labeling.gateway.moving import CannotMove
from labeling.store import on_disk

STAGING = "staging"
FOLDERS = ("embeddings", "models", "backbones", STAGING, "heat")
ORIGINALS, REFERENCES = "originals", "references"
#: Everything else is computed again when it is missed.
NOT_COMPUTED = (ORIGINALS, REFERENCES, "models", "backbones", STAGING)
#: A larger file of a bucket waits on the disk, not in memory.
IN_MEMORY = 32 * 2**20


class Store(Protocol):
    def names(self, below: str = "") -> Iterator[str]:
        """All files, or those of the folder ``below``. What a killed writer left begun (``.…``) is none."""

    def size(self, name: str) -> int | None:
        """In bytes; ``None`` where there is no such file."""

    def open(self, name: str) -> IO[bytes]:
        """Raises :class:`FileNotFoundError`."""

    def write(self, name: str, file: IO[bytes]) -> None:
        """Whole or not at all, in the place of what is there."""


class Folder:
    """Files below ``root``; names that begin with one of ``elsewhere`` below the folder that it says."""

    def __init__(self, root: Path, elsewhere: dict[str, Path] | None = None) -> None:
        self._root = root.resolve()
        self._elsewhere = elsewhere or {}

    def names(self, below: str = "") -> Iterator[str]:
        tops = [below] if below else ["", *self._elsewhere]
        for top in tops:
            beginning = self._beginning(top)
            for folder, inner, files in os.walk(beginning / top):
                inner[:] = sorted(name for name in inner if not name.startswith("."))
                for file in sorted(files):
                    name = Path(folder, file).relative_to(beginning).as_posix()
                    if not file.startswith(".") and self._beginning(name) == beginning:
                        yield name

    def size(self, name: str) -> int | None:
        try:
            return self._path(name).stat().st_size
        except FileNotFoundError:
            return None

    def open(self, name: str) -> IO[bytes]:
        return self._path(name).open("rb")

    def write(self, name: str, file: IO[bytes]) -> None:
        path = self._path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f".{uuid.uuid4().hex}.partial")
        try:
            with partial.open("wb") as into:
                shutil.copyfileobj(file, into, 2**20)
                into.flush()
                os.fsync(into.fileno())
            os.replace(partial, path)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
        on_disk.sync(path.parent)

    def _beginning(self, name: str) -> Path:
        return self._elsewhere.get(name.split("/", 1)[0], self._root)

    def _path(self, name: str) -> Path:
        return Path(safe_join(self._beginning(name), name))


class Bucket:
    """Any other of Django's storages."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        if hasattr(storage, "max_memory_size"):
            storage.max_memory_size = storage.max_memory_size or IN_MEMORY

    def names(self, below: str = "") -> Iterator[str]:
        with _answering(below):
            flat = getattr(getattr(self._storage, "bucket", None), "objects", None)
            yield from self._names_in_folders(below) if flat is None else self._names_in_s3(flat, below)

    def size(self, name: str) -> int | None:
        with _answering(name):
            try:
                return self._storage.size(name)
            except FileNotFoundError:
                return None

    def open(self, name: str) -> IO[bytes]:
        """On this machine's disk, where it is large."""
        with _answering(name):
            file: Any = self._storage.open(name, "rb")
            file.read(1)  # the whole of it comes with the first byte
            file.seek(0)
            return file  # type: ignore[no-any-return]

    def write(self, name: str, file: IO[bytes]) -> None:
        with _answering(name):
            if not getattr(self._storage, "file_overwrite", False):
                self._storage.delete(name)  # or the new one would get another name
            saved = self._storage.save(name, File(file))
        if saved != name:
            raise CannotMove(f"The store kept {name} as {saved}. Let it overwrite files, and start again.")

    def _names_in_s3(self, objects: Any, below: str) -> Iterator[str]:
        """A thousand names a request; photos lie in 65,536 folders, each of which would be one."""
        location = str(getattr(self._storage, "location", "")).strip("/")
        beginning = f"{location}/" if location else ""
        for each in objects.filter(Prefix=beginning + (f"{below}/" if below else "")):
            name = str(each.key).removeprefix(beginning)
            if not any(part.startswith(".") or not part for part in name.split("/")):
                yield name

    def _names_in_folders(self, below: str) -> Iterator[str]:
        folders = [below]
        while folders:
            folder = folders.pop()
            inner, files = self._storage.listdir(folder)
            folders += [_join(folder, name) for name in inner if name and not name.startswith(".")]
            yield from (_join(folder, name) for name in files if name and not name.startswith("."))


@contextmanager
def _answering(name: str) -> Iterator[None]:
    """Whatever library speaks to the store, its errors are told in words."""
    try:
        yield
    except (OSError, CannotMove):
        raise
    except Exception as error:
        raise CannotMove(f"The store did not answer for {name or 'its list of files'}: {error}") from error


def of_hilltop(told: dict[str, Any], var: Path) -> Store:
    """The files of a Hilltop with this ``HILLTOP_STORAGE`` and ``var/``."""
    storage = _storage(told)
    if isinstance(storage, FileSystemStorage):
        return Folder(Path(storage.location), dict.fromkeys(FOLDERS, var))
    return Bucket(storage)


def of_backups(told: str) -> Store:
    """A folder, or as ``HILLTOP_STORAGE`` a store in JSON."""
    if not told.lstrip().startswith("{"):
        return Folder(Path(told))
    storage = _storage(as_json(told))
    return Folder(Path(storage.location)) if isinstance(storage, FileSystemStorage) else Bucket(storage)


def as_json(told: str) -> dict[str, Any]:
    try:
        read = json.loads(told)
        read["BACKEND"]
    except (ValueError, KeyError, TypeError):
        raise CannotMove(
            f'A store is JSON as in HILLTOP_STORAGE, {{"BACKEND": …, "OPTIONS": …}}; this is none: {told}'
        ) from None
    return dict(read)


def _storage(told: dict[str, Any]) -> Storage:
    try:
        return storages.create_storage(told)
    except (InvalidStorageError, TypeError, ImportError) as error:
        raise CannotMove(f"There is no such store: {error}") from None


def _join(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name
