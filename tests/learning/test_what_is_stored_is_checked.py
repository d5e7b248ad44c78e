"""Each night what is stored is looked through: what can be made again is, and the rest is said until it is whole."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path

import pytest
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.test import Client
from pytest_django import Settings

from labeling.catalog import stored
from labeling.catalog.models import Damage, IntakeBatch, IntakeFile, IntakeOutcome
from labeling.catalog.services import add_image
from labeling.catalog.storage import original_name, rendition_name
from labeling.jobs.models import Job, JobState
from labeling.learning.models import ModelVersion
from tests.factories import make_project, make_user, photo_bytes
from tests.learning.building import trained_project

pytestmark = pytest.mark.django_db


def said(capsys: pytest.CaptureFixture[str]) -> list[str]:
    call_command("check_stored")
    return capsys.readouterr().out.splitlines()


def test_models_are_told_and_vectors_are_computed_again(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture, settings: Settings
) -> None:
    project, _items, _keys = trained_project()
    assert not [line for line in said(capsys) if "models/" in line]
    version = ModelVersion.objects.get(project=project)
    folder = Path(settings.MODELS_DIR) / version.artifact
    shutil.copytree(folder, folder.with_name("backup"))
    (folder / "out-of-fold.safetensors").write_bytes(b"damaged")
    (shard,) = Path(settings.EMBEDDINGS_DIR).glob("*/shard-*")
    (shard / "vectors.npy").write_bytes(b"damaged")
    with caplog.at_level(logging.ERROR):
        lines = said(capsys)
    told = f"models/{version.artifact}: restore the folder from a backup, or train again and promote the new version"
    assert f"restore {told}" in lines and f"models/{version.artifact} is lost or damaged" in caplog.text
    assert "1 files of vectors are computed again" in lines[0] and not shard.exists()
    assert Job.objects.filter(kind="embed", project_id=project.pk, state=JobState.QUEUED).exists()

    boss = Client()
    boss.force_login(make_user(is_superuser=True))
    assert told in boss.get("/healthz").json()["restore"]
    assert Client().get("/healthz").json() == {"status": "ok"}

    shutil.rmtree(folder)
    folder.with_name("backup").rename(folder)
    assert not [line for line in said(capsys) if "models/" in line]


def test_lost_originals_are_told_until_they_are_back_and_renditions_are_made_again() -> None:
    lost, _new = add_image(data=photo_bytes(1))
    bare, _new = add_image(data=photo_bytes(2))
    default_storage.delete(original_name(lost.sha256))
    default_storage.delete(rendition_name(bare.sha256, "thumb"))
    assert sum(stored.check_photos(night) for night in range(stored.NIGHTS)) >= 2
    assert list(Damage.objects.values_list("name", flat=True)) == [original_name(lost.sha256)]
    assert default_storage.exists(rendition_name(bare.sha256, "thumb"))
    add_image(data=photo_bytes(1))
    another = int(lost.sha256[:2], 16) * stored.NIGHTS // 256 + 1
    assert stored.check_photos(another) >= 1, "what was damaged is looked at each night"
    assert not Damage.objects.exists()


def test_what_was_staged_goes_when_its_intake_is_through(settings: Settings, tmp_path: Path) -> None:
    settings.STAGING_DIR = tmp_path / "staging"
    project = make_project()
    batches = [IntakeBatch.objects.create(project=project, created_by=project.created_by) for _ in range(2)]
    for batch, outcome in zip(batches, (IntakeOutcome.ADDED, IntakeOutcome.PENDING), strict=True):
        IntakeFile.objects.create(batch=batch, name="x", path="0", outcome=outcome)
    for name in (*(str(batch.pk) for batch in batches), "being-sent"):
        (settings.STAGING_DIR / name).mkdir(parents=True)
    stored.sweep_staging()
    assert {each.name for each in settings.STAGING_DIR.iterdir()} == {str(batches[1].pk), "being-sent"}
