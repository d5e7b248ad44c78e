"""A classifier from elsewhere is the first scorer: extremes inward from the first day, beaten later by the usual gate."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.test import Client

import labeling.queue.tasks  # noqa: F401  (registers the handlers)
from labeling.catalog.models import Project
from labeling.catalog.services import add_image, add_items
from labeling.jobs.models import Job, JobState
from labeling.learning import selectors, services
from labeling.learning.models import ModelVersion, Score
from labeling.notify.kinds import KINDS
from labeling.overview.diary import diary
from labeling.queue.models import Entry
from tests.factories import make_project
from tests.inference.test_brought_in import classifier, saved
from tests.learning.building import run_job, settle
from tests.learning.test_from_photos_to_scores import stripes_or_disc
from tests.serving.test_bundles import predicted

pytestmark = pytest.mark.django_db
CLASSES = "functional,defective"


def embed_and_rank(project: Project) -> None:
    waiting = Job.objects.of_project(project.pk).filter(state=JobState.QUEUED, kind__in=("embed", "rank"))
    while (job := waiting.order_by("created_at").first()) is not None:
        job = run_job(job)
        assert job.state == JobState.SUCCEEDED, job.error + job.trace


def test_it_orders_the_queue_before_anybody_labeled_and_is_judged_with_the_first_labels(
    tmp_path: Path,
) -> None:
    project = make_project()
    images = [(add_image(data=stripes_or_disc(at))[0], f"{at}.png") for at in range(24)]
    items = add_items(project=project, images=images, source="test")
    told = tmp_path / "preprocessor_config.json"
    told.write_text(
        json.dumps({"size": {"height": 32, "width": 32}, "image_mean": [0.5] * 3, "image_std": [0.5] * 3})
    )
    model = saved(classifier(last="Softmax"), tmp_path)
    out = io.StringIO()
    arguments = ("bring_in", project.slug, str(model), "--classes", CLASSES, "--preprocessor", str(told))
    call_command(*arguments, "--licence", "Apache-2.0", stdout=out)
    assert "Version 1" in out.getvalue()
    version = selectors.champion(project)
    assert version is not None and version.manifest["origin"] == "brought_in"
    event = KINDS["version.trained"].sources["learning_modelversion"]([str(version.pk)])[str(version.pk)]
    assert (event["origin"], event["ground_truths"]) == ("imported", 0)
    embed_and_rank(project)
    scores = dict(Score.objects.filter(model_version=version).values_list("item_id", "confidence"))
    assert set(scores) == {item.pk for item in items}
    placed = Entry.objects.filter(ranking__project=project, ranking__current=True)
    assert placed.filter(ladder__isnull=False, band=0).exists()

    # What it knows of itself is nothing, and its pages say so.
    client = Client()
    client.force_login(project.created_by)
    for address in ("models", "models/1", "backbones", "dashboard", "", "frontier"):
        answer = client.get(f"/p/{project.slug}/{address}")
        assert answer.status_code == 200, address
    assert (
        "nothing is known of its accuracy"
        in client.get(f"/p/{project.slug}/models/1").content.decode().lower()
    )
    assert "brought in as model.onnx" in client.get(f"/p/{project.slug}/models/1").content.decode()
    assert client.get(f"/api/v1/projects/{project.slug}/models/1").json()["ground_truths"] == 0
    assert any("model.onnx" in line.text for line in diary(project))

    # Out again, it says the same.
    bundle = tmp_path / "bundle"
    call_command("bundle", project.slug, str(bundle), stdout=io.StringIO())
    found = predicted(bundle, {"0.png": stripes_or_disc(0)}, tmp_path)["0.png"]["scores"]
    kept = Score.objects.get(model_version=version, item=items[0]).probabilities
    np.testing.assert_allclose(list(found.values()), kept, atol=1e-4)
    out = io.StringIO()
    call_command("gate", project.slug, "--photos", "4", stdout=out)
    assert "Version 1 passes." in out.getvalue() and "accuracy: unknown (n = 0)" in out.getvalue()

    # The first training has a head on its logits compete, and compares with it on labels that it never saw.
    settle(project, items, ["functional", "defective"] * 12)
    job = run_job(services.request_training(project=project, by=project.created_by))
    assert job.state == JobState.SUCCEEDED, job.error + job.trace
    trained = ModelVersion.objects.get(project=project, number=2)
    report = trained.metrics["backbones"]
    assert report["judged"][0] == version.backbone and trained.comparison["all"]["n"] == 24
    assert trained.comparison["new"] == 24 and trained.comparison["not_worse"]
    services.promote(model_version=trained, by=project.created_by)

    with pytest.raises(CommandError, match="Version 1 is this very classifier"):
        call_command(*arguments, "--licence", "Apache-2.0")


def test_what_does_not_fit_the_project_is_refused(tmp_path: Path) -> None:
    project = make_project()
    model = saved(classifier(), tmp_path)
    for classes, size, why in (
        ("functional,cracked", "32", "two classes at least"),
        ("functional,functional", "32", "two classes at least"),
        (CLASSES, "48", "the size said is 48"),
    ):
        with pytest.raises(CommandError, match=why):
            call_command("bring_in", project.slug, str(model), "--classes", classes, "--size", size)
    with pytest.raises(CommandError, match="name its size"):
        call_command("bring_in", project.slug, str(model), "--classes", CLASSES)
    with pytest.raises(CommandError, match="No such file"):
        call_command(
            "bring_in", project.slug, str(tmp_path / "none.onnx"), "--classes", CLASSES, "--size", "32"
        )
    assert not ModelVersion.objects.exists()
