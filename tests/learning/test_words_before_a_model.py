"""Before the first model names and criteria bring every second photo, and all where the first labels bear them out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pytest_django import Settings

import labeling.queue.tasks  # noqa: F401  (registers the handler of `rank`)
from inference import backbones
from labeling.catalog.models import Item, Project
from labeling.catalog.services import add_image, add_items
from labeling.frontier.picture import picture
from labeling.jobs.models import Job, JobState
from labeling.learning import cold_start
from labeling.learning.compute.ordering import Ordered
from labeling.learning.compute.words import encoder_of, tried
from labeling.learning.models import ModelVersion
from labeling.learning.services import promote, request_embedding
from labeling.truth.events import settled
from labeling.truth.models import Annotation
from tests.factories import make_project
from tests.inference.test_clip import photo
from tests.learning.building import run_job, settle, store_vectors, trained_project
from tests.learning.one_project import order_items
from tests.tiny_clip import make_clip

pytestmark = pytest.mark.django_db

#: Those that are settled first: of so many in a row ten at least are of the half that words may not bring.
FIRST = 24
#: Then those to be ordered, of which few are green.
COLOURS = ["red", "green"] * (FIRST // 2) + ["red"] * 20 + ["green"] * 8


@pytest.fixture
def weights(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(backbones, "_loaded", {})
    monkeypatch.setenv("HILLTOP_WEIGHTS_DIR", str(tmp_path))
    settings.WEIGHTS_DIR = tmp_path
    encoder_of.cache_clear()
    return make_clip(tmp_path / "clip" / "tiny")


def painted(classes: tuple[str, str], *, embedded: bool = True) -> tuple[Project, list[Item]]:
    """Its own backbone sees noise, a further one colours."""
    project = make_project(classes=classes, further_backbones=["clip:tiny"])
    images = []
    for number, colour in enumerate(COLOURS):
        shade = (200, 20 + number, 30) if colour == "red" else (20, 200, 30 + number)
        images.append((add_image(data=photo(shade))[0], f"{number:02}-{colour}.png"))
    items = add_items(project=project, images=images, source="paint")
    store_vectors(project, items, list(classes) * (len(items) // 2), apart=0.0)
    if embedded:
        job = run_job(request_embedding(project=project))
        assert job.state == JobState.SUCCEEDED, job.error + job.trace
    return project, items


def order(project: Project, items: list[Item], strategy: str = "inward") -> Ordered:
    ids = [item.pk for item in items[FIRST:]]
    return order_items(project=project, item_ids=ids, strategy=strategy, bands=4, seed=0)


def colours_of(items: list[Item], ids: list[int]) -> list[str]:
    names = {item.pk: item.name for item in items}
    return [names[pk].split("-")[1].removesuffix(".png") for pk in ids]


def test_from_the_first_photo_on_words_bring_every_second_one(weights: Path) -> None:
    project, items = painted(("red", "green"))
    for labels in (0, 9):
        settle(project, items[:labels], COLOURS[:labels])
        ordered = order(project, items)
        assert ordered.words == {"backbone": "clip:tiny", "taken": None}
        by_words, others = ordered.item_ids[0:6:2], ordered.item_ids[1:7:2]
        assert tried(by_words).all() and not tried(others).any()
        assert colours_of(items, by_words.tolist()) == ["red", "green", "red"]
        typical = order(project, items, "typical")
        assert typical.words is None
        assert others.tolist() == typical.item_ids[~tried(typical.item_ids)][:3].tolist()
        assert sorted(ordered.item_ids.tolist()) == sorted(typical.item_ids.tolist())


def test_words_that_the_labels_bear_out_bring_the_rare_class_first(weights: Path) -> None:
    project, items = painted(("red", "green"))
    settle(project, items[:FIRST], COLOURS[:FIRST])
    ordered = order(project, items)
    assert ordered.words is not None and ordered.words["taken"]
    assert (ordered.words["judged"], ordered.words["backbone"]) == (10, "clip:tiny")
    assert colours_of(items, ordered.item_ids[:6].tolist()) == ["red", "green"] * 3
    assert ordered.model_version_id is None and set(ordered.ladder.tolist()) == {0}
    settled.send(sender=Annotation, project=project, item_ids=[item.pk for item in items[19:FIRST]])
    (job,) = Job.objects.of_project(project.pk).filter(kind="rank", state=JobState.QUEUED)
    assert (run_job(job).result or {})["words"] == ordered.words
    said = picture(project).empty
    assert said.startswith("No model yet: names and criteria") and "10 ground truths" in said


def test_words_that_are_wrong_are_dropped(weights: Path) -> None:
    # Who looks for "green" finds red photos settled as that.
    project, items = painted(("green", "red"))
    turned = {"red": "green", "green": "red"}
    settle(project, items[:FIRST], [turned[colour] for colour in COLOURS[:FIRST]])
    ordered = order(project, items)
    assert ordered.words is not None and ordered.words["taken"] is False
    project.further_backbones = []
    project.save()
    assert ordered.item_ids.tolist() == order(project, items).item_ids.tolist()


def test_a_model_that_cannot_be_loaded_or_has_seen_no_photo_leaves_the_order_to_typicality(
    weights: Path,
) -> None:
    project, items = painted(("red", "green"), embedded=False)
    typical = order(project, items, "typical").item_ids.tolist()
    unseen = order(project, items)
    assert unseen.words is None and unseen.item_ids.tolist() == typical
    (weights / "tokenizer.json").write_text("{}")
    encoder_of.cache_clear()
    broken = order(project, items)
    assert broken.words is None and broken.item_ids.tolist() == typical


def test_the_half_that_words_may_bring_is_no_pattern_of_ids() -> None:
    for step in (1, 2, 3, 4):
        assert 80 <= tried(np.arange(200) * step + 7).sum() <= 120


def test_it_is_asked_at_twenty_and_thirty_and_with_words_alone(weights: Path) -> None:
    project, _items, _keys = trained_project(20)
    assert not cold_start.is_due(project, 1)
    project.further_backbones = ["clip:tiny"]
    project.save()
    assert cold_start.is_due(project, 1) and not cold_start.is_due(project, 0)
    promote(model_version=ModelVersion.objects.get(), by=project.created_by)
    assert not cold_start.is_due(Project.objects.get(pk=project.pk), 1)
