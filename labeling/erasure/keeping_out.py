"""What was erased does not come back: by a backup that was restored, or a machine that was off. For workers only."""

from __future__ import annotations

import logging
from itertools import islice

from labeling.catalog import erased, storage, stored
from labeling.catalog.models import Item, Project
from labeling.erasure.asking import begin
from labeling.erasure.models import Scope
from labeling.learning.compute.forgetting import forget_what_came_back
from labeling.store import objects

logger = logging.getLogger(__name__)

CHUNK = 10_000


def erase_again() -> int:
    """Photos that projects hold though they were erased there, or everywhere; return how many there were."""
    if taken := erased.take_in_list():
        logger.info("took in a list of %d erased photos that lay beside a backup", taken)
    if not erased.standing().exists():
        return 0
    found = 0
    for project in Project.objects.all():
        rows = Item.objects.filter(project=project).values_list("pk", "image__sha256").iterator(CHUNK)
        again: list[int] = []
        while some := dict(islice(rows, CHUNK)):
            gone = erased.listed(project, some.values())
            again += [pk for pk, sha256 in some.items() if sha256 in gone]
        if again:
            logger.warning(
                "%d photos of %s had been erased and came back; they go again", len(again), project.slug
            )
            begin(
                project=project,
                by=None,
                scope=Scope.AGAIN,
                reason="erased before",
                days=0,
                item_ids=again,
            )
        found += len(again)
    return found


def sweep_store(night: int) -> int:
    """Files of erased photos in the ``night``'s share of the store, and vectors; return how many there were."""
    if not erased.standing().filter(everywhere=True).exists():
        return 0
    share = 256 // stored.NIGHTS
    first = share * (night % stored.NIGHTS)
    found = forget_what_came_back()
    for beginning in (f"{top}/{n:02x}" for top in storage.FOLDERS for n in range(first, first + share)):
        for folder in objects.listing(beginning)[0]:
            names = objects.listing(f"{beginning}/{folder}")[1]
            for sha256 in erased.listed_everywhere(names):
                logger.warning("a file of a photo that was erased was in the store again; it is removed")
                storage.forget(sha256)
                found += 1
    return found
