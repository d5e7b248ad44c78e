"""The order of the pool by strategy and champion."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest

from labeling.catalog.models import Project
from labeling.jobs.progress import JobError
from labeling.learning import services
from labeling.learning.compute.ordering import Ordered
from labeling.learning.models import ModelVersion
from tests.factories import make_items, make_project
from tests.learning.building import store_vectors, trained_project
from tests.learning.one_project import order_items
from tests.learning.test_training import amend

pytestmark = pytest.mark.django_db

STRATEGIES = ["inward", "random", "uncertain", "typical"]


def check(ordered: Ordered, ids: list[int]) -> None:
    """What holds for any order: every photo once, and positions that count up within each band."""
    assert sorted(ordered.item_ids.tolist()) == sorted(ids)
    positions: dict[int, list[int]] = defaultdict(list)
    for band, position in zip(ordered.band.tolist(), ordered.position.tolist(), strict=True):
        positions[band].append(position)
    assert all(found == list(range(len(found))) for found in positions.values())


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_without_a_champion_there_are_no_ladders_and_no_confidence(strategy: str) -> None:
    project = make_project()
    items = make_items(project, 40)
    store_vectors(project, items, ["functional", "defective"] * 20)
    ids = [item.pk for item in items]
    ordered = order_items(project=project, item_ids=ids, strategy=strategy, bands=4, seed=1)
    check(ordered, ids)
    assert ordered.model_version_id is None and ordered.missing == []
    assert set(ordered.ladder.tolist()) == {0}
    assert np.isnan(ordered.confidence).all()


def trained(apart: float) -> tuple[Project, ModelVersion, list[int]]:
    project, items, _keys = trained_project(80, unlabeled=50, apart=apart)
    version = ModelVersion.objects.get()
    services.promote(model_version=version, by=project.created_by)
    return project, version, [item.pk for item in items[30:]]


@pytest.mark.parametrize("strategy", ["inward", "hybrid"])
def test_with_a_champion_there_is_a_ladder_a_class_and_the_outer_bands_are_the_surest(strategy: str) -> None:
    project, version, ids = trained(apart=0.4)
    ordered = order_items(project=project, item_ids=ids, strategy=strategy, bands=4, seed=1)
    check(ordered, ids)
    assert ordered.model_version_id == version.pk
    assert ordered.bands == 4
    assert set(ordered.ladder.tolist()) == set(version.classes)
    for ladder in version.classes:
        mine = ordered.ladder == ladder
        outer, inner = mine & (ordered.band == 0), mine & (ordered.band == 3)
        if outer.any() and inner.any():
            assert ordered.confidence[outer].min() >= ordered.confidence[inner].max()


@pytest.mark.parametrize("strategy", ["random", "uncertain", "typical"])
def test_a_strategy_that_bands_do_not_pace_has_one_band_so_that_the_queue_keeps_its_order(
    strategy: str,
) -> None:
    project, _version, ids = trained(apart=0.4)
    ordered = order_items(project=project, item_ids=ids, strategy=strategy, bands=4, seed=1)
    check(ordered, ids)
    assert ordered.bands == 1 and set(ordered.band.tolist()) == {0}
    assert ordered.ladder.min() > 0
    if strategy == "uncertain":
        first, last = ordered.confidence[:10], ordered.confidence[-10:]
        assert first.max() <= last.min(), "the most uncertain photo is the first that the queue hands out"


def test_the_same_seed_gives_the_same_order_and_the_input_order_does_not_leak() -> None:
    project, items, _keys = trained_project(60, unlabeled=40)
    services.promote(model_version=ModelVersion.objects.get(), by=project.created_by)
    ids = [item.pk for item in items[20:]]
    one = order_items(project=project, item_ids=ids, strategy="inward", bands=3, seed=1)
    two = order_items(project=project, item_ids=ids, strategy="inward", bands=3, seed=1)
    assert one.item_ids.tolist() == two.item_ids.tolist()


def test_photos_without_an_embedding_go_to_missing() -> None:
    project = make_project()
    items = make_items(project, 6)
    store_vectors(project, items[:4], ["functional", "defective"] * 2)
    ordered = order_items(
        project=project, item_ids=[item.pk for item in items], strategy="inward", bands=3, seed=0
    )
    check(ordered, [item.pk for item in items[:4]])
    assert ordered.missing == [item.pk for item in items[4:]]


def test_an_empty_pool_has_an_empty_order() -> None:
    ordered = order_items(project=make_project(), item_ids=[], strategy="inward", bands=3, seed=0)
    assert len(ordered.item_ids) == len(ordered.position) == 0


def test_classes_merged_since_the_training_share_a_ladder() -> None:
    project, items, _keys = trained_project(40, unlabeled=20)
    services.promote(model_version=ModelVersion.objects.get(), by=project.created_by)
    amend(project, merge={"defective": "functional"})
    ids = [item.pk for item in items[20:]]
    ordered = order_items(project=project, item_ids=ids, strategy="inward", bands=3, seed=0)
    check(ordered, ids)
    assert ordered.model_version_id is None, "one class is left: the champion tells nothing apart"


def test_an_unknown_strategy_is_an_error_that_says_what_to_do() -> None:
    with pytest.raises(JobError, match="settings"):
        order_items(project=make_project(), item_ids=[], strategy="backwards", bands=3, seed=0)
