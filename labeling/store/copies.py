"""What this machine keeps of a store that is elsewhere: copies, marked as such, as many as fit.

Only what is marked may go: it is in the store. Of what is used the marks are touched, and the longest unused goes first.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from django.conf import settings

logger = logging.getLogger(__name__)

#: Says how many bytes the copy has and of which store it is, and by its time when it was used.
_MARK = ".stored"
#: By these of its options a store is told from another one.
_WHERE = ("endpoint_url", "bucket_name", "account_name", "azure_container", "location")
#: What was asked for so lately may still be read from.
IN_USE_S = 600.0
#: What is hidden for so long, somebody died over.
LEFT_S = 24 * 3600.0


def mark(folder: Path) -> None:
    size = sum(each.stat().st_size for each in folder.iterdir() if each.is_file())
    (folder / _MARK).write_text(f"{size} {store_name()}")


def is_copy(folder: Path) -> bool:
    """Of the store that is used now: what came from another one may be here alone."""
    return _size(folder) is not None


def _size(folder: Path) -> int | None:
    """In bytes; ``None`` where it is no copy of this store."""
    try:
        size, of = (folder / _MARK).read_text().split()
        return int(size) if of == store_name() else None
    except (OSError, ValueError):
        return None


def store_name() -> str:
    """By which machines tell whether they speak of the same store."""
    options = settings.STORAGES["default"].get("OPTIONS", {})
    return hashlib.sha256(json.dumps([options.get(name) for name in _WHERE]).encode()).hexdigest()[:16]


def use(folder: Path) -> None:
    with suppress(OSError):  # removed meanwhile
        os.utime(folder / _MARK)


def remove(folder: Path) -> None:
    """Out of the way at once, so that nobody reads half of it; what is mapped into memory stays readable."""
    aside = folder.with_name(f".old-{uuid.uuid4().hex}")
    with suppress(OSError):
        folder.rename(aside)
        shutil.rmtree(aside, ignore_errors=True)


def folders(root: Path, depth: int) -> Iterator[Path]:
    """Those ``depth`` names below ``root``; hidden ones left out."""
    found = (each for each in root.glob("/".join(["[!.]*"] * depth)) if each.is_dir())
    return iter(sorted(found))


def _sweep(root: Path, depth: int) -> None:
    """What killed processes left half fetched or half removed."""
    for folder in root.glob("/".join(["*"] * (depth - 1) + [".[no]*-*"])):
        with suppress(OSError):
            if folder.name.startswith((".new-", ".old-")) and time.time() - folder.stat().st_mtime > LEFT_S:
                shutil.rmtree(folder, ignore_errors=True)


def trim(places: Iterable[tuple[Path, int]]) -> None:
    """Remove the longest unused until what is left fits into HILLTOP_CACHE_BYTES."""
    found: list[tuple[float, int, Path]] = []
    for root, depth in places:
        _sweep(root, depth)
        for folder in folders(root, depth):
            with suppress(OSError):  # another process removes it
                if (size := _size(folder)) is not None:
                    found.append(((folder / _MARK).stat().st_mtime, size, folder))
    left = sum(size for _used, size, _folder in found)
    for used, size, folder in sorted(found):
        if left <= settings.CACHE_BYTES or time.time() - used < IN_USE_S:
            return
        remove(folder)
        logger.info("removed this machine's copy of %s, which was not used lately", folder)
        left -= size
