"""The renditions of an earlier version are made anew, by a job that nobody waits for.

A photo that is asked for before its turn is rendered then, so pages show the new version from the first moment.
"""

from __future__ import annotations

import logging
import os
from concurrent.futures import ThreadPoolExecutor

from labeling.catalog import photos, renditions, storage
from labeling.catalog.models import Image
from labeling.catalog.photos import PhotoRefused
from labeling.jobs.models import Job
from labeling.jobs.progress import Progress
from labeling.jobs.services import LAST, enqueue

logger = logging.getLogger(__name__)

JOB_KIND = "remake_renditions"
CHUNK = 50


def request_remaking() -> Job | None:
    """The job, where there is something to remake; the one under way, where there is one."""
    if not Image.objects.filter(rendered__lt=renditions.VERSION).exists():
        return None
    return enqueue(kind=JOB_KIND, dedupe=JOB_KIND, priority=LAST)


def remake(progress: Progress) -> dict[str, int]:
    """Do the job; return how many images were remade, and of how many the original is gone or cannot be read.

    What a chunk did is written down at its end, so that a job that was killed goes on there.
    """
    outdated = Image.objects.filter(rendered__lt=renditions.VERSION).order_by("rendered", "id")
    counts = {"remade": 0, "lost": 0}
    total = outdated.count()
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1, thread_name_prefix="remake") as pool:
        while images := list(outdated[:CHUNK]):
            made = list(pool.map(_remake, images))
            for image in images:
                image.rendered = renditions.VERSION
            Image.objects.bulk_update(images, ["rendered", "width", "height"])
            counts["remade"] += sum(made)
            counts["lost"] += len(made) - sum(made)
            progress.report(sum(counts.values()), total)
            progress.check()
    return counts


def _remake(image: Image) -> bool:
    try:
        storage.remake(image.sha256)
        # An earlier version may have seen it lying on its side.
        image.width, image.height = photos.size(storage.original(image))
    except (FileNotFoundError, PhotoRefused):
        # Whoever asks for it is told so. It is not looked for again and again.
        logger.warning("photo %s cannot be rendered again: its original is gone or unreadable", image.sha256)
        return False
    return True
