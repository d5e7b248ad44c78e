"""Which labels judge a model, and how many of them it takes."""

from __future__ import annotations

import pytest

from inference import backbones
from labeling.catalog.models import Project
from labeling.learning import selectors, wording
from labeling.learning.models import ModelVersion
from labeling.learning.training_set import Example, TrainingClass, TrainingSet
from tests.factories import TINY, make_items
from tests.learning.building import ask_again, run_job, separable_project, settle, store_vectors
from tests.learning.test_fused_versions import SECOND, seen_by, trained

CLASSES = (TrainingClass(1, "a", "A"), TrainingClass(2, "b", "B"))


def labels(strict: int, imported: int, *, classes: int = 2) -> TrainingSet:
    return TrainingSet(
        1,
        CLASSES,
        tuple(
            Example(at, at, f"{at:064x}", 1 + at % (classes if at < strict else 2), False, strict=at < strict)
            for at in range(strict + imported)
        ),
    )


@pytest.mark.parametrize(
    ("strict", "classes", "judges"), [(0, 2, 90), (1, 2, 90), (29, 2, 90), (30, 1, 90), (30, 2, 30)]
)
def test_strict_labels_judge_alone_from_thirty_of_two_classes_on(
    strict: int, classes: int, judges: int
) -> None:
    assert sum(labels(strict, 90 - strict, classes=classes).judging) == judges


@pytest.mark.django_db
@pytest.mark.parametrize(("photos", "enough"), [(28, False), (30, True)])
def test_nothing_is_promoted_by_itself_on_a_few_photos(photos: int, enough: bool) -> None:
    project, _items, _keys = separable_project(photos, promote_automatically=True)
    run_job(ask_again(project, auto=True))
    first = selectors.champion(project)
    assert first is not None
    job = run_job(ask_again(project, auto=True))
    second = ModelVersion.objects.get(number=2)
    comparison = second.comparison
    assert comparison is not None and comparison["not_worse"] and comparison["all"]["n"] == photos
    assert job.result is not None and job.result["promoted"] is enough
    assert selectors.champion(project) == (second if enough else first)
    told = wording.conclusion(comparison).sentences
    assert any("on fewer than 30" in sentence for sentence in told) is not enough


def brought_in_after(settled: int, since: int) -> Project:
    """A network that has the labels from before it by heart and knows nothing else comes between two trainings."""
    project, items, keys = separable_project(settled, apart=0.4)
    first = trained(project)
    seen_by(SECOND, items, keys, apart=4.0, seed=1)
    other = backbones.load(SECOND)
    ModelVersion.objects.create(
        project=project,
        number=2,
        snapshot=first.snapshot,
        backbone=other.name,
        backbone_hash=other.content_hash,
        classes=first.classes,
        artifact="elsewhere",
        manifest={"origin": "brought_in"},
        metrics=first.metrics,
    )
    fresh = make_items(project, since, seed=9)
    keys = ["functional", "defective"] * (since // 2)
    store_vectors(project, fresh, keys, apart=0.4)
    seen_by(SECOND, fresh, keys, apart=0.0, seed=2)
    settle(project, fresh, keys)
    return project


@pytest.mark.django_db
def test_a_network_from_elsewhere_wins_nothing_by_labels_that_it_may_have_learned() -> None:
    version = trained(brought_in_after(60, 40))
    assert version.backbone == TINY
    network = next(row for row in version.metrics["backbones"]["candidates"] if row["name"] == SECOND)
    assert network["paired"]["n"] == 40 and network["note"] == "no gain"


@pytest.mark.django_db
def test_a_network_that_too_few_labels_came_after_is_left_out() -> None:
    version = trained(brought_in_after(60, 20))
    assert version.backbone == TINY and version.metrics["backbones"] is None
