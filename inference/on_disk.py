"""Files and folders that appear whole, and are on the disk before anything says so: they survive a power cut."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from safetensors import SafetensorError

#: How Rust's standard library names an error of the system.
_OS_ERROR = re.compile(r"\(os error (\d+)\)")
#: What ``ndarray.tofile`` says of a file that took less than it was given: there was no room for the rest.
_SHORT = re.compile(r"\d+ requested and \d+ written")


@contextmanager
def system_errors() -> Iterator[None]:
    """Raise :class:`OSError` with its number where a library could not write: safetensors tells a full disk in words, as an
    error of its own, and numpy only how much it wrote."""
    try:
        yield
    except SafetensorError as error:
        told = _OS_ERROR.search(str(error))
        if told is None:
            raise
        raise OSError(int(told[1]), os.strerror(int(told[1]))) from error
    except OSError as error:
        if error.errno is None and _SHORT.search(str(error)):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)) from error
        raise


def sync(path: Path) -> None:
    """Return when the file's bytes, or the names in the folder, are on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def make_folder(path: Path) -> None:
    """Make the folder and those above it that are missing; those that are there stay as they are."""
    missing = [each for each in (path, *path.parents) if not each.exists()]
    path.mkdir(parents=True, exist_ok=True)
    for each in missing:
        sync(each.parent)


def publish(hidden: Path, place: Path) -> None:
    """Move a finished file or folder to its place on the same disk, with everything in it."""
    for path in (*hidden.rglob("*"), hidden):
        sync(path)
    hidden.rename(place)
    sync(place.parent)
