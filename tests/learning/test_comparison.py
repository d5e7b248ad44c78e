"""Champion and challenger are compared on the same photos, and neither is judged on what it learned."""

from __future__ import annotations

import numpy as np
import pytest

from labeling.catalog.selectors import class_resolution
from labeling.learning import selectors, services, wording
from labeling.learning.compute import artifact
from labeling.learning.compute.classes import in_force, translate
from labeling.learning.compute.comparison import compare_with_champion
from labeling.learning.models import ModelVersion
from labeling.learning.training_set import training_set
from labeling.truth.models import Draw
from tests.factories import make_items
from tests.learning.building import run_job, separable_project, settle, store_vectors, trained_project


@pytest.mark.django_db
def test_a_champion_is_not_judged_by_photos_that_it_learned_by_heart() -> None:
    """Labels without any meaning: the head fits its own photos perfectly, but knows nothing of them."""
    project, _items, _keys = trained_project(60, apart=0.0)
    services.promote(model_version=ModelVersion.objects.get(), by=project.created_by)
    run_job(services.request_training(project=project, by=None, seed=1))
    comparison = ModelVersion.objects.get(number=2).comparison
    assert comparison is not None
    assert comparison["all"]["n"] == 60 and comparison["new"] == 0 and comparison["left_out"] == 0
    assert comparison["all"]["accuracy_a"] < 0.75


@pytest.mark.django_db
def test_photos_that_the_champion_never_learned_from_are_judged_by_its_head() -> None:
    project, _items, _keys = trained_project(40)
    services.promote(model_version=ModelVersion.objects.get(), by=project.created_by)
    fresh = make_items(project, 20, seed=4)
    keys = ["functional", "defective"] * 10
    store_vectors(project, fresh, keys)
    settle(project, fresh, keys, draw=Draw.AUDIT)
    run_job(services.request_training(project=project, by=None))
    comparison = ModelVersion.objects.get(number=2).comparison
    assert comparison is not None
    assert comparison["champion"] == 1
    assert comparison["all"]["n"] == 60 and comparison["new"] == 20
    assert comparison["audit"]["n"] == 20
    assert comparison["all"]["accuracy_a"] > 0.8


@pytest.mark.django_db
def test_a_champion_on_a_classifier_from_elsewhere_is_judged_by_labels_that_came_after_it() -> None:
    project, items, _keys = trained_project(40)
    champion = ModelVersion.objects.get()
    services.promote(model_version=champion, by=project.created_by)
    ModelVersion.objects.create(
        project=project,
        number=2,
        snapshot=champion.snapshot,
        backbone=champion.backbone,
        backbone_hash=champion.backbone_hash,
        classes=champion.classes,
        artifact="elsewhere",
        manifest={"origin": "brought_in"},
        metrics=champion.metrics,
    )
    fresh = make_items(project, 20, seed=4)
    # It may know a photo by heart that looks like one of theirs.
    type(fresh[0]).objects.filter(pk__in=[items[0].pk, fresh[0].pk]).update(twins_of=items[0].pk)
    keys = ["functional", "defective"] * 10
    store_vectors(project, fresh, keys)
    settle(project, fresh, keys)
    run_job(services.request_training(project=project, by=None))
    comparison = ModelVersion.objects.get(number=3).comparison
    assert comparison is not None and comparison["champion"] == 1
    assert comparison["all"]["n"] == comparison["new"] == 19 and comparison["left_out"] == 41


@pytest.mark.django_db
def test_a_challenger_that_errs_more_is_worse_and_one_that_does_not_is_not() -> None:
    project, _items, _keys = trained_project(40)
    version = ModelVersion.objects.get()
    services.promote(model_version=version, by=project.created_by)
    champion = selectors.champion(project)
    assert champion is not None
    learned = training_set(project)
    right = np.eye(2)[learned.columns]

    def against(challenger: np.ndarray) -> dict:  # type: ignore[type-arg]
        return compare_with_champion(
            champion=champion,
            learned=learned,
            challenger=challenger,
            resolution=class_resolution(project),
            seed=0,
        )

    assert against(right)["not_worse"]
    worse = against(1 - right)
    assert not worse["not_worse"] and worse["all"]["high"] < 0
    assert wording.conclusion(worse).look == "bad"
    assert "Worse than version 1" in wording.conclusion(worse).headline


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["manifest.json", "head.safetensors", "out-of-fold.safetensors"])
@pytest.mark.parametrize("damage", ["gone", "cut"])
def test_damaged_files_of_the_champion_stop_no_training_and_promote_nothing(name: str, damage: str) -> None:
    project, _items, _keys = separable_project(40, promote_automatically=True)
    run_job(services.request_training(project=project, by=None, auto=True))
    champion = selectors.champion(project)
    assert champion is not None
    file = artifact.folder_of(champion.artifact) / name
    content = file.read_bytes()
    file.unlink()
    if damage == "cut":
        file.write_bytes(content[: len(content) // 2])
    # A few photos that it never learned from are no reason either.
    fresh = make_items(project, 2, seed=4)
    store_vectors(project, fresh, ["functional", "defective"])
    settle(project, fresh, ["functional", "defective"])
    job = run_job(services.request_training(project=project, by=None, auto=True))
    assert job.state == "succeeded", job.error
    assert job.result is not None and job.result["promoted"] is False
    assert selectors.champion(project) == champion
    comparison = ModelVersion.objects.get(number=2).comparison
    assert comparison is not None and comparison["unreadable"] and not comparison["not_worse"]
    told = wording.conclusion(comparison)
    assert told.look == "warn" and "version 1 are missing or damaged" in told.sentences[0]


def test_merged_classes_add_up_and_retired_ones_go_aside() -> None:
    proba = np.array([[0.1, 0.2, 0.3, 0.4]])
    told = translate(proba, [1, 2, 3, 4], [1, 2], {1: 1, 2: 2, 3: 2, 4: None})
    assert np.allclose(told, [[0.1, 0.5, 0.4]])


def test_a_class_that_the_challenger_does_not_know_goes_aside() -> None:
    told = translate(np.array([[0.7, 0.3]]), [1, 9], [1, 2], {1: 1, 2: 2, 9: 9})
    assert np.allclose(told, [[0.7, 0.0, 0.3]])


def test_what_is_in_force_sums_to_one_again() -> None:
    told = in_force(np.array([[0.2, 0.2, 0.6], [0.0, 0.0, 1.0]]), [1, 2, 3], {1: 1, 2: 2, 3: None})
    assert told is not None
    classes, proba = told
    assert classes == [1, 2] and np.allclose(proba, [[0.5, 0.5], [0.5, 0.5]])


def test_with_one_class_left_a_version_has_nothing_to_say() -> None:
    assert in_force(np.array([[0.2, 0.8]]), [1, 2], {1: 1, 2: 1}) is None
