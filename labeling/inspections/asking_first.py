"""A held inspection asks people for what is missing, and only that: the queue takes those photos first, the oldest
inspection's before all others.

Whoever answers locks a queue's entries before inspections: so never call this in a transaction that has locked one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime

from django.db import connection

from labeling.catalog.models import Project
from labeling.frontier.models import Mode
from labeling.frontier.policy import policy_of
from labeling.inspections.models import Inspection
from labeling.learning.models import Score
from labeling.learning.selectors import champion
from labeling.queue import priority

_PHOTOS = """
SELECT project.slug, i.id FROM inspections_inspectionphoto p
JOIN inspections_check c ON c.shot_id = p.shot_id
JOIN catalog_item i ON i.image_id = p.image_id AND i.project_id = c.project_id
JOIN catalog_project project ON project.id = i.project_id
WHERE p.inspection_id = %s AND p.faults = '{}'
"""


# As its verdict told when it was held: what was known since makes it too many, never too few.
_OTHERS_WAIT = """
SELECT DISTINCT i.id FROM catalog_item i
JOIN catalog_project project ON project.id = i.project_id
JOIN inspections_inspectionphoto p ON p.image_id = i.image_id
JOIN inspections_inspection n ON n.id = p.inspection_id AND n.outcome = 'held' AND n.id <> ALL (%s)
JOIN inspections_protocol protocol ON protocol.id = n.protocol_id AND protocol.archived_at IS NULL
JOIN inspections_verdict v ON v.id = n.verdict_id AND v.by_id IS NULL
JOIN inspections_shot s ON s.id = p.shot_id
WHERE i.id = ANY (%s) AND v.told -> 'unknown' @> jsonb_build_array(jsonb_build_array(s.key, project.slug))
"""


def ask_first(
    wanted: Mapping[str, Mapping[int, datetime]],
    wanted_no_more: Mapping[str, Collection[int]],
    *,
    by: Collection[int],
) -> None:
    """By the project's address: item id -> since when an inspection waits for it, and item ids for which the inspections
    ``by`` wait no more: others may, of the same photo.

    Where the machine decides, it is asked before people are: a photo that it has not scored yet is asked with the next look,
    which a new order of the queue brings.
    """
    for project in Project.objects.filter(slug__in={*wanted, *wanted_no_more}).order_by("pk"):
        no_more = set(wanted_no_more.get(project.slug, ()))
        priority.wait_no_more(project=project, item_ids=no_more - _others_wait(no_more, by))
        since = wanted.get(project.slug, {})
        seen = _seen_by_machine(project, since)
        priority.ask_while_waited_for(
            project=project, since={item: moment for item, moment in since.items() if item in seen}
        )


def _others_wait(item_ids: Collection[int], by: Collection[int]) -> set[int]:
    if not item_ids:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(_OTHERS_WAIT, [list(by), list(item_ids)])
        return {row[0] for row in cursor.fetchall()}


def _seen_by_machine(project: Project, item_ids: Collection[int]) -> Collection[int]:
    """Those that it will not decide soon; all, where it decides nothing."""
    model = champion(project) if item_ids and policy_of(project).mode == Mode.ON else None
    if model is None:
        return item_ids
    return set(Score.objects.filter(model_version=model, item__in=item_ids).values_list("item", flat=True))


def release(inspection: Inspection) -> None:
    """It waits for nothing any more."""
    photos: dict[str, list[int]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(_PHOTOS, [inspection.pk])
        for slug, item_id in cursor.fetchall():
            photos[slug].append(item_id)
    ask_first({}, photos, by=[inspection.pk])
