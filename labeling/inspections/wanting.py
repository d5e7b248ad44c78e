"""Something changed of an inspection: its verdict is to be looked at again, soon, by one job for all that wait."""

from __future__ import annotations

from collections.abc import Collection

from django.db import transaction
from django.utils import timezone

from labeling.inspections.models import Inspection
from labeling.jobs.models import Job, JobState
from labeling.jobs.services import enqueue

#: Of the job, and of the lock under which one runs at a time.
KIND = "look_at_inspections"


@transaction.atomic
def want_look(inspection_ids: Collection[int]) -> None:
    """To be called late in a transaction: until its end no job that waits begins, so that it sees what was written here."""
    Inspection.objects.filter(pk__in=inspection_ids, look_wanted_at__isnull=True).update(
        look_wanted_at=timezone.now()
    )
    if inspection_ids:
        request_looking()


def request_looking() -> Job:
    """The job that waits, or a new one: one that runs may have read before."""
    waiting = (
        Job.objects.filter(kind=KIND, state=JobState.QUEUED, cancel_requested_at__isnull=True)
        .select_for_update()
        .first()
    )
    return waiting or enqueue(kind=KIND, queue="cpu", lock=KIND)
