"""Photos are found by words where a backbone of the project knows words, and only there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

import labeling.explorer.tasks
import labeling.learning.tasks  # noqa: F401  (both register their handlers)
from inference import backbones
from labeling.catalog.models import Item, Project
from labeling.catalog.services import add_image, add_items
from labeling.explorer.laying_out import tidy_up
from labeling.explorer.models import AskedWords
from labeling.explorer.search.naming import KnownBy
from labeling.explorer.search.saving import forget_views_of
from labeling.jobs.models import Job, JobState
from labeling.jobs.services import cancel
from labeling.learning.services import request_embedding
from labeling.people.models import User
from tests.factories import make_member, make_project
from tests.inference.test_clip import PAINT, photo
from tests.learning.building import run_job
from tests.tiny_clip import make_clip


@dataclass
class Coloured:
    """Photos of four colours, three of each, the purest last; each is named after its colour."""

    project: Project
    items: list[Item]
    reviewer: User
    client: Client

    def ask(self, words: str) -> Any:
        return self.client.post(
            f"/api/v1/projects/{self.project.slug}/words", {"words": words}, "application/json"
        )

    def run(self) -> Job:
        job = Job.objects.filter(kind="words").latest("created_at")
        return run_job(job)

    def found(self, **asked: Any) -> list[str]:
        response = self.client.get(f"/api/v1/projects/{self.project.slug}/items", asked)
        assert response.status_code == 200, response.content
        return [each["name"] for each in response.json()["results"]]

    def page(self, **asked: Any) -> Any:
        return self.client.get(reverse("photos", args=[self.project.slug]), asked)


@pytest.fixture
def coloured(
    db: None, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Coloured]:
    monkeypatch.setattr(backbones, "_loaded", {})
    monkeypatch.setenv("HILLTOP_WEIGHTS_DIR", str(tmp_path))
    settings.WEIGHTS_DIR = tmp_path
    settings.EMBEDDINGS_DIR = tmp_path / "embeddings"
    make_clip(tmp_path / "clip" / "tiny")
    project = make_project(backbone="clip:tiny")
    images = [
        (add_image(data=photo(tuple(one + (128 - one) * step // 4 for one in paint)))[0], f"{name}{step}.png")
        for name, paint in PAINT.items()
        for step in (2, 1, 0)
    ]
    items = add_items(project=project, images=images, source="paint")
    reviewer = make_member(project, "reviewer")
    client = Client()
    client.force_login(reviewer)
    yield Coloured(project, items, reviewer, client)
    from labeling.learning.compute.words import encoder_of

    encoder_of.cache_clear()


def embed(coloured: Coloured) -> None:
    job = run_job(request_embedding(project=coloured.project))
    assert job.state == JobState.SUCCEEDED, job.error + job.trace


def test_the_best_fitting_come_first_on_the_page_as_in_the_api(coloured: Coloured) -> None:
    assert "photos-words" not in coloured.page().templates and b'id="words"' not in coloured.page().content
    assert coloured.ask("red").json()["error"]["code"] == "not_ready"
    embed(coloured)
    assert b'id="words"' in coloured.page().content

    answer = coloured.ask("  a   RED car ")
    assert (answer.status_code, answer.json()) == (202, {"words": "a RED car"})
    waiting = coloured.client.get(f"/api/v1/projects/{coloured.project.slug}/items", {"words": "a RED car"})
    assert (waiting.status_code, waiting.json()["error"]["code"]) == (409, "not_ready")
    assert coloured.page(words="a RED car").context["waits"]
    assert "A worker compares" in coloured.page(words="a RED car", fragment="waiting").content.decode()
    assert coloured.run().result == {"words": 1, "photos": 12}
    assert "Show what was found" in coloured.page(words="a RED car", fragment="waiting").content.decode()
    found = coloured.found(words="a RED car")
    assert set(found[:3]) == {"red0.png", "red1.png", "red2.png"} and len(found) == 12
    page = coloured.page(words="a RED car")
    assert [each["item"].name for each in page.context["photos"]] == found
    assert "a RED car" in page.content.decode()
    assert coloured.found(words="a RED car", q="green") == [name for name in found if "green" in name]
    # The same order, a few at a time.
    turned: list[str] = []
    where = f"/api/v1/projects/{coloured.project.slug}/items?words=a+RED+car&limit=5"
    while where:
        told = coloured.client.get(where).json()
        turned += [each["name"] for each in told["results"]]
        where = told["next"]
    assert turned == found

    form = coloured.client.post(reverse("photos-words", args=[coloured.project.slug]), {"words": "파란 차"})
    assert form.status_code == 302
    coloured.run()
    shown = coloured.client.get(form["Location"]).context["photos"]
    assert {each["item"].name for each in shown[:3]} == {"blue0.png", "blue1.png", "blue2.png"}


def test_many_words_are_compared_a_few_at_a_time_and_what_failed_is_not_taken_along(
    coloured: Coloured, monkeypatch: pytest.MonkeyPatch
) -> None:
    embed(coloured)
    coloured.ask("green")
    Job.objects.filter(kind="words").update(state=JobState.FAILED)
    monkeypatch.setattr("labeling.explorer.compute.words.AT_A_TIME", 1)
    coloured.ask("red")
    coloured.ask("blue")
    job = Job.objects.filter(kind="words", state=JobState.QUEUED).order_by("created_at").first()
    assert job is not None
    assert run_job(job).result == {"words": 2, "photos": 12}
    assert coloured.found(words="red")[0][:3] == "red" and coloured.found(words="blue")[0][:4] == "blue"
    assert AskedWords.objects.filter(item_ids=None).count() == 1


def test_asked_anew_it_finds_what_came_since_and_after_a_week_nobody_asked(coloured: Coloured) -> None:
    embed(coloured)
    coloured.ask("blue")
    assert coloured.ask("blue").status_code == 202 and Job.objects.filter(kind="words").count() == 1
    coloured.run()
    late = add_items(
        project=coloured.project,
        images=[(add_image(data=photo((0, 0, 255)))[0], "late.png")],
        source="paint",
    )
    embed(coloured)
    assert "late.png" not in coloured.found(words="blue")
    coloured.ask("blue")
    coloured.run()
    assert coloured.found(words="blue", limit=1) == ["late.png"]
    # What left the project is passed by.
    Item.objects.filter(pk=late[0].pk).delete()
    assert "late.png" not in coloured.found(words="blue")
    AskedWords.objects.update(asked_at=timezone.now() - timezone.timedelta(days=8))
    tidy_up()
    gone = coloured.client.get(f"/api/v1/projects/{coloured.project.slug}/items", {"words": "blue"})
    assert gone.status_code == 422 and "anew" in gone.json()["error"]["message"]


@pytest.mark.parametrize(("words", "code"), [(" \u200b ", "nothing_sent"), ("x" * 201, "invalid")])
def test_no_words_and_too_many_are_refused(coloured: Coloured, words: str, code: str) -> None:
    embed(coloured)
    answer = coloured.ask(words)
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, code)


def test_what_went_wrong_is_said_where_the_photos_would_be(coloured: Coloured, tmp_path: Path) -> None:
    embed(coloured)
    coloured.ask("green")
    (tmp_path / "clip" / "tiny" / "tokenizer.json").write_text("{}")
    assert coloured.run().state == JobState.FAILED
    answer = coloured.client.get(f"/api/v1/projects/{coloured.project.slug}/items", {"words": "green"})
    assert answer.status_code == 422 and "tokenizer" in answer.json()["error"]["message"]
    coloured.ask("grey")
    cancel(job=Job.objects.filter(kind="words").latest("created_at"))
    answer = coloured.client.get(f"/api/v1/projects/{coloured.project.slug}/items", {"words": "grey"})
    assert answer.status_code == 422 and "cancelled" in answer.json()["error"]["message"]
    both = coloured.client.get(
        f"/api/v1/projects/{coloured.project.slug}/items", {"words": "grey", "like": "0" * 64}
    )
    assert both.status_code == 422


def test_a_further_backbone_is_enough(coloured: Coloured) -> None:
    Project.objects.filter(pk=coloured.project.pk).update(
        backbone="tiny:net", further_backbones=["clip:tiny"]
    )
    coloured.project.refresh_from_db()
    embed(coloured)
    for words in ("green", "blue door"):
        coloured.ask(words)
    # One pass for all that wait: the other job finds nothing left to do.
    assert coloured.run().result == {"words": 2, "photos": 12}
    assert {name[:5] for name in coloured.found(words="green", limit=3)} == {"green"}
    assert {name[:4] for name in coloured.found(words="blue door", limit=3)} == {"blue"}
    assert "green" not in str(list(Job.objects.values_list("args", "result")))
    gone = KnownBy(coloured.project, names=["blue door"])
    forget_views_of(project=coloured.project, gone=gone)
    assert [each.words for each in AskedWords.objects.all()] == ["green"]
