"""Open disputes as a grid: what of each is told at a glance, for a reviewer who rules on several alike."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from django.db.models import QuerySet

from labeling.catalog.models import Project
from labeling.catalog.selectors import active_classes, class_resolution
from labeling.truth.models import Annotation, AnswerKind, Dispute

#: In one grid: as many as a person looks at before ruling.
MOST = 60


@dataclass(frozen=True)
class Said:
    """An answer in words, how often it was given, and its class's place, if it names one."""

    name: str
    times: int
    position: int | None


@dataclass(frozen=True)
class Card:
    dispute: Dispute
    said: list[Said]


def cards(project: Project, disputes: QuerySet[Dispute]) -> list[Card]:
    """The first of ``disputes`` with what was answered: no names, letters or reasons, and in the guideline's order."""
    shown = list(disputes[:MOST])
    answers = (
        Annotation.objects.for_agreement()
        .filter(item__in=[each.item_id for each in shown])
        .values_list("item", "round", "kind", "label_class")
    )
    resolution = class_resolution(project)
    given: dict[tuple[int, int], dict[tuple[str, int | None], int]] = defaultdict(lambda: defaultdict(int))
    for item, round, kind, label_class in answers:
        given[item, round][kind, resolution.get(label_class or 0)] += 1
    places = {each.label_class_id: (place, each.name) for place, each in enumerate(active_classes(project))}
    return [Card(each, _said(given[each.item_id, each.round], places)) for each in shown]


def _said(given: dict[tuple[str, int | None], int], places: dict[int, tuple[int, str]]) -> list[Said]:
    said = []
    for (kind, label_class), times in given.items():
        place = places.get(label_class or 0)
        if place is not None:
            said.append(Said(place[1], times, place[0]))
        elif kind != AnswerKind.CLASS:
            said.append(Said(str(AnswerKind(kind).label), times, None))
    return sorted(said, key=lambda each: (each.position is None, each.position or 0, each.name))
