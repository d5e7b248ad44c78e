"""Which guideline versions mean the same, and since which one an answer of each class means what it means today.

A version that was published as another wording only means what the version before it means, unless an admin objected. All
that compares versions (certificates, plans, watches, labels settled under another guideline) compares their meanings, by
the functions here. Plans, certificates and watches are kept under the first version of their meaning.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import Q

from labeling.catalog.models import ClassDefinition, ClassState, Guideline, Project
from labeling.catalog.selectors import class_resolution, schema_of, versions_of
from labeling.database.read_once import read_once

#: Versions that mean something of their own.
_OWN = Q(wording_only=False) | Q(objection__isnull=False)


def _is_own(version: Guideline) -> bool:
    return not version.wording_only or hasattr(version, "objection")


def meaning_now(project: Project) -> Guideline:
    """The version whose meaning the newest one has: itself, or the one that it only says in other words."""
    return next(each for each in reversed(versions_of(project)) if _is_own(each))


def meanings_now(projects: Sequence[Project]) -> dict[int, int]:
    """Project id -> id of :func:`meaning_now`, in one query."""
    newest = Guideline.objects.filter(_OWN, project__in=projects).order_by("project", "-number")
    return dict(newest.distinct("project").values_list("project", "pk"))


def meanings(project: Project) -> dict[int, int]:
    """Guideline id -> id of the first version that means the same, for every version of the project."""
    found: dict[int, int] = {}
    first = 0
    for each in versions_of(project):
        first = each.pk if _is_own(each) else first
        found[each.pk] = first
    return found


def same_meaning(guideline: Guideline) -> list[int]:
    """Ids of the versions that mean what this one means, itself among them."""
    found = meanings(guideline.project)
    return [pk for pk, first in found.items() if first == found[guideline.pk]]


@read_once
def meaning_since(project: Project) -> dict[int, int]:
    """Label class id -> number of the first version under which its answers meant the same as today.

    Other criteria or another checklist of a class change what its answers mean, or, once it was merged, those of the class
    that it counts for. A class that is added, or asked again, changes what all answers mean: people chose without it.
    Renaming, ordering, exemplars, merging and retiring change nothing about the answers that still count, and another
    wording changes nothing at all. Classes that count for nothing today (retired) are left out.
    """
    since: dict[int, int] = {}
    before: dict[int, ClassDefinition] = {}
    counted_for: dict[int, int | None] = {}
    for version in versions_of(project):
        now = {row.label_class_id: row for row in schema_of(version.pk)}
        if _is_own(version):
            if before and _active(now) - _active(before):
                since = dict.fromkeys(now, version.number)
            for class_id in now:
                target = counted_for.get(class_id)
                if class_id not in since or (
                    target is not None and target in now and _asks(before[target]) != _asks(now[target])
                ):
                    since[class_id] = version.number
        before, counted_for = now, class_resolution(project, version)
    return {class_id: number for class_id, number in since.items() if counted_for.get(class_id) is not None}


def _active(schema: dict[int, ClassDefinition]) -> set[int]:
    return {class_id for class_id, row in schema.items() if row.state == ClassState.ACTIVE}


def _asks(definition: ClassDefinition) -> tuple[str, list[str]]:
    return definition.criteria.strip(), list(definition.checklist)
