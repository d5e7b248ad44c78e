"""The champion's probabilities for every photo, written in bulk and only once."""

from __future__ import annotations

import pytest
from pytest_django import Settings

from labeling.catalog.models import Item, Project
from labeling.jobs.progress import JobError
from labeling.learning import services
from labeling.learning.compute import artifact, scoring
from labeling.learning.compute.stores import open_store
from labeling.learning.models import ModelVersion, Score
from tests.factories import make_items
from tests.learning.building import run_job, trained_project
from tests.learning.one_project import score_items

pytestmark = pytest.mark.django_db


def trained(count: int = 30, unlabeled: int = 10) -> tuple[Project, list[Item], list[str], ModelVersion]:
    project, items, keys = trained_project(count, unlabeled=unlabeled)
    return project, items, keys, ModelVersion.objects.filter(project=project).latest("number")


def test_every_photo_gets_the_heads_probabilities(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scoring, "CHUNK", 7)  # several chunks, the last one smaller
    project, items, _keys, version = trained()
    told = score_items(project=project, model_version=version, item_ids=[item.pk for item in items])
    assert told == {"scored": 30, "already": 0, "missing": 0}
    head = artifact.load(version)
    store = open_store(version.backbone_hash, head.n_features_in_)
    for item in items[:3]:
        score = Score.objects.get(item=item)
        expected = head.predict_proba(store.rows([item.image.sha256]))[0]
        assert score.probabilities == pytest.approx(expected.tolist(), abs=1e-6)
        assert score.confidence == pytest.approx(abs(expected[0] - expected[1]), abs=1e-6)
        assert score.predicted_id == version.classes[int(expected.argmax())]


def test_unlabeled_photos_are_mostly_predicted_right() -> None:
    project, items, keys, version = trained(60, 30)
    score_items(project=project, model_version=version, item_ids=[item.pk for item in items[30:]])
    right = sum(
        score.predicted.key == keys[items.index(score.item)]
        for score in Score.objects.select_related("predicted", "item")
    )
    assert right >= 24


def test_scoring_again_changes_nothing_and_a_new_version_replaces_the_old_rows() -> None:
    project, items, _keys, first = trained()
    ids = [item.pk for item in items]
    score_items(project=project, model_version=first, item_ids=ids[:20])
    before = dict(Score.objects.values_list("item_id", "probabilities"))
    told = score_items(project=project, model_version=first, item_ids=ids)
    assert told == {"scored": 10, "already": 20, "missing": 0}
    after = dict(Score.objects.values_list("item_id", "probabilities"))
    assert len(after) == 30 and {item: after[item] for item in before} == before
    run_job(services.request_training(project=project, by=None, seed=1))
    second = ModelVersion.objects.filter(project=project).latest("number")
    score_items(project=project, model_version=second, item_ids=ids)
    assert Score.objects.count() == 30
    assert set(Score.objects.values_list("model_version_id", flat=True)) == {second.pk}


def test_another_projects_scores_stay() -> None:
    project, items, _keys, version = trained()
    score_items(project=project, model_version=version, item_ids=[item.pk for item in items])
    other, others, _keys, its_version = trained()
    score_items(project=other, model_version=its_version, item_ids=[item.pk for item in others])
    assert Score.objects.filter(model_version=version).count() == 30


def test_photos_without_an_embedding_are_counted_and_not_scored() -> None:
    project, items, _keys, version = trained()
    bare = make_items(project, 2, seed=8)
    told = score_items(project=project, model_version=version, item_ids=[item.pk for item in [*items, *bare]])
    assert told == {"scored": 30, "already": 0, "missing": 2}
    assert not Score.objects.filter(item__in=bare).exists()


def test_a_damaged_head_is_an_error_that_says_what_to_do(settings: Settings) -> None:
    project, items, _keys, version = trained()
    weights = artifact.folder_of(version.artifact) / "head.safetensors"
    weights.write_bytes(weights.read_bytes()[:-8])
    with pytest.raises(JobError, match="backup"):
        score_items(project=project, model_version=version, item_ids=[items[0].pk])
