"""A version that was taken out gives the same scores, without Hilltop."""

from __future__ import annotations

import importlib.util
import io
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from labeling.catalog.elpv import elpv_cells
from labeling.catalog.models import Item, Project
from labeling.catalog.services import add_image, add_items
from labeling.jobs.models import Job, JobState
from labeling.learning import services
from labeling.learning.models import ModelVersion, Score
from labeling.serving.bundles.services import newest
from tests.factories import TINY, make_project
from tests.learning.building import run_job, settle
from tests.learning.one_project import score_items
from tests.learning.test_from_photos_to_scores import stripes_or_disc
from tests.serving.kinds_of_photos import kinds_of_photos

pytestmark = pytest.mark.django_db


def champion_of(photos: dict[str, bytes], **settings: Any) -> tuple[Project, ModelVersion, list[Item]]:
    """A project with a champion that learned from twelve made-up photos and scored all others."""
    project = make_project(**settings)
    taught = {f"{index}.png": stripes_or_disc(index) for index in range(12)}
    images = [(add_image(data=data)[0], name) for name, data in (taught | photos).items()]
    items = add_items(project=project, images=images, source="test")
    assert run_job(Job.objects.get(kind="embed", project_id=project.pk)).state == JobState.SUCCEEDED
    settle(project, items[:12], ["functional", "defective"] * 6)
    job = run_job(services.request_training(project=project, by=project.created_by))
    assert job.state == JobState.SUCCEEDED, job.error + job.trace
    version = ModelVersion.objects.get(project=project)
    services.promote(model_version=version, by=project.created_by)
    told = score_items(project=project, model_version=version, item_ids=[item.pk for item in items])
    assert told["scored"] == len(items)
    return project, version, items


def alone(tmp_path: Path) -> dict[str, str]:
    """An environment in which Python finds onnxruntime, numpy and pillow, and nothing else that was installed."""
    only = tmp_path / "only"
    only.mkdir()
    for package in ("numpy", "onnxruntime", "PIL"):
        found = importlib.util.find_spec(package)
        assert found is not None and found.origin is not None
        place = Path(found.origin).parent
        for each in (place, place.with_name("numpy.libs"), place.with_name("pillow.libs")):
            if each.is_dir() and not (only / each.name).exists():
                (only / each.name).symlink_to(each)
    return {"PYTHONPATH": str(only), "PATH": os.environ["PATH"]}


def predicted(bundle: Path, photos: dict[str, bytes], tmp_path: Path) -> dict[str, dict[str, Any]]:
    """What ``predict.py`` says of each photo, by name."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for name, data in photos.items():
        (folder / name).write_bytes(data)
    ran = subprocess.run(
        [sys.executable, "-S", bundle / "predict.py", *(folder / name for name in photos)],
        env=alone(tmp_path),
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    return {Path(each["photo"]).name: each for each in map(json.loads, ran.stdout.splitlines())}


def assert_the_same(said: dict[str, dict[str, Any]], items: list[Item], version: ModelVersion) -> None:
    stored = dict(
        Score.objects.filter(model_version=version, item__in=items).values_list("item__name", "probabilities")
    )
    assert set(said) == {item.name for item in items}
    for name, each in said.items():
        assert "scores" in each, each
        np.testing.assert_allclose(list(each["scores"].values()), stored[name], atol=1e-4, err_msg=name)


def test_every_kind_of_photo_has_the_score_that_is_stored(tmp_path: Path) -> None:
    photos = kinds_of_photos()
    further = f"{TINY}+tiles2"
    project, version, items = champion_of(photos, backbone=TINY, further_backbones=[further])
    out = tmp_path / "bundle"
    call_command("bundle", project.slug, str(out), stdout=io.StringIO())
    assert_the_same(predicted(out, photos, tmp_path), items[12:], version)

    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["version"] == 1 and manifest["champion"] and not manifest["certificates"]
    assert [each["key"] for each in manifest["classes"]] == json.loads((out / "config.json").read_text())[
        "classes"
    ]
    assert "What makes a photo defective." in (out / "README.md").read_text()
    with pytest.raises(CommandError, match="not empty"):
        call_command("bundle", project.slug, str(out))


def test_cells_of_the_packaged_data_set_have_it_too_over_the_api(tmp_path: Path) -> None:
    photos = {f"cell-{at}.png": cell.path.read_bytes() for at, cell in enumerate(elpv_cells()[:200:20])}
    project, version, items = champion_of(photos, backbone="efficientnet_lite0")
    client = Client()
    client.force_login(project.created_by)
    address = f"/api/v1/projects/{project.slug}/bundle"
    refused = client.get(address)
    assert refused.status_code == 409 and refused.json()["error"]["code"] == "not_made"

    asked = client.post(address)
    assert asked.status_code == 202, asked.content
    job = run_job(Job.objects.get(pk=asked.json()["id"]))
    assert job.state == JobState.SUCCEEDED, job.error + job.trace
    answer = client.get(address)
    assert answer["Content-Type"] == "application/zip"
    out = tmp_path / "bundle"
    with zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content))) as archive:  # type: ignore[arg-type]
        archive.extractall(out)
    assert_the_same(predicted(out, photos, tmp_path), items[12:], version)
    assert json.loads((out / "manifest.json").read_text())["networks"][0]["licence"] == "Apache-2.0"

    # The next one takes its place.
    again = run_job(Job.objects.get(pk=client.post(address).json()["id"]))
    made = newest(project)
    assert made is not None and made.folder.endswith(str(again.pk))
    assert [each.name for each in (tmp_path / "bundles" / project.slug).iterdir()] == [str(again.pk)]


def test_a_photo_that_cannot_be_read_stops_no_other_and_a_champion_is_needed(tmp_path: Path) -> None:
    bare = make_project()
    with pytest.raises(CommandError, match="Train a model"):
        call_command("bundle", bare.slug, str(tmp_path / "nothing"))
    client = Client()
    client.force_login(bare.created_by)
    refused = client.post(f"/api/v1/projects/{bare.slug}/bundle")
    assert refused.status_code == 409 and refused.json()["error"]["code"] == "no_champion"

    project, _version, _items = champion_of({})
    out = tmp_path / "bundle"
    call_command("bundle", project.slug, str(out), stdout=io.StringIO())
    said = predicted(out, {"bad.jpg": b"\xff\xd8\xff", "good.png": stripes_or_disc(3)}, tmp_path)
    assert "cut off or damaged" in said["bad.jpg"]["error"] and "scores" in said["good.png"]
