"""A project whose photos wait in a ranking of two ladders and three bands."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import uuid4

import pytest

import labeling.learning.tasks
import labeling.queue.tasks  # noqa: F401  (registers the handlers)
from labeling.catalog.models import Item, LabelClass, Project
from labeling.people.models import User
from labeling.queue import services
from labeling.queue.models import Entry, Ranking, Slot
from labeling.truth.services import Answer
from tests.factories import make_items, make_member, make_project


def rank_by_hand(project: Project, items: list[Item], *, bands: int = 3) -> Ranking:
    """The first items are the outermost; ladders take turns."""
    ladders = list(LabelClass.objects.filter(project=project).order_by("pk"))
    Ranking.objects.filter(project=project).update(current=False)
    ranking = Ranking.objects.create(
        project=project,
        number=Ranking.objects.filter(project=project).count() + 10,
        strategy="inward",
        bands=bands,
        current=True,
    )
    size = -(-len(items) // bands)
    Entry.objects.bulk_create(
        Entry(
            ranking=ranking,
            item=item,
            ladder=ladders[index % len(ladders)],
            band=index // size,
            position=index % size,
            confidence=1 - index / len(items),
            free=project.answers_per_image,
        )
        for index, item in enumerate(items)
    )
    return ranking


def answer_with(
    project: Project, slot: Slot, choice: str = "functional", *, kind: str = "class", reason: str = ""
) -> services.Submission:
    return services.submit(
        project=project,
        labeler=slot.holder,
        lease=slot.pk,
        key=uuid4(),
        answer=Answer(kind=kind, class_key=choice if kind == "class" else "", reason=reason),
        view_ms=500,
    )


@dataclass
class Setting:
    project: Project
    items: list[Item]
    ranking: Ranking
    ann: User
    bob: User


@pytest.fixture
def setting(db: None) -> Setting:
    project = make_project(bands=3, boundary_after=12)
    items = make_items(project, 30)
    return Setting(project, items, rank_by_hand(project, items), make_member(project), make_member(project))
