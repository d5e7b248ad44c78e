"""Before the first model, names and criteria of classes order the photos, where the first labels bear them out."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytest_django import Settings

import labeling.queue.tasks  # noqa: F401  (registers the handler of `rank`)
from inference import backbones
from labeling.catalog.models import Item, Project
from labeling.catalog.services import add_image, add_items
from labeling.frontier.picture import picture
from labeling.jobs.models import Job, JobState
from labeling.learning import cold_start
from labeling.learning.compute.ordering import Ordered, order_items
from labeling.learning.compute.words import encoder_of
from labeling.learning.models import ModelVersion
from labeling.learning.services import promote, request_embedding
from labeling.truth.events import settled
from labeling.truth.models import Annotation
from tests.factories import make_project
from tests.inference.test_clip import photo
from tests.learning.building import run_job, settle, store_vectors, trained_project
from tests.tiny_clip import make_clip

pytestmark = pytest.mark.django_db

#: Ten that are settled first, then those to be ordered, of which three are green.
COLOURS = ["red", "green"] * 5 + ["red"] * 20 + ["green"] * 3


@pytest.fixture
def weights(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(backbones, "_loaded", {})
    monkeypatch.setenv("HILLTOP_WEIGHTS_DIR", str(tmp_path))
    settings.WEIGHTS_DIR = tmp_path
    encoder_of.cache_clear()
    return make_clip(tmp_path / "clip" / "tiny")


def painted(classes: tuple[str, str]) -> tuple[Project, list[Item]]:
    """Its own backbone sees noise, a further one colours."""
    project = make_project(classes=classes, further_backbones=["clip:tiny"])
    images = []
    for number, colour in enumerate(COLOURS):
        shade = (200, 20 + number, 30) if colour == "red" else (20, 200, 30 + number)
        images.append((add_image(data=photo(shade))[0], f"{number:02}-{colour}.png"))
    items = add_items(project=project, images=images, source="paint")
    store_vectors(project, items, list(classes) * (len(items) // 2) + [classes[0]], apart=0.0)
    job = run_job(request_embedding(project=project))
    assert job.state == JobState.SUCCEEDED, job.error + job.trace
    return project, items


def order(project: Project, items: list[Item], strategy: str = "inward") -> Ordered:
    ids = [item.pk for item in items[10:]]
    return order_items(project=project, item_ids=ids, strategy=strategy, bands=4, seed=0)


def test_words_that_the_labels_bear_out_bring_the_rare_class_first(weights: Path) -> None:
    project, items = painted(("red", "green"))
    settle(project, items[:9], COLOURS[:9])
    assert order(project, items).words is None  # nine judge nothing
    settle(project, items[9:10], COLOURS[9:10])
    ordered = order(project, items)
    assert ordered.words is not None and ordered.words["taken"]
    assert (ordered.words["judged"], ordered.words["backbone"]) == (10, "clip:tiny")
    names = {item.pk: item.name for item in items}
    first = ["green" in names[pk] for pk in ordered.item_ids[:6].tolist()]
    assert first == [False, True] * 3
    assert ordered.model_version_id is None and set(ordered.ladder.tolist()) == {0}
    assert order(project, items, "typical").words is None

    settled.send(sender=Annotation, project=project, item_ids=[items[9].pk])
    (job,) = Job.objects.of_project(project.pk).filter(kind="rank", state=JobState.QUEUED)
    assert (run_job(job).result or {})["words"] == ordered.words
    said = picture(project).empty
    assert said.startswith("No model yet: names and criteria") and "10 ground truths" in said


def test_words_that_are_wrong_change_nothing(weights: Path) -> None:
    # Who looks for "green" finds red photos settled as that.
    project, items = painted(("green", "red"))
    turned = {"red": "green", "green": "red"}
    settle(project, items[:10], [turned[colour] for colour in COLOURS[:10]])
    ordered = order(project, items)
    assert ordered.words is not None and not ordered.words["taken"]
    assert ordered.item_ids.tolist() == order(project, items, "typical").item_ids.tolist()


def test_a_model_that_cannot_be_loaded_leaves_the_order_to_typicality(weights: Path) -> None:
    project, items = painted(("red", "green"))
    settle(project, items[:10], COLOURS[:10])
    (weights / "tokenizer.json").write_text("{}")
    ordered = order(project, items)
    assert ordered.words is None and len(ordered.item_ids) == len(items) - 10


def test_it_is_due_at_ten_and_twenty_and_with_words_alone(weights: Path) -> None:
    project, _items, _keys = trained_project(20)
    assert not cold_start.is_due(project, 1)
    project.further_backbones = ["clip:tiny"]
    project.save()
    assert cold_start.is_due(project, 1) and not cold_start.is_due(project, 0)
    promote(model_version=ModelVersion.objects.get(), by=project.created_by)
    assert not cold_start.is_due(Project.objects.get(pk=project.pk), 1)
