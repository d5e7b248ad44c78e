"""Since which guideline version an answer of each class has meant what it means today."""

from __future__ import annotations

from labeling.catalog.models import ClassDefinition, ClassState, Guideline, Project
from labeling.catalog.selectors import class_resolution, schema_of


def meaning_since(project: Project) -> dict[int, int]:
    """Label class id -> number of the first version under which its answers meant the same as today.

    Other criteria or another checklist of a class change what its answers mean, or, once it was merged, those of the class
    that it counts for. A class that is added, or asked again, changes what all answers mean: people chose without it.
    Renaming, ordering, exemplars, merging and retiring change nothing about the answers that still count. Classes that
    count for nothing today (retired) are left out.
    """
    versions = list(Guideline.objects.filter(project=project).order_by("number"))
    since: dict[int, int] = {}
    before: dict[int, ClassDefinition] = {}
    counted_for: dict[int, int | None] = {}
    for version in versions:
        now = {row.label_class_id: row for row in schema_of(version.pk)}
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
