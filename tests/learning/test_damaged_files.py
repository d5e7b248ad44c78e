"""What a failing disk did to embeddings is computed again while jobs go on; what it did to a model bars its promotion."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from safetensors.numpy import load_file, save_file

import labeling.queue.tasks  # noqa: F401  (registers the handlers)
from inference import artifacts, shards
from labeling.catalog.models import Item, Project
from labeling.catalog.services import add_image, add_items
from labeling.jobs.models import Job, JobState
from labeling.learning import services
from labeling.learning.models import ModelVersion, Promotion
from labeling.queue.services import request_ranking
from labeling.refusals import Refused
from tests.factories import make_project, photo_bytes
from tests.learning.building import run_job, settle, trained_project

pytestmark = pytest.mark.django_db


def cut_shards() -> None:
    found = list(Path(settings.EMBEDDINGS_DIR).glob("*/shard-*/vectors.npy"))
    assert found
    for path in found:
        os.truncate(path, path.stat().st_size // 2)
    shards._sound.clear()  # as in a worker that has just been started


def waiting(kind: str, project: Project) -> Job:
    return Job.objects.get(kind=kind, project_id=project.pk, state=JobState.QUEUED)


def with_real_photos(count: int) -> tuple[Project, list[Item]]:
    project = make_project()
    images = [(add_image(data=photo_bytes(n, size=(96, 96)))[0], f"{n}.png") for n in range(count)]
    items = add_items(project=project, images=images, source="test")
    assert run_job(waiting("embed", project)).state == JobState.SUCCEEDED
    return project, items


def test_a_training_computes_again_what_was_cut() -> None:
    project, items = with_real_photos(12)
    settle(project, items, ["functional", "defective"] * 6)
    cut_shards()
    job = run_job(services.request_training(project=project, by=None))
    assert job.state == JobState.SUCCEEDED, job.error + job.trace
    version = ModelVersion.objects.get(project=project)
    assert len(version.snapshot.ground_truth_ids) == 12 and version.manifest["unusable_photos"] == 0


def test_a_ranking_goes_on_without_what_was_cut_and_has_it_computed_again() -> None:
    project, items = with_real_photos(6)
    for job in Job.objects.filter(state=JobState.QUEUED):  # those that the intake and the embedding asked for
        run_job(job)
    cut_shards()
    ranked = run_job(request_ranking(project=project))
    assert ranked.state == JobState.SUCCEEDED, ranked.error + ranked.trace
    healed = run_job(waiting("embed", project))
    assert healed.state == JobState.SUCCEEDED, healed.error + healed.trace
    assert healed.result is not None and healed.result["embedded"] == len(items)
    again = run_job(waiting("rank", project))
    assert again.state == JobState.SUCCEEDED and not Job.objects.filter(kind="embed", state=JobState.QUEUED)


def weights(folder: Path) -> Path:
    return folder / "head.safetensors"


def _other_bytes(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-1] ^= 0x10
    path.write_bytes(data)


def _of_another_version(folder: Path) -> None:
    """Sound in itself, and not what this version was made of."""
    arrays = {name: np.asarray(array) * 2 for name, array in load_file(weights(folder)).items()}
    save_file(arrays, weights(folder))
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["weights_sha256"] = artifacts._sha256(weights(folder))
    (folder / "manifest.json").write_text(json.dumps(manifest))


DAMAGES: dict[str, Callable[[Path], object]] = {
    "cut": lambda folder: os.truncate(weights(folder), 40),
    "empty": lambda folder: os.truncate(weights(folder), 0),
    "changed": lambda folder: _other_bytes(weights(folder)),
    "gone": lambda folder: weights(folder).unlink(),
    "a folder in its place": lambda folder: (weights(folder).unlink(), weights(folder).mkdir()),
    "manifest gone": lambda folder: (folder / "manifest.json").unlink(),
    "manifest cut": lambda folder: os.truncate(folder / "manifest.json", 30),
    "manifest a list": lambda folder: (folder / "manifest.json").write_text("[]"),
    "of another version": _of_another_version,
    "out-of-fold cut": lambda folder: os.truncate(folder / "out-of-fold.safetensors", 100),
    "out-of-fold cut in its header": lambda folder: os.truncate(folder / "out-of-fold.safetensors", 20),
    "out-of-fold gone": lambda folder: (folder / "out-of-fold.safetensors").unlink(),
    "all gone": lambda folder: folder.rename(folder.with_name("elsewhere")),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_a_version_that_does_not_load_is_not_promoted(damage: Callable[[Path], object]) -> None:
    project, _items, _keys = trained_project(16)
    version = ModelVersion.objects.get(project=project)
    damage(Path(settings.MODELS_DIR) / version.artifact)
    with pytest.raises(Refused) as refusal:
        services.promote(model_version=version, by=project.created_by)
    assert (refusal.value.code, refusal.value.status) == ("damaged", 409)
    assert "version 1" in refusal.value.message
    assert not Promotion.objects.exists()


def promoted_again(version: ModelVersion) -> ModelVersion:
    """The next version, of the same files, as champion after this one."""
    folder = Path(settings.MODELS_DIR) / version.artifact
    services.promote(model_version=version, by=version.project.created_by)
    after = ModelVersion.objects.get(pk=version.pk)
    after.pk, after.number, after.artifact = None, version.number + 1, f"{version.artifact}-after"
    after.save(force_insert=True)
    shutil.copytree(folder, folder.with_name(f"{folder.name}-after"))
    services.promote(model_version=after, by=version.project.created_by)
    return after


def test_a_champion_that_is_damaged_says_what_to_do_and_nothing_stands_in_for_it() -> None:
    project, _items, _keys = trained_project(16)
    version = ModelVersion.objects.get(project=project)
    champion = promoted_again(version)
    _other_bytes(weights(Path(settings.MODELS_DIR) / champion.artifact))
    failed = run_job(request_ranking(project=project))
    assert failed.state == JobState.FAILED
    assert "version 2 cannot be read" in failed.error and "Roll back to version 1" in failed.error
    assert "train again" in failed.error
    client = Client()
    client.force_login(project.created_by)
    page = " ".join(client.get(reverse("models", args=[project.slug])).content.decode().split())
    assert "The files of the champion, version 2, are missing or damaged" in page
    assert f'<a href="{reverse("model", args=[project.slug, 1])}">Roll back to version 1</a>' in page
    services.promote(model_version=version, by=project.created_by)
    ranked = run_job(waiting("rank", project))
    assert ranked.state == JobState.SUCCEEDED, ranked.error
    assert "missing or damaged" not in client.get(reverse("models", args=[project.slug])).content.decode()


def test_a_damaged_champion_without_one_before_it_asks_for_no_roll_back() -> None:
    project, _items, _keys = trained_project(16)
    version = ModelVersion.objects.get(project=project)
    champion = promoted_again(version)
    for each in (version, champion):
        _other_bytes(weights(Path(settings.MODELS_DIR) / each.artifact))
    failed = run_job(request_ranking(project=project))
    assert "Roll back" not in failed.error and "Restore the models folder" in failed.error
    client = Client()
    client.force_login(project.created_by)
    page = client.get(reverse("models", args=[project.slug])).content.decode()
    assert "Restore the models folder" in page and "Roll back" not in page


def test_a_training_reads_back_what_it_wrote(monkeypatch: pytest.MonkeyPatch) -> None:
    project, _items, _keys = trained_project(16)
    before = ModelVersion.objects.count()
    publish = artifacts.publish

    def on_a_bad_disk(hidden: Path, place: Path) -> None:
        _other_bytes(weights(hidden))
        publish(hidden, place)

    monkeypatch.setattr(artifacts, "publish", on_a_bad_disk)
    job = run_job(services.request_training(project=project, by=None, seed=1))
    assert job.state == JobState.FAILED
    assert ModelVersion.objects.count() == before


def test_weights_that_are_no_numbers_do_not_load() -> None:
    project, _items, _keys = trained_project(16)
    folder = Path(settings.MODELS_DIR) / ModelVersion.objects.get(project=project).artifact
    arrays = {name: np.full_like(array, np.nan) for name, array in load_file(weights(folder)).items()}
    save_file(arrays, weights(folder))
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["weights_sha256"] = artifacts._sha256(weights(folder))
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(artifacts.ArtifactError, match="no number"):
        artifacts.load_head(folder)
