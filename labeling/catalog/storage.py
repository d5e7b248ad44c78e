"""Where the bytes of photos are: originals and renditions in the default storage, by content hash.

Names never change their content, so everything is written once, whole or not at all, and may be cached for ever.
"""

from __future__ import annotations

import os
import uuid
from pathlib import Path
from typing import Protocol

from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, default_storage

from labeling.catalog import photos

VARIANTS = tuple(photos.VARIANTS)


class Hashed(Protocol):
    """Anything with a ``sha256``: an :class:`~labeling.catalog.models.Image`, for one."""

    sha256: str


def original_name(sha256: str) -> str:
    return f"originals/{sha256[:2]}/{sha256[2:4]}/{sha256}"


def rendition_name(sha256: str, variant: str) -> str:
    if variant not in VARIANTS:
        raise ValueError(f"no rendition {variant!r}; there are {', '.join(VARIANTS)}")
    return f"{variant}/{sha256[:2]}/{sha256[2:4]}/{sha256}.webp"


def original(image: Hashed) -> bytes:
    """The photo as it came in. Raises :class:`FileNotFoundError` when the storage lost it."""
    return _read(original_name(image.sha256))


def rendition(image: Hashed, variant: str) -> bytes:
    """The photo as WebP in ``variant`` ("screen" or "thumb"), made from the original again when it is gone.

    Raises :class:`FileNotFoundError` when the original is gone as well.
    """
    return rendition_of(image.sha256, variant)


def rendition_of(sha256: str, variant: str) -> bytes:
    try:
        return _read(rendition_name(sha256, variant))
    except FileNotFoundError:
        made = photos.render(_read(original_name(sha256)))
    for name, data in made.items():
        _write(rendition_name(sha256, name), data)
    return made[variant]


def keep(sha256: str, data: bytes, renditions: dict[str, bytes]) -> None:
    """Store an original and its renditions. Doing it twice changes nothing."""
    _write(original_name(sha256), data)
    for variant, encoded in renditions.items():
        _write(rendition_name(sha256, variant), encoded)


def _read(name: str) -> bytes:
    with default_storage.open(name, "rb") as file:
        return bytes(file.read())


def _write(name: str, data: bytes) -> None:
    if isinstance(default_storage, FileSystemStorage):
        _write_file(Path(default_storage.path(name)), data)
    elif not default_storage.exists(name):
        default_storage.save(name, ContentFile(data))


def _write_file(path: Path, data: bytes) -> None:
    """Written beside its place and moved there, so that a killed process leaves no half photo under a whole name."""
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{uuid.uuid4().hex}.partial")
    try:
        partial.write_bytes(data)
        os.replace(partial, path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
