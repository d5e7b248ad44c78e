"""What a service of the sweep locks, in this order: the person, the slots, the photos."""

from __future__ import annotations

from collections.abc import Sequence

from labeling.catalog.models import Item
from labeling.database import locks
from labeling.database.locks import Lock
from labeling.people.models import User
from labeling.queue.models import Slot, Sweep
from labeling.truth.models import Draw


def one_at_a_time(labeler: User) -> None:
    """Two tabs of one person take turns."""
    locks.hold(Lock.SWEEP, labeler.pk)


def lock_slots(sweep: Sweep) -> dict[int, Slot]:
    """The photos of the grid that are still on loan to its labeler, by item id, in rising order."""
    slots = (
        Slot.objects.select_for_update(no_key=True, of=("self",))
        .select_related("project", "item")
        .filter(
            project=sweep.project_id,
            holder=sweep.labeler_id,
            draw=Draw.SWEEP,
            annotation__isnull=True,
            skipped_at__isnull=True,
            item__in=sweep.photos.values("item"),
        )
        .order_by("item_id")
    )
    return {slot.item_id: slot for slot in slots}


def lock_photos(item_ids: Sequence[int]) -> None:
    """All at once and in rising order, before anything else: two grids that share photos cannot lock each other."""
    list(Item.objects.select_for_update(no_key=True).only("pk").filter(pk__in=item_ids).order_by("pk"))
