"""Photos become images (once for the same bytes) and items (once a project)."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence

from django.db import transaction

from labeling.catalog import events, photos, storage
from labeling.catalog.models import Image, Item, Project

#: The audit's order is drawn when a photo comes in. Nobody can foresee it, whatever was seeded elsewhere.
_random = random.SystemRandom()


def add_image(*, data: bytes) -> tuple[Image, bool]:
    """The image with these bytes, and whether it is new. Raises :class:`~labeling.catalog.photos.PhotoRefused`.

    Its bytes are in the storage before its row is in the database.
    """
    sha256 = hashlib.sha256(data).hexdigest()
    known = Image.objects.filter(sha256=sha256).first()
    if known is not None:
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
    }


@transaction.atomic
def add_items(*, project: Project, images: Sequence[tuple[Image, str]], source: str) -> list[Item]:
    """Put images (with their file names) into the project; return the new items only, oldest first.

    An image that is there already stays as it is. Sends ``items_added``. The cost depends on ``images`` alone.
    """
    wanted = {image.pk: (image, name) for image, name in reversed(images)}
    # In the order of ids, so that two intakes with the same photos wait for each other instead of deadlocking.
    offered = [
        Item(
            project=project,
            image=image,
            source=source[-200:],
            name=name[-400:],
            random_key=_random.random(),
        )
        for _pk, (image, name) in sorted(wanted.items())
    ]
    Item.objects.bulk_create(offered, ignore_conflicts=True)
    # PostgreSQL does not say which rows it skipped. Ours are those that carry the key that we drew.
    keys = {item.image_id: item.random_key for item in offered}
    added = [
        item
        for item in Item.objects.filter(project=project, image_id__in=keys)
        .select_related("image")
        .order_by("id")
        if item.random_key == keys[item.image_id]
    ]
    if added:
        events.items_added.send(sender=Item, project=project, item_ids=[item.pk for item in added])
    return added
