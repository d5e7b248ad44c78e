"""The page of a project's backbones: what each costs is measured, adding and dropping one, and what became of it."""

from __future__ import annotations

from pathlib import Path

import pytest
import torchvision
from django.test import Client
from pytest_django import Settings
from safetensors.torch import save_file

from inference import backbones
from labeling.catalog.models import Project
from labeling.jobs.models import Job, JobState
from labeling.learning.backbones.costs import Cost, Pace, paces
from labeling.learning.compute.stores import store_of
from labeling.learning.models import ModelVersion
from labeling.learning.selectors import champion
from tests.factories import TINY, make_items, make_member, make_project
from tests.learning.building import run_job, settle
from tests.learning.test_embedding import with_photos

pytestmark = pytest.mark.django_db

SECOND = f"{TINY}+tiles2"
FROM_FOLDER = "torchvision:squeezenet1_1"


@pytest.fixture
def folder(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of weights that an admin made: one network of torchvision, for the web server and every worker."""
    place = tmp_path / "weights" / "torchvision"
    place.mkdir(parents=True)
    save_file(
        torchvision.models.get_model("squeezenet1_1", weights=None).state_dict(),
        place / "squeezenet1_1.safetensors",
    )
    settings.WEIGHTS_DIR = place.parent
    monkeypatch.setenv("HILLTOP_WEIGHTS_DIR", str(place.parent))
    return place.parent


def page(client: Client, project: Project) -> str:
    client.force_login(project.created_by)
    response = client.get(f"/p/{project.slug}/backbones")
    assert response.status_code == 200
    return response.content.decode()


def change(client: Client, project: Project, action: str, name: str) -> str:
    client.force_login(project.created_by)
    response = client.post(
        f"/p/{project.slug}/backbones/change", {"action": action, "backbone": name}, follow=True
    )
    return response.content.decode()


def further(project: Project) -> list[str]:
    return Project.objects.get(pk=project.pk).further_backbones


def measured(name: str, *, photos: int, seconds: float, kind: str = "embed") -> Job:
    told = {
        "name": name, "embedded": photos, "already": 0, "failed": 0, "measured": photos, "seconds": seconds,
        "dim": 500, "device": "cpu",
    }  # fmt: skip
    return Job.objects.create(
        kind=kind, project_id=10**9, state=JobState.SUCCEEDED, result={"backbones": [told]}
    )


def test_an_admin_adds_a_backbone_from_the_folder_trains_compares_and_promotes(
    client: Client, folder: Path
) -> None:
    project = make_project()
    items = with_photos(project, 24, start=40)
    run_job(Job.objects.get(kind="embed"))
    text = page(client, project)
    assert f'<strong class="wrap-anywhere">{FROM_FOLDER}</strong>' in text
    assert "Its pace was not measured on this machine yet." in text

    # What it costs, before it is added.
    assert "A worker measures" in change(client, project, "measure", FROM_FOLDER)
    job = run_job(Job.objects.get(kind="measure"))
    assert job.state == JobState.SUCCEEDED, job.error + job.trace
    (told,) = job.result["backbones"]
    assert (told["embedded"], told["measured"], told["dim"]) == (24, 22, 512)
    text = page(client, project)
    assert "Measured here on 22 photos (cpu)." in text
    assert f"{24 * 512 * 4 / 1024:.1f}\xa0KB of disk" in text
    assert not further(project)

    text = change(client, project, "add", FROM_FOLDER)
    assert f"{FROM_FOLDER} is added" in text and "Embed photos" in text and "Cancel" in text
    assert further(project) == [FROM_FOLDER]
    job = run_job(Job.objects.get(kind="embed", state=JobState.QUEUED))
    assert [each["name"] for each in job.result["backbones"]] == [TINY, FROM_FOLDER]
    assert [each["embedded"] + each["already"] for each in job.result["backbones"]] == [24, 24]
    text = page(client, project)
    assert text.count("24 of 24 photos embedded") == 2
    assert f"The next training compares: {FROM_FOLDER}." in text

    settle(project, items, ["functional", "defective"] * 12)
    client.post(f"/p/{project.slug}/models/train")
    job = run_job(Job.objects.get(kind="train"))
    assert job.state == JobState.SUCCEEDED, job.error + job.trace
    version = ModelVersion.objects.get()
    compared = client.get(f"/p/{project.slug}/models/1").content.decode()
    both = f"{TINY} &amp; {FROM_FOLDER}"
    for name in (TINY, FROM_FOLDER, both):
        assert name in compared
    assert "fused: the mean of their calibrated logits" in compared and "chosen" in compared
    rows = version.metrics["backbones"]["candidates"]
    assert [row["method"] for row in rows] == ["", "", "fused"] and all("log_loss" in row for row in rows)
    client.post(f"/p/{project.slug}/models/1/promote", {"reason": "compared"})
    assert champion(project) == version
    assert "The next training compares" not in page(client, project)


def test_a_backbone_is_dropped_and_what_it_embedded_stays(client: Client) -> None:
    project = make_project(further_backbones=[SECOND])
    with_photos(project, 3)
    run_job(Job.objects.get(kind="embed"))
    assert f"{SECOND} is dropped" in change(client, project, "drop", SECOND)
    assert further(project) == []
    assert len(store_of(backbones.load(SECOND)).keys()) == 3
    assert "none of the project" in change(client, project, "drop", SECOND)


@pytest.mark.parametrize(
    ("action", "name", "says"),
    [
        ("add", TINY, "is among them already"),
        ("add", SECOND, "is among them already"),
        ("add", "torchvision:no_such", "Choose one of"),
        ("measure", "torchvision:no_such", "Choose one of"),
        ("add", "", "cannot be blank"),
        ("scrub", SECOND, "to add, to drop or to measure"),
    ],
)
def test_what_cannot_be_is_refused_in_words(client: Client, action: str, name: str, says: str) -> None:
    project = make_project(further_backbones=[SECOND])
    make_items(project, 1)
    client.force_login(project.created_by)
    response = client.post(f"/p/{project.slug}/backbones/change", {"action": action, "backbone": name})
    assert response.status_code == 422 and says in response.content.decode()
    assert further(project) == [SECOND]


def test_only_so_many_can_be_added(client: Client) -> None:
    names = [f"{TINY}+{suffix}" for suffix in ("tiles2", "tiles3", "flip")]
    project = make_project(further_backbones=names)
    text = page(client, project)
    assert "A project takes 3 beside its own." in text and 'value="add"' not in text
    assert "At most 3." in change(client, project, "add", "efficientnet_lite1")


def test_one_whose_weights_are_gone_is_told_and_stays_until_it_is_dropped(client: Client) -> None:
    project = make_project(further_backbones=["torchvision:gone"])
    with_photos(project, 2)
    run_job(Job.objects.get(kind="embed"))
    text = page(client, project)
    assert "It could not be used. The others go on." in text
    # Other settings, and other backbones, can be changed meanwhile.
    assert "is added" in change(client, project, "add", SECOND)
    assert further(project) == ["torchvision:gone", SECOND]


def test_a_damaged_file_of_weights_is_told_by_the_measuring_job(client: Client, folder: Path) -> None:
    # Another one than above: a process reads a network's file once.
    (folder / "torchvision" / "squeezenet1_0.safetensors").write_bytes(b"cut off")
    project = make_project()
    with_photos(project, 2)
    run_job(Job.objects.get(kind="embed"))
    change(client, project, "measure", "torchvision:squeezenet1_0")
    job = run_job(Job.objects.get(kind="measure"))
    assert job.state == JobState.FAILED and "squeezenet1_0.safetensors is not a plain state dict" in job.error
    assert "squeezenet1_0.safetensors" in page(client, project)


def test_a_pace_needs_photos(client: Client) -> None:
    project = make_project()
    assert "Add photos first" in change(client, project, "measure", SECOND)
    assert not Job.objects.exists()


def test_a_pace_is_the_newest_on_enough_photos_and_costs_follow_from_it() -> None:
    assert paces() == {}
    measured("a", photos=1_000, seconds=50.0)
    measured("a", photos=20, seconds=2.0, kind="measure")
    measured("a", photos=1, seconds=9.0)
    measured("b", photos=3, seconds=3.0)
    measured("c", photos=0, seconds=0.0)
    found = paces()
    assert found["a"] == Pace(0.1, 20, "cpu", 500)
    assert found["b"].seconds == 1.0 and "c" not in found
    cost = Cost(2_000, found["a"])
    assert (cost.seconds, cost.disk) == (pytest.approx(200.0), 4_000_000)
    assert (Cost(2_000, None).seconds, Cost(2_000, None).disk) == (None, None)


def test_a_labeler_changes_no_backbones(client: Client) -> None:
    project = make_project()
    client.force_login(make_member(project))
    assert client.get(f"/p/{project.slug}/backbones").status_code == 403
    answer = client.post(f"/p/{project.slug}/backbones/change", {"action": "add", "backbone": SECOND})
    assert answer.status_code == 403 and further(project) == []
