"""Photos become images (once for the same bytes) and items (once a project)."""

from __future__ import annotations

import hashlib
import logging
import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from django.db import transaction

from inference.photo import DEFAULT_LEVELS, Levels
from labeling.catalog import events, photos, storage, twins
from labeling.catalog.models import Image, Item, Project
from labeling.catalog.name_encodings import kept
from labeling.catalog.random_keys import keys_of_arrivals
from labeling.database import locks
from labeling.database.locks import Lock

Made = TypeVar("Made")
logger = logging.getLogger(__name__)

#: A photo of many megapixels takes as many times several bytes: as many at once as there are cores for.
_decoding = threading.BoundedSemaphore(max(2, os.cpu_count() or 1))


@dataclass(slots=True)
class Looked:
    """A photo that was looked at: ``known``, or what is to be kept of it."""

    sha256: str
    data: bytes
    known: Image | None = None
    photo: photos.Photo | None = None
    renditions: dict[str, bytes] = field(default_factory=dict)

    @property
    def measured(self) -> Image | photos.Photo:
        """Size in pixels the right way up, brightness and sharpness, as :class:`Image` has them."""
        found = self.known or self.photo
        assert found is not None
        return found


def look_at(data: bytes) -> Looked:
    """Decode a photo, unless it is known and whole; store nothing.

    Raises :class:`~labeling.catalog.photos.PhotoRefused`.
    """
    looked = Looked(hashlib.sha256(data).hexdigest(), data)
    looked.known = Image.objects.filter(sha256=looked.sha256).first()
    if looked.known is not None and storage.is_whole(looked.sha256, here=True):
        return looked
    if looked.known is not None:
        looked.renditions = decoded(photos.render, data)
    else:
        looked.photo = decoded(photos.examine, data)
        looked.renditions = looked.photo.renditions
    return looked


def decoded(look: Callable[[bytes, Levels], Made], data: bytes, levels: Levels = DEFAULT_LEVELS) -> Made:
    """What ``look`` makes of the bytes, when its turn has come; raises as it does."""
    try:
        with _decoding:
            return look(data, levels)
    except photos.PhotoRefused:
        raise
    except Exception:  # one photo that a decoder chokes on must not stop all the others
        logger.exception("a photo made its examination fail")
        raise photos.PhotoRefused("truncated") from None


def lay_down(looked: Looked, *, at_once: bool = False) -> None:
    """Its bytes go from memory into the storage, if it has not got them.

    They are on its disk when this returns; not ``at_once``: with the next ``storage.flush``.
    """
    if looked.renditions:
        storage.keep(looked.sha256, looked.data, looked.renditions, at_once=at_once)
        looked.renditions.clear()
    looked.data = b""


def rows_of(looked: Sequence[Looked]) -> dict[str, Image]:
    """The images of these photos, by hash. To be called when their bytes are on the disk."""
    new = {each.sha256: each.photo for each in looked if each.photo is not None}
    # In the order of hashes, so that two who keep the same photos wait for each other, and do not block.
    Image.objects.bulk_create(
        [Image(sha256=sha256, **row_fields(photo)) for sha256, photo in sorted(new.items())],
        ignore_conflicts=True,
    )
    return {row.sha256: row for row in Image.objects.filter(sha256__in={each.sha256 for each in looked})}


def add_image(*, data: bytes) -> tuple[Image, bool]:
    """The image with these bytes, and whether it is new. Raises :class:`~labeling.catalog.photos.PhotoRefused`.

    Its bytes are in the storage before its row is in the database. Those of one that is there are put back where the
    storage has lost them.
    """
    looked = look_at(data)
    lay_down(looked, at_once=True)
    return rows_of([looked])[looked.sha256], looked.known is None


def row_fields(photo: photos.Photo) -> dict[str, object]:
    return {
        "format": photo.format,
        "width": photo.width,
        "height": photo.height,
        "size": photo.size,
        "brightness": photo.brightness,
        "sharpness": photo.sharpness,
        "taken_at": photo.taken_at,
        "fingerprint": photo.fingerprint,
        "fingerprint_parts": twins.parts(photo.fingerprint),
    }


@transaction.atomic
def add_items(*, project: Project, images: Sequence[tuple[Image, str]], source: str) -> list[Item]:
    """Put images (with their file names) into the project; return the new items only, oldest first.

    An image that is there already stays as it is. Sends ``items_added``. The cost depends on ``images`` alone.
    """
    wanted = {image.pk: (image, name) for image, name in reversed(images)}
    # Two intakes of one project with the same photos take turns here. Without it, each could wait for a row
    # of the other for ever, or the photos would have to come in in the order of their ids, not of their names.
    locks.hold(Lock.ITEMS, project.pk)
    there = set(Item.objects.filter(project=project, image__in=wanted).values_list("image", flat=True))
    new = [each for pk, each in reversed(wanted.items()) if pk not in there]
    added = Item.objects.bulk_create(
        Item(project=project, image=image, source=kept(source)[-200:], name=kept(name), random_key=key)
        for (image, name), key in zip(new, keys_of_arrivals(project, len(new)), strict=True)
    )
    if added:
        twins.group(project, added)
        events.items_added.send(sender=Item, project=project, item_ids=[item.pk for item in added])
    return added
