"""Something changed of an inspection: its verdict is to be looked at again, soon, by one job for all that wait.

Marked inspections are locked until the caller's transaction ends, and a job that looks leaves locked ones out: so none is
looked at before what was written of it is there, and none is forgotten.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from labeling.inspections.models import Inspection
from labeling.jobs.models import Job, JobState
from labeling.jobs.services import QUICK, enqueue_to_wait

#: Of the job, and of the lock under which one runs at a time.
KIND = "look_at_inspections"

_WHICH = "SELECT DISTINCT n.id FROM inspections_inspection n {of}"
# In the order of inspections, as everybody who marks several. Also those that are marked: a job may be about to read them.
_MARK = """
WITH touched AS (SELECT id FROM inspections_inspection WHERE id = ANY(%(ids)s) ORDER BY id FOR NO KEY UPDATE)
UPDATE inspections_inspection n SET look_wanted_at = COALESCE(n.look_wanted_at, %(now)s)
FROM touched WHERE n.id = touched.id
"""
_THESE = "WHERE n.id = ANY(%(these)s)"
# Whoever answers in a project that no protocol asks pays one look at the photo's index for it.
_WITH_PHOTOS = """
JOIN inspections_inspectionphoto p ON p.inspection_id = n.id
JOIN catalog_item i ON i.image_id = p.image_id
JOIN inspections_check c ON c.shot_id = p.shot_id AND c.project_id = i.project_id
WHERE i.id = ANY(%(these)s)
"""
# And those that are judged for the first time at this moment, by the version before.
_HELD_OF_PROTOCOL = "WHERE n.protocol_id = %(these)s AND n.outcome IN ('held', '')"
_HELD_OF_PROJECT = """
WHERE n.outcome = 'held' AND n.protocol_id IN (
    SELECT v.protocol_id FROM inspections_check c JOIN inspections_shot s ON s.id = c.shot_id
    JOIN inspections_protocolversion v ON v.id = s.version_id WHERE c.project_id = %(these)s)
"""
_ALL_OF_PROJECT = """
WHERE n.version_id IN (SELECT s.version_id FROM inspections_check c JOIN inspections_shot s ON s.id = c.shot_id
                       WHERE c.project_id = %(these)s)
"""


@transaction.atomic
def want_look(inspection_ids: Collection[int]) -> int:
    """These inspections changed; return how many there are."""
    return _mark(_THESE, list(inspection_ids)) if inspection_ids else 0


@transaction.atomic(savepoint=False)  # with each answer
def want_look_at_photos(item_ids: Collection[int]) -> int:
    """What is known of these photos of a project changed; return how many inspections that touches."""
    return _mark(_WITH_PHOTOS, list(item_ids)) if item_ids else 0


@transaction.atomic
def want_look_at_held(protocol_id: int) -> int:
    """Other rules are in force: what they may free is judged by them. What was decided stays until a part of it changes."""
    return _mark(_HELD_OF_PROTOCOL, protocol_id)


@transaction.atomic
def want_look_at_held_of(project_id: int) -> int:
    """The machine has seen photos of this project that it had not seen."""
    return _mark(_HELD_OF_PROJECT, project_id)


@transaction.atomic
def want_look_at_all_of(project_id: int) -> int:
    """Answers of this project may count as other ones from now on."""
    return _mark(_ALL_OF_PROJECT, project_id)


def _mark(of: str, these: Any) -> int:
    """The job before the marks: whoever waits for somebody else's job holds no inspection meanwhile."""
    with connection.cursor() as cursor:
        cursor.execute(_WHICH.format(of=of), {"these": these})
        ids = [row[0] for row in cursor.fetchall()]
        if ids:
            request_looking()
            cursor.execute(_MARK, {"ids": ids, "now": timezone.now()})
    return len(ids)


def request_looking() -> None:
    """One job waits, until this transaction ends at least: one that began earlier would not see what is written here."""
    enqueue_to_wait(kind=KIND, queue=QUICK, dedupe=KIND, lock=KIND)


@transaction.atomic
def look_where_wanted() -> bool:
    """Ask for the job where something still waits for it, as after one that came to nothing."""
    waits = Inspection.objects.filter(look_wanted_at__isnull=False).exists()
    if waits:
        request_looking()
    return waits


def why_not_looked(inspection: Inspection) -> str:
    """Of one that waits for its look: why the last job failed, where it did."""
    if inspection.look_wanted_at is None:
        return ""
    # By the index of a project's jobs: those of none are few.
    jobs = Job.objects.filter(project_id__isnull=True, kind=KIND).order_by("-created_at")
    last = jobs.filter(finished_at__gte=inspection.look_wanted_at).first()
    return last.said if last is not None and last.state == JobState.FAILED else ""
