"""A project in which sweeps are possible: an order made by a champion, and gold of both classes."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from labeling.catalog.models import Item, Project
from labeling.learning.models import ModelVersion, Promotion, Snapshot
from labeling.people.models import User
from labeling.queue.models import Ranking, SweepPhoto
from labeling.queue.sweeps.selectors import Grid
from labeling.queue.sweeps.services import HandedIn, Mark, claim_sweep, hand_in
from labeling.truth import services as truth
from tests.factories import make_items, make_member, make_project
from tests.kept import made_once
from tests.queue.conftest import rank_by_hand

ALL_LADDERS = ("functional", "defective")


@dataclass
class Field:
    """A champion's order of 90 photos in three bands, two ladders taking turns, and gold of both classes."""

    project: Project
    items: list[Item]
    gold: dict[str, list[Item]]
    ranking: Ranking
    model: ModelVersion
    ann: User
    bob: User

    def claim(self, labeler: User, prefer: str = "functional") -> Grid:
        grid = claim_sweep(project=self.project, labeler=labeler, prefer=prefer, dice=random.Random(3))
        assert grid is not None
        return grid

    def marks(self, grid: Grid, *more: SweepPhoto, mark: Mark | None = None) -> dict[UUID, Mark]:
        """The planted photos set apart, and ``more`` marked as ``mark`` says."""
        return {photo.pk: Mark() for photo in planted(grid)} | {photo.pk: mark or Mark() for photo in more}

    def hand_in(self, grid: Grid, marks: dict[UUID, Mark] | None = None, **more: Any) -> HandedIn:
        return hand_in(
            project=self.project,
            labeler=grid.sweep.labeler,
            sweep_id=grid.sweep.pk,
            key=more.pop("key", None) or uuid4(),
            marks=self.marks(grid) if marks is None else marks,
            view_ms=more.pop("view_ms", 24_000),
        )


def planted(grid: Grid) -> list[SweepPhoto]:
    return [photo for photo in grid.photos if photo.known_id is not None]


def real(grid: Grid) -> list[SweepPhoto]:
    return [photo for photo in grid.photos if photo.known_id is None]


def make_field(make: Callable[..., list[Item]] = make_items, *, photos: int = 90, **settings: Any) -> Field:
    """``make(project, count, seed=)`` makes the photos: rows only, or with bytes."""
    project = make_project(bands=3, boundary_after=300, sweep_allowed=True, **settings)
    items = make(project, photos)
    gold = make(project, 12, seed=1000)
    known = {}
    for key, some in zip(ALL_LADDERS, (gold[:6], gold[6:]), strict=True):
        for item in some:
            truth.add_gold(project=project, item=item, class_key=key, by=project.created_by)
        known[key] = some
    model = ModelVersion.objects.create(
        project=project,
        number=1,
        snapshot=Snapshot.objects.create(
            project=project,
            guideline=project.guidelines.get(),
            ground_truth_ids=[],
            digest="1" * 64,
            counts={},
        ),
        backbone="efficientnet_lite0",
        backbone_hash="b" * 64,
        classes=[each.pk for each in project.label_classes.order_by("pk")],
        artifact="cells/1",
        manifest={},
        metrics={},
    )
    Promotion.objects.create(project=project, model_version=model, by=project.created_by)
    ranking = rank_by_hand(project, items)
    Ranking.objects.filter(pk=ranking.pk).update(model_version=model)
    ranking.refresh_from_db()
    members = [make_member(project) for _ in range(4)]
    return Field(project, items, known, ranking, model, members[0], members[1])


kept_field = made_once(make_field)
