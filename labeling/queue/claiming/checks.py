"""Photos that are asked beside the order, and use up no wanted answer: gold, and what goes along with it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import uuid4

from django.utils import timezone

from labeling.catalog.models import Guideline, Project
from labeling.catalog.selectors import class_resolution
from labeling.database.rows import rows
from labeling.people.models import User
from labeling.queue.leases import lease_of
from labeling.queue.models import Slot
from labeling.truth.models import Draw


def take_gold(
    project: Project, labeler: User, now_asked: Guideline, *, beside: Sequence[int] = ()
) -> Slot | None:
    """A known photo that this labeler has neither had nor ruled on. It uses up no wanted answer.

    Not one of a class that is no more under the guideline ``now_asked``: nobody could answer it rightly. ``beside``: ids of
    projects that the same photo must be in, too, and in which this labeler has neither had nor ruled on it either.
    """
    resolution = class_resolution(project, now_asked)
    found = rows(
        f"""
        SELECT g.item_id FROM truth_gold g JOIN catalog_item i ON i.id = g.item_id
        WHERE g.project_id = %s AND g.retired_at IS NULL AND g.label_class_id = ANY(%s) AND {_NEW_TO}
          AND NOT EXISTS (
              SELECT 1 FROM unnest(%s::bigint[]) other (project_id) WHERE NOT EXISTS (
                  SELECT 1 FROM catalog_item same WHERE same.project_id = other.project_id
                    AND same.image_id = i.image_id AND {_NEW_TO.replace("i.id", "same.id")}))
        ORDER BY random() LIMIT 1
        """,
        [
            project.pk,
            [each for each, counts_as in resolution.items() if counts_as is not None],
            *[labeler.pk] * 3,
            list(beside),
            *[labeler.pk] * 3,
        ],
    )
    return _lend_uncounted(project, labeler, found[0][0]) if found else None


def take_cover(project: Project, labeler: User, image_id: int) -> Slot | None:
    """A photo of which no answer is wanted, asked so that the question beside it does not stand out as a check.

    Asked as gold is: it uses up no wanted answer, and the answer neither trains nor settles anything.
    """
    found = rows(
        f"SELECT i.id FROM catalog_item i WHERE i.project_id = %s AND i.image_id = %s AND {_NEW_TO}",
        [project.pk, image_id, *[labeler.pk] * 3],
    )
    return _lend_uncounted(project, labeler, found[0][0]) if found else None


# SQL over ``catalog_item i``: this person has neither had the photo, in a grid or alone, nor ruled on it.
_NEW_TO = """
    NOT EXISTS (SELECT 1 FROM queue_slot s WHERE s.item_id = i.id AND s.holder_id = %s)
    AND NOT EXISTS (SELECT 1 FROM queue_sweepphoto p WHERE p.item_id = i.id AND p.labeler_id = %s)
    AND NOT EXISTS (SELECT 1 FROM truth_ruling r JOIN truth_dispute d ON d.id = r.dispute_id
                    WHERE d.item_id = i.id AND r.reviewer_id = %s)"""


def _lend_uncounted(project: Project, labeler: User, item_id: int) -> Slot | None:
    lease = uuid4()
    now = timezone.now()
    Slot.objects.bulk_create(
        [
            Slot(
                id=lease,
                project=project,
                item_id=item_id,
                round=1,
                holder=labeler,
                draw=Draw.GOLD,
                leased_at=now,
                expires_at=now + timedelta(seconds=project.lease_seconds),
            )
        ],
        ignore_conflicts=True,  # another tab of the same person may be taking it at this moment: then there is none
    )
    return lease_of(project, labeler, lease)
