"""Photos become images (once for the same bytes) and items (once a project)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from django.db import transaction

from labeling import locks
from labeling.catalog import events, photos, storage, twins
from labeling.catalog.models import Image, Item, Project
from labeling.catalog.name_encodings import kept
from labeling.catalog.random_keys import keys_of_arrivals
from labeling.locks import Lock


def add_image(*, data: bytes) -> tuple[Image, bool]:
    """The image with these bytes, and whether it is new. Raises :class:`~labeling.catalog.photos.PhotoRefused`.

    Its bytes are in the storage before its row is in the database. Those of one that is there are put back where the
    storage has lost them.
    """
    sha256 = hashlib.sha256(data).hexdigest()
    known = Image.objects.filter(sha256=sha256).first()
    if known is not None:
        if not storage.is_whole(sha256, here=True):
            storage.keep(sha256, data, photos.render(data))
        return known, False
    photo = photos.examine(data)
    storage.keep(sha256, data, photo.renditions)
    return Image.objects.get_or_create(sha256=sha256, defaults=row_fields(photo))


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
