"""A model is sent, looked at, tried on photos and taken as it was tried: page and API do the same, by one service."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import onnx
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone, translation

from inference.brought_in import NotTaken
from inference.brought_in.folder import MOST_BYTES
from inference.brought_in.preprocessor import SIDES
from inference.brought_in.preprocessor import read as read_preprocessor
from labeling.catalog.models import Item, Project
from labeling.catalog.services import add_image, add_items
from labeling.jobs.models import Job, JobState
from labeling.jobs.told import told
from labeling.learning import selectors
from labeling.learning.importing import page, reasons, services
from labeling.learning.models import ModelVersion
from labeling.refusals import Refused
from labeling.store.folders import STAGING
from tests.factories import make_project
from tests.inference.test_brought_in import classifier, of_others
from tests.learning.building import run_job
from tests.learning.test_from_photos_to_scores import stripes_or_disc

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def own_staging(settings: Any, tmp_path: Path) -> None:
    settings.STAGING_DIR = tmp_path / "staging"


def named(names: Any, **made: Any) -> bytes:
    model = classifier(**made)
    if names is not None:
        onnx.helper.set_model_props(model, {"names": str(names)})
    return bytes(model.SerializeToString())


def project_with_photos(count: int = 4) -> tuple[Project, list[Item]]:
    project = make_project()
    images = [(add_image(data=stripes_or_disc(at))[0], f"{at}.png") for at in range(count)]
    return project, add_items(project=project, images=images, source="test")


def admin_of(project: Project) -> Client:
    client = Client()
    client.force_login(project.created_by)
    return client


def send(project: Project, data: bytes, preprocessor: bytes | None = None) -> Job:
    files = [SimpleUploadedFile("model.onnx", data)]
    if preprocessor is not None:
        files.append(SimpleUploadedFile("preprocessor_config.json", preprocessor))
    return services.send_model(
        project=project,
        by=project.created_by,
        model=files[0],
        preprocessor=files[1] if preprocessor is not None else None,
    )


def looked_at(project: Project, data: bytes, preprocessor: bytes | None = None) -> Job:
    job = run_job(send(project, data, preprocessor))
    assert job.state == JobState.SUCCEEDED, job.error + job.trace
    return job


def test_a_model_whose_columns_are_called_as_the_classes_is_tried_at_once_and_taken_on_the_page() -> None:
    project, items = project_with_photos()
    client, address = admin_of(project), f"/p/{project.slug}/models/import"
    assert "Send and look" in client.get(address).content.decode()
    data = named({0: "Functional", 1: "defectve"}, last="Softmax")
    answer = client.post(address, {"model": SimpleUploadedFile("washes v3.onnx", data)})
    assert answer.status_code == 302
    assert "Look at a model that was sent" in client.get(address).content.decode()
    look = run_job(services.jobs(project).get())
    assert look.state == JobState.SUCCEEDED, look.error + look.trace
    asked, tried = look.result["asked"], look.result["tried"]
    assert asked["classes"] == ["functional", "defective"], "by its name, and by a close spelling"
    assert (asked["size"], asked["mean"]) == (32, [0.485, 0.456, 0.406]) and tried["says"] == "probabilities"
    assert {each["item"] for each in tried["photos"]} == {item.pk for item in items}
    assert all(sum(each["scores"]) == pytest.approx(1, abs=1e-3) for each in tried["photos"])
    shown = client.get(address).content.decode()
    assert "washes v3.onnx" in shown and "NCHW, float32" in shown and items[0].image.sha256 in shown

    # Nothing came of it yet; taken, it is the champion, with the scores that were seen.
    assert not ModelVersion.objects.exists()
    assert client.post(f"{address}/{look.pk}", {"action": "take"}).status_code == 302
    job = run_job(services.jobs(project).first())
    assert job.state == JobState.SUCCEEDED, job.error + job.trace
    version = selectors.champion(project)
    assert version is not None and version.origin == ModelVersion.Origin.IMPORTED and version.job == job
    assert version.manifest["file"] == "washes v3.onnx" and version.created_by == project.created_by
    assert Job.objects.of_project(project.pk).filter(kind="embed", state=JobState.QUEUED).exists()
    assert STAGING.names() == set()
    after = client.get(address).content.decode()
    assert f"/p/{project.slug}/models/{version.number}" in after and "What it says of photos" not in after
    assert client.post(f"{address}/{look.pk}", {"action": "take"}).status_code == 302
    assert ModelVersion.objects.count() == 1, "what was taken is not taken twice"


def test_what_the_file_does_not_say_is_asked_and_several_columns_may_be_one_class() -> None:
    project, _items = project_with_photos()
    client, address = admin_of(project), f"/p/{project.slug}/models/import"
    look = looked_at(project, named(None, columns=4, side=32, channels_last=True))
    assert look.result["asked"]["classes"] == [None] * 4 and look.result["tried"] is None
    shown = client.get(address).content.decode()
    assert "Column 4" in shown and "Import it as a version" not in shown
    with pytest.raises(Refused) as refused:
        services.take_model(look=look, project=project, by=project.created_by)
    assert refused.value.code == "not_tried"

    said = {f"class-{at}": key for at, key in enumerate(["defective", "?", "defective", ""])}
    said |= {"size": "32", "fit": "squash", "mean": "0.5", "std": "0.2, 0.2, 0.2", "action": "try"}
    said |= {"interpolation": "bilinear", "says": "auto", "licence": "MIT"}
    assert client.post(f"{address}/{look.pk}", said).status_code == 422, "one column is undecided"
    assert (
        client.post(f"{address}/{look.pk}", said | {"class-1": "functional", "std": "0"}).status_code == 422
    )
    assert client.post(f"{address}/{look.pk}", said | {"class-1": "functional"}).status_code == 302
    tried = run_job(services.jobs(project).first())
    assert tried.result["asked"]["std"] == [0.2, 0.2, 0.2] and tried.result["tried"]["classes"] == [
        "defective",
        "functional",
    ]
    job = run_job(services.take_model(look=tried, project=project, by=project.created_by))
    assert job.state == JobState.SUCCEEDED, job.error + job.trace
    version = ModelVersion.objects.get(project=project)
    assert version.metrics["order"] == ["defective", "functional"]
    assert version.manifest["columns"] == ["defective", "functional", "defective", ""]


def test_the_api_does_the_same_and_says_why_it_does_not(tmp_path: Path) -> None:
    project, _items = project_with_photos(1)
    client, address = admin_of(project), f"/api/v1/projects/{project.slug}/models/import"
    config = {"size": {"height": 32, "width": 32}, "image_mean": [0.5] * 3, "image_std": [0.5] * 3}
    answer = client.post(
        address,
        {
            "model": SimpleUploadedFile("m.onnx", named(["defective", "functional"])),
            "preprocessor": SimpleUploadedFile("preprocessor_config.json", json.dumps(config).encode()),
        },
    )
    assert answer.status_code == 202, answer.content
    second = client.post(address, {"model": SimpleUploadedFile("m.onnx", named(None))})
    assert (second.status_code, second.json()["error"]["code"]) == (409, "under_way")
    look = run_job(Job.objects.get(pk=answer.json()["id"]))
    assert look.result["asked"]["squash"] is True and look.result["asked"]["mean"] == [0.5] * 3
    assert look.result["asked"]["classes"] == ["defective", "functional"]
    again = {"classes": ["functional", "defective"], "size": 48, "mean": [0, 0, 0], "std": [1, 1, 1]}
    answer = client.post(f"{address}/{look.pk}/try", again, content_type="application/json")
    assert answer.status_code == 202, answer.content
    refused = run_job(Job.objects.get(pk=answer.json()["id"]))
    assert refused.result["tried"] is None and "32 pixels a side" in refused.result["refused"]
    with translation.override("ko"):
        draft = page.state(project)["draft"]
        assert draft is not None and "32" in draft.refused and "pixels" not in draft.refused
    taken = client.post(f"{address}/{refused.pk}/take")
    assert (taken.status_code, taken.json()["error"]["code"]) == (409, "not_tried")
    taken = client.post(f"{address}/{look.pk}/take")
    assert taken.status_code == 202
    run_job(Job.objects.get(pk=taken.json()["id"]))
    assert ModelVersion.objects.get(project=project).metrics["order"] == ["defective", "functional"]
    late = client.post(f"{address}/{look.pk}/take")
    assert (late.status_code, late.json()["error"]["code"]) == (409, "too_late")


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "The file is empty"),
        (b"PK\x03\x04 and so on", "a file of PyTorch, and no ONNX"),
        (b"\x80\x02}q", "a file of pickle"),
    ],
)
def test_what_is_no_onnx_at_first_sight_is_refused_at_once(data: bytes, says: str) -> None:
    project = make_project()
    answer = admin_of(project).post(
        f"/p/{project.slug}/models/import", {"model": SimpleUploadedFile("model.onnx", data)}
    )
    assert answer.status_code == 422 and says in answer.content.decode()
    assert not services.jobs(project).exists() and STAGING.names() == set()


def test_what_a_worker_refuses_is_told_in_words_and_leaves_nothing() -> None:
    project = make_project()
    client = admin_of(project)
    for data, says in (
        (b"no model", "no ONNX model"),
        (bytes(of_others().SerializeToString()), "com.example"),
    ):
        job = run_job(send(project, data))
        assert job.state == JobState.FAILED and says in job.error
        shown = client.get(f"/p/{project.slug}/models/import").content.decode()
        assert "The model was not taken" in shown and says in shown and "Send and look" in shown
        assert STAGING.names() == set()


@pytest.mark.parametrize("preprocessor", [b"", b"[]", b"{", b'{"size": ' + b" " * 70_000 + b"1}"])
def test_a_preprocessor_that_is_none_is_refused(preprocessor: bytes) -> None:
    with pytest.raises(Refused) as refused:
        send(make_project(), named(None), preprocessor)
    assert refused.value.fields.keys() == {"preprocessor"}


def test_what_nobody_took_in_a_week_is_dropped() -> None:
    project = make_project()
    look = looked_at(project, named(None))
    services.sweep()
    assert len(STAGING.names()) == 1
    Job.objects.filter(pk=look.pk).update(created_at=timezone.now() - services.KEPT_FOR - timedelta(hours=1))
    services.sweep()
    assert STAGING.names() == set()
    look.refresh_from_db()
    with pytest.raises(Refused) as refused:
        services.try_model(
            look=look, project=project, by=project.created_by, classes=["functional", "defective"], size=32,
            mean=[0, 0, 0], std=[1, 1, 1],
        )  # fmt: skip
    assert refused.value.code == "too_late"


def test_the_web_process_knows_the_librarys_bounds() -> None:
    assert services.MOST_MODEL == MOST_BYTES
    assert (SIDES[0], SIDES[-1]) == (services.LEAST_SIDE, services.MOST_SIDE)


def _refusal(of: Callable[[], object]) -> str:
    with pytest.raises(NotTaken) as refused:
        of()
    return str(refused.value)


def test_reasons_of_the_library_are_found_again_in_korean() -> None:
    from inference.brought_in.graph import read, wrapped
    from tests.inference.test_brought_in import LOOK, outside

    def through(model: Any, tmp: Path) -> Callable[[], object]:
        path = tmp / "model.onnx"

        def act() -> object:
            path.write_bytes(model.SerializeToString())
            return wrapped(read(path), LOOK, [0, 1], "logits")

        return act

    import tempfile

    with tempfile.TemporaryDirectory() as tmp:
        models = (of_others(), outside(), classifier(columns=7), classifier(side=48))
        said = [_refusal(through(model, Path(tmp))) for model in models]
    said += [_refusal(lambda bad=bad: read_preprocessor(bad, {})) for bad in (  # type: ignore[misc]
        {"size": {"height": 224, "width": 112}}, {"size": 224, "image_std": [0, 1, 1]}, {"size": 9_999},
        {"size": 224, "resample": 5}, {"size": 224, "image_mean": [1]},
    )]  # fmt: skip
    said += reasons.WHOLE
    with translation.override("ko"):
        untold = [each for each in said if told(each) == each]
    assert untold == []
