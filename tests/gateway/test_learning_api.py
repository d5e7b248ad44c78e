"""Doubted labels, derived projects and jobs through the API: what is wrong is named, and nothing is ignored in silence."""

from __future__ import annotations

from typing import Any

import pytest

from labeling.catalog.models import Project
from labeling.jobs.models import Job, JobState
from labeling.jobs.services import enqueue
from labeling.learning.models import ModelVersion
from tests.factories import TINY
from tests.gateway.conftest import World


def post(world: World, path: str, body: Any) -> Any:
    return world.client("admin").post(world.api(path), body, content_type="application/json")


def error(response: Any) -> dict[str, Any]:
    return dict(response.json()["error"])


def test_a_hash_that_is_not_in_the_project_is_not_found_and_named(world: World) -> None:
    here, strange = world.photo.image.sha256, "ab" * 32
    answer = post(world, "/models/1/review", {"photos": [here, strange]})
    assert answer.status_code == 404
    assert strange in error(answer)["message"] and here not in error(answer)["message"]


def test_hashes_may_be_in_capitals_and_a_photo_that_is_not_doubted_is_told_in_words_for_programs(
    world: World,
) -> None:
    answer = post(world, "/models/1/review", {"photos": [world.photo.image.sha256.upper()]})
    assert (answer.status_code, error(answer)["code"]) == (422, "not_suspicious")
    assert "page" not in error(answer)["message"]


def test_what_is_no_hash_is_refused(world: World) -> None:
    for wrong in ("x", "0" * 63, "0" * 65, "g" * 64):
        assert post(world, "/models/1/review", {"photos": [wrong]}).status_code == 422


@pytest.mark.parametrize(
    ("state", "status"),
    [
        (JobState.SUCCEEDED, 409),
        (JobState.FAILED, 409),
        (JobState.CANCELLED, 200),
        (JobState.RUNNING, 200),
        (JobState.QUEUED, 200),
    ],
)
def test_a_job_that_is_over_cannot_be_cancelled_and_asking_twice_is_no_error(
    world: World, state: str, status: int
) -> None:
    job = enqueue(kind="rank", project_id=world.project.pk)
    Job.objects.filter(pk=job.pk).update(state=state)
    for _ in range(2):
        answer = post(world, f"/jobs/{job.pk}/cancel", {})
        assert answer.status_code == status
        if status == 409:
            assert error(answer)["code"] == "job_over"
    job.refresh_from_db()
    assert (job.cancel_requested_at is None) == (status == 409 or state == JobState.CANCELLED)


def derive(world: World, **changes: Any) -> Any:
    body = {
        "slug": "kinds",
        "name": "Kinds",
        "question": "Mono or poly?",
        "classes": [{"key": "mono", "name": "Mono"}, {"key": "poly", "name": "Poly"}],
    }
    return post(world, "/derive", body | changes)


def test_known_answers_come_along_as_gold(world: World) -> None:
    first, second = world.items[:2]
    rows = [
        {"photo": first.image.sha256.upper(), "class": "mono"},
        {"photo": second.name, "class": "poly"},
    ]
    answer = derive(world, gold=rows)
    assert answer.status_code == 202, answer.json()
    job = Job.objects.get(kind="derive")
    assert job.args["gold"] == [[first.image.sha256, "mono"], [second.name, "poly"]]


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([{"photo": "a.png", "class": "purple"}], "purple"),
        ([{"photo": "a.png"}], "class"),
        ([{"photo": "", "class": "mono"}], "photo"),
        ([{"photo": "a.png", "class": "mono", "sure": True}], "sure"),
        ([{"photo": "a.png", "class": "mono"}, {"photo": "a.png", "class": "poly"}], "named twice"),
        ([{"photo": f"{n}.png", "class": "mono"} for n in range(501)], "500"),
        ("a.png,mono", "list"),
    ],
)
def test_known_answers_that_are_no_good_are_refused_and_found_nothing(
    world: World, rows: Any, says: str
) -> None:
    answer = derive(world, gold=rows)
    assert answer.status_code == 422 and says in answer.content.decode()
    assert not Project.objects.filter(slug="kinds").exists()


@pytest.mark.parametrize(
    "slug", ["-", "___", "-x", "x-", "a_b", "new", "API", "cells", "Cells", "no spaces", "é"]
)
def test_an_address_that_cannot_be_is_refused_in_our_own_words(world: World, slug: str) -> None:
    answer = derive(world, slug=slug)
    assert answer.status_code == 422
    (told,) = error(answer)["fields"]["slug"]
    taken = f"The address “{slug}” is taken."
    assert taken in told if slug in {"new", "cells"} else told.startswith("An address is made of")


def test_further_backbones_are_a_setting_of_admins_and_are_checked(world: World) -> None:
    admin = world.client("admin")

    def patch(names: Any) -> Any:
        return admin.patch(world.api(), {"further_backbones": names}, content_type="application/json")

    answer = patch([f"{TINY}+tiles2"])
    assert answer.status_code == 200
    assert answer.json()["settings"]["further_backbones"] == [f"{TINY}+tiles2"]
    assert Job.objects.of_project(world.project.pk).filter(kind="embed").exists()
    own = world.project.backbone
    for wrong in ([own], ["no_such"], [f"{TINY}+flip"] * 2, "efficientnet_lite1", [7], [f"{TINY}+flip", own]):
        answer = patch(wrong)
        assert answer.status_code == 422, wrong
        assert "further_backbones" in error(answer)["fields"]
    suffixes = ("flip", "flips", "tiles3", "tiles4")
    assert "At most 3" in error(patch([f"{TINY}+{suffix}" for suffix in suffixes]))["message"]
    assert Project.objects.get(pk=world.project.pk).further_backbones == [f"{TINY}+tiles2"]


def test_a_version_tells_its_backbones_in_the_order_of_its_columns(world: World) -> None:
    told = world.client("reviewer").get(world.api("/models/1")).json()
    version = ModelVersion.objects.get(project=world.project, number=1)
    assert told["parts"] == [
        {"backbone": version.backbone, "backbone_hash": version.backbone_hash, "dim": version.parts[0].dim}
    ]
    both = [{"backbone": name, "backbone_hash": name * 64, "dim": dim} for name, dim in (("a", 3), ("b", 5))]
    ModelVersion.objects.create(
        project=world.project, number=3, snapshot=version.snapshot, backbone="a & b", backbone_hash="c" * 64,
        classes=version.classes, artifact="none", manifest={"backbones": both, "dim": 8}, metrics=version.metrics,
    )  # fmt: skip
    assert world.client("reviewer").get(world.api("/models/3")).json()["parts"] == both
    assert [each.number for each in ModelVersion.objects.on_backbone("a" * 64)] == [3]
    assert [each.number for each in ModelVersion.objects.on_backbone(version.backbone_hash)] == [3, 2, 1]
