"""Photos leave their project, a chunk and a transaction at a time, and come back one by one."""

from __future__ import annotations

import logging

from django.db import transaction
from django.utils import timezone

from labeling.catalog.services import TakenOut, bring_back, take_out
from labeling.erasure.models import ErasedPhoto, Erasure
from labeling.explorer import services as explorer
from labeling.inspections.forgetting import photos_moved
from labeling.learning import erased as learning
from labeling.queue import services as queue
from labeling.refusals import Refused
from labeling.truth import services as truth

logger = logging.getLogger(__name__)

CHUNK = 50


def take_out_some(erasure: Erasure, most: int) -> int:
    """Take out up to ``most`` photos that are still in; return how many that were."""
    done = 0
    while done < most and (some := _take_out_chunk(erasure, min(CHUNK, most - done))):
        done += some
    return done


@transaction.atomic
def _take_out_chunk(erasure: Erasure, size: int) -> int:
    project = erasure.project
    rows = list(erasure.photos.to_take_out().order_by("item_id")[:size])
    items = [row.item_id for row in rows]
    if not items:
        return 0
    at = timezone.now()
    # In the order of whoever answers: first the order of the queue, then photos.
    queue.leave(project=project, item_ids=items)
    truth.leave(project=project, item_ids=items, at=at)
    learning.forget(items)
    explorer.forget_places(project=project, item_ids=items, hashes=[])
    taken = {each.item_id: each for each in take_out(project=project, item_ids=items)}
    photos_moved([image for out in taken.values() for image in out.images])
    for row in rows:
        if (out := taken.get(row.item_id)) is None:  # no photo of the project's any more
            row.delete()
            continue
        row.images, row.kept, row.taken_at = out.images, out.kept, at
        row.save(update_fields=["images", "kept", "taken_at"])
    return len(rows)


def bring_back_some(erasure: Erasure, most: int) -> int:
    """Bring back up to ``most`` of those that are out; return how many were tried. One that cannot says why."""
    rows = list(erasure.photos.held().filter(waits_for="").order_by("item_id")[:most])
    for row in rows:
        try:
            _bring_back(erasure, row)
        except Refused as refused:
            logger.warning("photo %s does not come back: %s", row.item_id, refused.message)
            ErasedPhoto.objects.filter(pk=row.pk).update(waits_for=refused.message[:300])
    if rows:
        # It may have been looked through without them meanwhile.
        explorer.request_space(project=erasure.project)
    return len(rows)


@transaction.atomic
def _bring_back(erasure: Erasure, row: ErasedPhoto) -> None:
    project = erasure.project
    queue.share_ranking(project)
    bring_back(project=project, taken=TakenOut(row.item_id, row.images, row.kept))
    assert row.taken_at is not None
    if not truth.come_back(project=project, item_id=row.item_id, since=row.taken_at):
        queue.come_back(project=project, item_id=row.item_id)
    photos_moved(row.images)
    row.images, row.kept, row.back_at = [], {}, timezone.now()
    row.save(update_fields=["images", "kept", "back_at"])
