"""How people did on photos whose answer is known: asked one at a time, or planted in the grid of a sweep.

Both sides are read as they count today: what was answered with a class that was merged since is an answer of the class
that took it in. A photo known to be of a class that is no more can be answered neither rightly nor wrongly, nor can one
in a grid whose class has become its own: they tell nothing of anybody. Nor does an answer beside an earlier photo.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from django.db import connection
from django.db.models import F

from labeling.catalog.models import Guideline, Item, Project
from labeling.catalog.selectors import class_resolution
from labeling.people.models import User
from labeling.truth.models import EARLIER, Gold

#: Gold photos on a page of them.
PAGE = 24

_RESOLUTION = """
resolution AS (SELECT * FROM unnest(%(old)s::bigint[], %(new)s::bigint[]) AS r (old_id, new_id))"""
# Each row is one time that somebody was asked; ``correct`` is empty where that tells nothing.
_ANSWERS = f"""
SELECT a.id, a.item_id, a.created_at,
       CASE WHEN known.new_id IS NOT NULL THEN coalesce(said.new_id = known.new_id, false) END AS correct
FROM truth_annotation a
JOIN truth_gold g ON g.item_id = a.item_id
LEFT JOIN resolution known ON known.old_id = g.label_class_id
LEFT JOIN resolution said ON said.old_id = a.label_class_id
WHERE a.draw = 'gold' AND NOT jsonb_exists(a.context, '{EARLIER}')
  AND NOT EXISTS (SELECT 1 FROM truth_retraction r WHERE r.annotation_id = a.id)"""  # noqa: S608
_CHECKS = """
SELECT c.id, c.item_id, c.created_at,
       CASE WHEN known.new_id IS NOT NULL AND known.new_id IS DISTINCT FROM shown.new_id THEN c."right" END AS correct
FROM truth_sweepcheck c
LEFT JOIN resolution known ON known.old_id = c.known_id
LEFT JOIN resolution shown ON shown.old_id = c.shown_as_id
WHERE true"""
# For each person their newest ones alone are read, off the index, however many there are.
_RECORDS = f"""
WITH {_RESOLUTION}, person AS (
    SELECT p.id, coalesce((SELECT max(lifted_at) FROM truth_pause
                           WHERE project_id = %(project)s AND labeler_id = p.id), '-infinity') AS since
    FROM unnest(%(people)s::bigint[]) AS p (id)
)
SELECT person.id, ARRAY(
    SELECT newest.correct FROM (
        (SELECT * FROM ({_ANSWERS} AND a.project_id = %(project)s AND a.labeler_id = person.id
                        AND a.created_at > person.since) asked
         WHERE correct IS NOT NULL ORDER BY id DESC LIMIT %(window)s)
        UNION ALL
        (SELECT * FROM ({_CHECKS} AND c.project_id = %(project)s AND c.labeler_id = person.id
                        AND c.created_at > person.since) checked
         WHERE correct IS NOT NULL ORDER BY id DESC LIMIT %(window)s)
    ) newest ORDER BY newest.created_at DESC LIMIT %(window)s)
FROM person
"""  # noqa: S608
_COUNTS = f"""
WITH {_RESOLUTION}
SELECT item_id, count(*), count(*) FILTER (WHERE NOT correct) FROM (
    {_ANSWERS} AND a.item_id = ANY(%(items)s) UNION ALL {_CHECKS} AND c.item_id = ANY(%(items)s)) asked
GROUP BY item_id
"""  # noqa: S608


def gold_records(
    project: Project, people: Collection[int], guideline: Guideline | None = None
) -> dict[int, list[bool]]:
    """For each of these people (ids): right or wrong for the last ``gold_window`` gold photos since the last lifted pause.

    Newest first. ``guideline`` spares a look-up where the newest version is at hand.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            _RECORDS,
            {
                "project": project.pk,
                "people": list(people),
                "window": project.gold_window,
                **_resolved(project, guideline),
            },
        )
        return dict(cursor.fetchall())


def gold_record(project: Project, labeler: User, guideline: Guideline | None = None) -> list[bool]:
    """:func:`gold_records` of one person."""
    return gold_records(project, [labeler.pk], guideline)[labeler.pk]


@dataclass(frozen=True, slots=True)
class GoldFigures:
    """A gold photo, how often people were asked it and how often they were wrong, in the grids of sweeps too.

    ``class_id``: the class that it counts as today, ``None`` where there is none: then it is not asked.
    """

    gold: Gold
    asked: int
    missed: int
    class_id: int | None

    @property
    def item(self) -> Item:
        return self.gold.item


@dataclass(frozen=True, slots=True)
class GoldPage:
    """Some gold photos of a project, and the numbers of the pages around them."""

    golds: list[GoldFigures]
    previous: int | None
    next: int | None


def gold_page(project: Project, number: int = 1) -> GoldPage:
    """A page of the project's gold photos, those in use first, then the newest; ``number`` counts from 1."""
    number = max(number, 1)
    start = (number - 1) * PAGE
    found = list(
        Gold.objects.filter(project=project)
        .select_related("item__image")
        .order_by(F("retired_at").desc(nulls_first=True), "-created_at", "-id")[start : start + PAGE + 1]
    )
    if not found and number > 1:  # behind the last one
        return gold_page(project)
    golds = found[:PAGE]
    with connection.cursor() as cursor:
        cursor.execute(_COUNTS, {"items": [gold.item_id for gold in golds], **_resolved(project, None)})
        counts = {item: (asked, missed) for item, asked, missed in cursor.fetchall()}
    resolution = class_resolution(project)
    return GoldPage(
        golds=[
            GoldFigures(gold, *counts.get(gold.item_id, (0, 0)), resolution.get(gold.label_class_id))
            for gold in golds
        ],
        previous=number - 1 if number > 1 else None,
        next=number + 1 if len(found) > PAGE else None,
    )


def _resolved(project: Project, guideline: Guideline | None) -> dict[str, list[int]]:
    pairs = {old: new for old, new in class_resolution(project, guideline).items() if new is not None}
    return {"old": list(pairs.keys()), "new": list(pairs.values())}
