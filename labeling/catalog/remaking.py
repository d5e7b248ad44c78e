"""The renditions of an earlier version are made anew, by a job that nobody waits for.

A photo that is asked for before its turn is rendered then, so pages show the new version from the first moment.
"""

from __future__ import annotations

import io
import logging
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from django.db import transaction
from django.db.models import QuerySet
from PIL import Image as Pillow

from labeling.catalog import photos, renditions, storage, twins
from labeling.catalog.fingerprints import fingerprint
from labeling.catalog.models import Image
from labeling.catalog.photos import PhotoRefused
from labeling.database import locks
from labeling.database.locks import Lock
from labeling.jobs.models import Job
from labeling.jobs.progress import Progress
from labeling.jobs.services import LAST, enqueue

logger = logging.getLogger(__name__)

JOB_KIND = "remake_renditions"
CHUNK = 50


class Remade(NamedTuple):
    """What was seen of a photo on the way. Sizes in pixels, upright."""

    width: int
    height: int
    fingerprint: bytes


def request_remaking() -> Job | None:
    """The job, where there is something to remake; the one under way, where there is one."""
    if not _outdated().exists():
        return None
    return enqueue(kind=JOB_KIND, dedupe=JOB_KIND, priority=LAST)


def _outdated() -> QuerySet[Image]:
    return Image.objects.filter(rendered__lt=renditions.VERSION).exclude(sha256=Image.NOTHING)


def remake(progress: Progress) -> dict[str, int]:
    """Do the job; return how many images were remade, and of how many the original is gone or cannot be read.

    What a chunk did is written down at its end, so that a job that was killed goes on there.
    """
    outdated = _outdated().order_by("rendered", "id")
    counts = {"remade": 0, "lost": 0}
    total = outdated.count()
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1, thread_name_prefix="remake") as pool:
        while images := list(outdated[:CHUNK]):
            looks = list(pool.map(made_again, [image.sha256 for image in images]))
            record(images, looks)
            counts["lost"] += looks.count(None)
            counts["remade"] += len(looks) - looks.count(None)
            progress.report(sum(counts.values()), total)
            progress.check()
    return counts


def made_again(sha256: str) -> Remade | None:
    """Make a photo's renditions anew; ``None`` where the original is gone or cannot be read.

    Asks the store of photos only, not the database. Doing it twice changes nothing.
    """
    try:
        storage.remake(sha256)
        # An earlier version may have seen it lying on its side.
        width, height = photos.size(storage.original_of(sha256))
        look = fingerprint(Pillow.open(io.BytesIO(storage.rendition_of(sha256, "screen"))))
    except (FileNotFoundError, PhotoRefused):
        # Whoever asks for it is told so. It is not looked for again and again.
        logger.warning("photo %s cannot be rendered again: its original is gone or unreadable", sha256)
        return None
    return Remade(width, height, look)


def record(images: Sequence[Image], looks: Sequence[Remade | None]) -> None:
    """Write down that these were made anew, and what was seen of each."""
    for image, look in zip(images, looks, strict=True):
        if look is not None:
            image.width, image.height = look.width, look.height
            if image.fingerprint is None:
                _recognise(image, look.fingerprint)
        image.rendered = renditions.VERSION
    Image.objects.bulk_update(images, ["rendered", "width", "height"])


@transaction.atomic
def _recognise(image: Image, look: bytes) -> None:
    """What came in before near-duplicates were known is put into their groups."""
    image.fingerprint, image.fingerprint_parts = look, twins.parts(look)
    image.save(update_fields=["fingerprint", "fingerprint_parts"])
    for item in image.items.select_related("project", "image"):
        if item.project is not None:
            locks.hold(Lock.ITEMS, item.project.pk)
            twins.group(item.project, [item])
