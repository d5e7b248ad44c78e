"""Fine-tuning in a training: asked for, judged in the same folds, and kept as a backbone of its own if it gains."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.utils import timezone
from PIL import Image as PillowImage
from pytest_django import Settings

from inference import finetune
from labeling.catalog.models import Item, Project
from labeling.catalog.services import add_image, add_items
from labeling.jobs.models import Job, JobState
from labeling.learning import domain_backbones, services
from labeling.learning.adaptation import services as adaptation
from labeling.learning.compute import contest, training
from labeling.learning.compute.finetuning import one_view
from labeling.learning.models import ModelVersion
from labeling.refusals import Refused
from tests.factories import make_project
from tests.learning.building import run_job, separable_project, settle, trained_project
from tests.learning.one_project import score_items

pytestmark = pytest.mark.django_db


def grain(index: int) -> bytes:
    """A small grey photo of noise, coarser when ``index`` is odd."""
    rng = np.random.default_rng(index)
    side = 24 if index % 2 else 32
    pixels = rng.integers(60, 200, (side, side), dtype=np.uint8)
    buffer = io.BytesIO()
    PillowImage.fromarray(pixels).resize((64, 64), PillowImage.Resampling.BICUBIC).save(buffer, format="PNG")
    return buffer.getvalue()


@pytest.fixture
def labeled(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> tuple[Project, list[Item]]:
    """Ten photos and labels, and a tuning that a test can afford."""
    settings.FINE_TUNE_EPOCHS = 1
    monkeypatch.setattr(adaptation, "LEAST_TO_FINE_TUNE", 4)
    project = make_project()
    images = [(add_image(data=grain(at))[0], f"{at}.png") for at in range(10)]
    items = add_items(project=project, images=images, source="test")
    settle(project, items, [("functional", "defective")[at % 2] for at in range(10)])
    return project, items


def say(monkeypatch: pytest.MonkeyPatch, note: str) -> None:
    """Whether one epoch on ten photos gains is luck; what follows from it is not."""
    real = contest.judge
    monkeypatch.setattr(contest, "judge", lambda *given, **options: real(*given, **options) | {"note": note})


def test_a_tuned_backbone_that_gains_becomes_the_versions_own(
    labeled: tuple[Project, list[Item]], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, items = labeled
    say(monkeypatch, "gains")
    job = run_job(adaptation.request_fine_tuning(project=project, by=project.created_by))
    assert job.state == JobState.SUCCEEDED, job.error + job.trace
    version = ModelVersion.objects.get()
    assert version.backbone.startswith(f"domain:p{project.pk}-")
    assert version.manifest["base"] == project.backbone
    report: dict[str, Any] = version.metrics["backbones"]
    assert report["chosen"] == version.backbone and report["candidates"][1]["method"] == "finetune"
    folder = Path(settings.BACKBONES_DIR) / version.backbone.removeprefix("domain:")
    assert {each.name for each in folder.iterdir()} == {"manifest.json", "sums.json", "weights.safetensors"}
    assert not list(Path(settings.BACKBONES_DIR).glob(".*"))
    services.promote(model_version=version, by=project.created_by)
    told = score_items(project=project, model_version=version, item_ids=[item.pk for item in items])
    assert told["scored"] == 10
    assert domain_backbones.to_embed(project) == [project.backbone, version.backbone]
    assert domain_backbones.candidates(project) == [], "it saw labels: no later training can judge it"


def _on_disk(settings: Settings) -> set[str]:
    """Of backbones, stores and exported networks."""
    places = (settings.BACKBONES_DIR, settings.EMBEDDINGS_DIR, f"{settings.EMBEDDINGS_DIR}/networks")
    return {each.name for place in places for each in Path(place).glob("*")} - {"networks"}


def test_one_that_does_not_gain_leaves_the_frozen_head_and_nothing_on_disk(
    labeled: tuple[Project, list[Item]], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, _items = labeled
    run_job(Job.objects.get(kind="embed"))
    before = _on_disk(settings)
    say(monkeypatch, "no gain")
    run_job(adaptation.request_fine_tuning(project=project, by=None))
    version = ModelVersion.objects.get()
    assert version.backbone == project.backbone
    tried = version.metrics["backbones"]["candidates"][1]
    assert tried["method"] == "finetune" and 0 <= tried["accuracy"] <= 1 and tried["log_loss"] > 0
    assert tried["name"].startswith("domain:"), "what was tried is told"
    assert _on_disk(settings) == before


def test_a_training_that_breaks_after_its_tuning_leaves_nothing_of_it(
    labeled: tuple[Project, list[Item]], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, _items = labeled
    run_job(Job.objects.get(kind="embed"))
    before = _on_disk(settings)
    say(monkeypatch, "gains")

    def breaks(**_: Any) -> None:
        assert _on_disk(settings) > before
        raise RuntimeError("a bug")

    monkeypatch.setattr(training, "diagnose", breaks)
    job = run_job(adaptation.request_fine_tuning(project=project, by=None))
    assert job.state == JobState.FAILED and "a bug" in job.trace
    assert _on_disk(settings) == before


def test_photos_that_are_gone_leave_the_frozen_head() -> None:
    project, _items, _keys = separable_project(40)  # embeddings without files
    job = run_job(adaptation.request_fine_tuning(project=project, by=None))
    assert job.state == JobState.SUCCEEDED, job.error + job.trace
    version = ModelVersion.objects.get()
    assert version.backbone == project.backbone
    assert "cannot be read" in version.metrics["backbones"]["candidates"][1]["note"]


@pytest.mark.parametrize(
    ("error", "note"),
    [(finetune.Diverged("No number any more."), "No number"), (MemoryError(), "MemoryError")],
)
def test_a_tuning_that_fails_leaves_the_frozen_head(
    error: Exception,
    note: str,
    labeled: tuple[Project, list[Item]],
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    project, _items = labeled

    def fails(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(finetune, "fine_tune", fails)
    job = run_job(adaptation.request_fine_tuning(project=project, by=None))
    assert job.state == JobState.SUCCEEDED, job.error + job.trace
    version = ModelVersion.objects.get()
    assert version.backbone == project.backbone
    assert note in version.metrics["backbones"]["candidates"][1]["note"]
    assert not list(Path(settings.BACKBONES_DIR).glob("*"))


def test_a_tuning_that_is_cancelled_is_a_training_that_is_cancelled(
    labeled: tuple[Project, list[Item]], monkeypatch: pytest.MonkeyPatch
) -> None:
    project, _items = labeled
    job = adaptation.request_fine_tuning(project=project, by=None)

    def cancelled(*_: Any, on_progress: Any, **__: Any) -> None:
        Job.objects.filter(pk=job.pk).update(cancel_requested_at=timezone.now())
        on_progress(1, 1)

    monkeypatch.setattr(finetune, "fine_tune", cancelled)
    assert run_job(job).state == JobState.CANCELLED
    assert not ModelVersion.objects.exists()


def test_it_is_refused_for_few_labels_and_while_a_training_runs() -> None:
    few, _items, _keys = separable_project(38)
    with pytest.raises(Refused) as refusal:
        adaptation.request_fine_tuning(project=few, by=None)
    assert refusal.value.code == "too_few"
    project, _items, _keys = separable_project(40)
    services.request_training(project=project, by=None)
    with pytest.raises(Refused) as refusal:
        adaptation.request_fine_tuning(project=project, by=None)
    assert (refusal.value.code, refusal.value.status) == ("busy", 409)
    assert Job.objects.filter(kind="train").count() == 1


def test_an_ordinary_training_tunes_nothing() -> None:
    _project, _items, _keys = trained_project(40)
    assert ModelVersion.objects.get().metrics["backbones"] is None


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("efficientnet_lite0+tiles2", "efficientnet_lite0"),
        ("timm:vit_small_patch14_dinov2+cls+patches+flips", "timm:vit_small_patch14_dinov2+cls+patches"),
    ],
)
def test_tuning_keeps_the_features_and_leaves_the_views(name: str, plain: str) -> None:
    assert one_view(name) == plain
