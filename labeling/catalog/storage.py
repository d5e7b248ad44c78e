"""Where the bytes of photos are: originals and renditions in the default storage, by content hash.

In the place of an original there may be a reference to where it lies (:mod:`labeling.catalog.references`).

Names never change their content, so everything is written whole or not at all, on the disk before anybody is told, and
may be cached for ever. What a disk loses or cuts all the same is noticed when it is read: an original by its hash, a
rendition by the length that it states. A rendition is made again, an original is put back from the same bytes. What is
made of an original carries the version of its making in its name.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from pathlib import Path
from typing import Protocol

from django.core.files.storage import FileSystemStorage, default_storage

from inference.photo import DEFAULT_LEVELS, Levels
from labeling.catalog import photos, references, renditions
from labeling.catalog.references import Place as Where
from labeling.catalog.renditions import VERSION, Place
from labeling.store import objects, on_disk
from labeling.store.objects import StoreAway

logger = logging.getLogger(__name__)

#: Of originals, and of what says where they lie; in each a photo's file is called as its hash.
FOLDERS = ("originals", references.FOLDER)
VARIANTS = tuple(renditions.VARIANTS)
#: A photo of many megapixels takes as many times seven bytes while it is cut up: one at a time a process.
_cutting = threading.Lock()


class Damaged(FileNotFoundError):
    """The original is there, and its bytes are others than came in: as good as lost."""


class Hashed(Protocol):
    """Anything with a ``sha256``: an :class:`~labeling.catalog.models.Image`, for one."""

    @property
    def sha256(self) -> str: ...


def original_name(sha256: str) -> str:
    return f"originals/{sha256[:2]}/{sha256[2:4]}/{sha256}"


def names_of(sha256: str) -> list[str]:
    """Of what may say in the store what the photo is: the original, and where it lies."""
    return [original_name(sha256), references.name(sha256)]


def rendition_name(sha256: str, variant: str, version: int = VERSION, levels: Levels = DEFAULT_LEVELS) -> str:
    if variant not in VARIANTS:
        raise ValueError(f"no rendition {variant!r}; there are {', '.join(VARIANTS)}")
    made_by = (
        f"v{renditions.made_with(levels, version)}/" if version > 1 else ""
    )  # the first version did not say so
    return f"{made_by}{variant}/{sha256[:2]}/{sha256[2:4]}/{sha256}.webp"


def tile_name(sha256: str, place: Place, levels: Levels = DEFAULT_LEVELS) -> str:
    return (
        f"v{renditions.made_with(levels)}/tiles/{sha256[:2]}/{sha256[2:4]}/{sha256}/{place.x}-{place.y}.webp"
    )


def original(image: Hashed) -> bytes:
    """The photo as it came in, from the storage or from where it lies; its hash is checked either way.

    Raises :class:`FileNotFoundError` when the storage lost it, :class:`Damaged` a part of it, and
    :class:`~labeling.catalog.references.NotThere` when it is another one, or none, where it lies.
    """
    return original_of(image.sha256)


def rendition(image: Hashed, variant: str, levels: Levels = DEFAULT_LEVELS) -> bytes:
    """The photo as WebP in ``variant`` ("screen" or "thumb"), made from the original again when it is gone or cut.

    Raises :class:`FileNotFoundError` when the original is gone as well.
    """
    return rendition_of(image.sha256, variant, levels)


def rendition_of(sha256: str, variant: str, levels: Levels = DEFAULT_LEVELS) -> bytes:
    found = _webp(rendition_name(sha256, variant, levels=levels))
    if found is not None:
        return found
    made = photos.render(original_of(sha256), levels)
    try:
        _keep_renditions(sha256, made, levels)
    except (OSError, StoreAway):  # a full disk is no reason to show nothing
        logger.exception("renditions of %s were made again, and could not be stored", sha256)
    return made[variant]


def tile(sha256: str, place: Place, levels: Levels = DEFAULT_LEVELS) -> bytes:
    """A piece of the photo with all its pixels, as lossless WebP; the first that is asked for has all of them made.

    Raises :class:`FileNotFoundError` when the original is gone, or the photo is not so large.
    """
    name = tile_name(sha256, place, levels)
    found = _webp(name)
    if found is None:
        with _cutting:
            found = _webp(name) or _cut(sha256, levels).get(place)
    if found is None:
        raise FileNotFoundError(f"{sha256} has no tile at {place}")
    return found


def _cut(sha256: str, levels: Levels) -> dict[Place, bytes]:
    made = dict(renditions.tiles(photos.upright(original_of(sha256), levels)))
    try:
        objects.side_by_side(lambda each: _write(tile_name(sha256, each[0], levels), each[1]), made.items())
    except (OSError, StoreAway):
        logger.exception("tiles of %s were made, and could not be stored", sha256)
    return made


def remake(sha256: str) -> None:
    """Make the renditions anew where this version of them is not there, and remove what earlier versions left.

    Raises :class:`FileNotFoundError` when the original is gone, :class:`~labeling.catalog.photos.PhotoRefused` when it
    cannot be read any more.
    """
    if not _has_renditions(sha256):
        _keep_renditions(sha256, photos.render(original_of(sha256)))
    for variant in VARIANTS:
        for version in range(1, VERSION):
            default_storage.delete(rendition_name(sha256, variant, version))


def keep(
    sha256: str,
    data: bytes,
    renditions: dict[str, bytes],
    levels: Levels = DEFAULT_LEVELS,
    *,
    at_once: bool = True,
) -> None:
    """Store an original and its renditions, also in the place of lost or damaged ones. Doing it twice changes nothing.

    They are on the disk when this returns; not ``at_once``: after the next :func:`flush`.
    """
    _write(original_name(sha256), data, at_once=at_once)
    _keep_renditions(sha256, renditions, levels, at_once=at_once)


def refer(
    sha256: str,
    size: int,
    where: Where,
    renditions: dict[str, bytes],
    levels: Levels = DEFAULT_LEVELS,
    *,
    at_once: bool = True,
) -> None:
    """As :func:`keep`, of a photo of ``size`` bytes that stays where it is."""
    _write(references.name(sha256), references.encoded(where, size), at_once=at_once)
    _keep_renditions(sha256, renditions, levels, at_once=at_once)


def forget(sha256: str) -> list[str]:
    """Remove a photo and all that was made of it, by whatever version; return what is there all the same.

    What lies elsewhere stays there, and where that is goes. Raises :class:`~labeling.store.objects.StoreAway`.
    """
    placed = f"{sha256[:2]}/{sha256[2:4]}/{sha256}"
    made_by = [
        "",
        *(f"{name}/" for name in objects.listing("")[0] if name[:1] == "v" and name[1:2].isdigit()),
    ]
    names = names_of(sha256)
    for folder in made_by:
        names += [f"{folder}{variant}/{placed}.webp" for variant in VARIANTS]
        cut = f"{folder}tiles/{placed}"
        names += [f"{cut}/{name}" for name in objects.listing(cut)[1]]
        if not objects.is_remote():
            names.append(cut)  # the folder itself is named after the photo
    for name in names:  # a folder after what is in it
        objects.delete([name])
    return [name for name in names if default_storage.exists(name)]


def flush() -> None:
    """Return when everything kept so far is on the disk."""
    if isinstance(default_storage, FileSystemStorage) and Path(default_storage.location).exists():
        on_disk.sync_disk(Path(default_storage.location))


def is_whole(sha256: str, levels: Levels = DEFAULT_LEVELS, *, here: bool = False) -> bool:
    """Whether the original and all renditions are there and undamaged. Reads them.

    ``here``: that the original lies elsewhere does not count.
    """
    try:
        (_held if here else original_of)(sha256)
    except OSError:
        return False
    return _has_renditions(sha256, levels)


def _has_renditions(sha256: str, levels: Levels = DEFAULT_LEVELS) -> bool:
    return all(_webp(rendition_name(sha256, variant, levels=levels)) is not None for variant in VARIANTS)


def original_of(sha256: str) -> bytes:
    """As :func:`original`."""
    try:
        return _held(sha256)
    except FileNotFoundError as lost:
        try:
            return references.read(sha256)
        except references.NotThere:
            raise
        except FileNotFoundError:
            raise lost from None


def _held(sha256: str) -> bytes:
    data = objects.read(original_name(sha256))
    if hashlib.sha256(data).hexdigest() != sha256:
        raise Damaged(f"{len(data)} bytes with another hash than {sha256}")
    return data


def _webp(name: str) -> bytes | None:
    """``None`` when it is gone, empty or cut: a WebP says at its head how long it is (RFC 9649, 2.4)."""
    try:
        data = objects.read(name)
    except OSError:
        return None
    is_whole = (
        data[:4] == b"RIFF" and data[8:12] == b"WEBP" and len(data) == 8 + int.from_bytes(data[4:8], "little")
    )
    return data if is_whole else None


def _keep_renditions(
    sha256: str, renditions: dict[str, bytes], levels: Levels = DEFAULT_LEVELS, *, at_once: bool = True
) -> None:
    for variant, encoded in renditions.items():
        _write(rendition_name(sha256, variant, levels=levels), encoded, at_once=at_once)


def _write(name: str, data: bytes, *, at_once: bool = True) -> None:
    # A bucket is not asked what it has: that takes as long as writing, and it is the same bytes.
    is_here = not objects.is_remote() and default_storage.exists(name)
    if is_here and default_storage.size(name) == len(data) and objects.read(name) == data:
        return
    objects.write(name, data, at_once=at_once)
