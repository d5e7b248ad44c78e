"""Photos like one of the project, or like one that is sent, are found in the order in which they are alike."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.db.models import TextField, Value
from django.urls import reverse

from labeling.catalog.models import Item, Project
from labeling.explorer import services, spaces
from labeling.explorer.laying_out import JOB_KIND, tidy_up
from labeling.explorer.models import AskedPhoto, Space
from labeling.explorer.search.finding import search
from labeling.explorer.search.wanted import Wanted
from labeling.jobs.models import Job, JobState
from labeling.learning.events import embedded
from tests.explorer.conftest import Circle
from tests.factories import make_items, photo_bytes
from tests.learning.building import run_job, settle


@pytest.fixture(params=["pgvector", "without"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "without":
        monkeypatch.setattr(spaces, "_HALVES", Value(None, output_field=TextField()))
    else:
        monkeypatch.setattr(spaces, "FEW", 0)
        monkeypatch.setattr("labeling.explorer.compute.tables.FEW", 0)
    return str(request.param)


def like(circle: Circle, number: int, **more: Any) -> dict[str, Any]:
    asked = {"like": circle.items[number].image.sha256, **more}
    response = circle.client.get(f"/api/v1/projects/{circle.project.slug}/items", asked)
    assert response.status_code == 200, response.content
    shown = circle.client.get(reverse("photos", args=[circle.project.slug]), asked)
    ids = [each["id"] for each in response.json()["results"]]
    assert [each["item"].pk for each in shown.context["photos"]][: len(ids)] == ids
    return dict(response.json())


def ids(answer: dict[str, Any]) -> list[int]:
    return [each["id"] for each in answer["results"]]


def test_the_nearest_come_first_and_pages_go_on_behind_them(
    circle: Circle, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    circle.fill()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_indexes WHERE schemaname = 'derived' AND indexdef LIKE '%hnsw%'"
        )
        assert (cursor.fetchone()[0] > 0) == (way == "pgvector")
    found = circle.numbers(ids(like(circle, 10, limit=6)))
    assert [set(found[:2]), set(found[2:4]), set(found[4:])] == [{9, 11}, {8, 12}, {7, 13}]
    wanted = Wanted(like=circle.items[10].image.sha256)
    everything = search(circle.project, circle.reviewer, wanted, limit=100)
    assert len(everything.rows) == 39 and everything.next is None and everything.previous is None
    second = search(circle.project, circle.reviewer, wanted, after=6, limit=6)
    assert [row.item.pk for row in second.rows] == [row.item.pk for row in everything.rows[6:12]]
    back = search(circle.project, circle.reviewer, wanted, before=second.previous, limit=4)
    assert [row.item.pk for row in back.rows] == [row.item.pk for row in everything.rows[2:6]]
    assert search(circle.project, circle.reviewer, wanted, before=1).rows == []

    # The first pages look for fewer: whoever turns on misses nobody, and meets nobody twice.
    monkeypatch.setattr("labeling.explorer.search.conditions.FIRST_ALIKE", 7)
    turned: list[int] = []
    behind: int | None = 0
    while behind is not None:
        page = search(circle.project, circle.reviewer, wanted, after=behind, limit=3)
        turned += [row.item.pk for row in page.rows]
        behind = page.next
    assert turned == [row.item.pk for row in everything.rows]


def test_other_filters_hold_too_and_the_photo_page_shows_the_first(circle: Circle) -> None:
    circle.fill()
    settle(circle.project, circle.items[:20:2], ["functional"] * 10)
    assert circle.numbers(ids(like(circle, 9, status="settled", limit=2))) in ([8, 10], [10, 8])
    page = circle.client.get(reverse("photo-similar", args=[circle.project.slug, circle.items[0].pk]))
    shown = circle.numbers([each.pk for each in page.context["alike"]])
    assert set(shown[:2]) == {1, 39} and 0 not in shown


def test_new_photos_come_in_and_what_has_no_vector_any_more_goes(circle: Circle) -> None:
    first = circle.fill()
    assert first.result == {"photos": 40, "added": 40, "gone": 0, "anew": True}
    (late, unembedded) = make_items(circle.project, 2)
    circle.put([late], [10.4])
    embedded.send(sender=Project, project=circle.project)
    (job,) = Job.objects.filter(kind=JOB_KIND, state=JobState.QUEUED)
    assert run_job(job).result == {"photos": 41, "added": 1, "gone": 0, "anew": False}
    assert Space.objects.count() == 1
    assert spaces.alike(circle.project, late, 1) == [circle.items[10]]
    assert spaces.alike(circle.project, unembedded, 1) == []
    gone = circle.items[10]
    services.forget_places(project=circle.project, item_ids=[gone.pk], hashes=[gone.image.sha256])
    assert spaces.alike(circle.project, late, 1) == [circle.items[11]]
    Item.objects.filter(pk=late.pk).delete()
    # Its own vector is there still: it is back. The other photo is gone.
    assert circle.fill().result == {"photos": 40, "added": 1, "gone": 1, "anew": False}


def test_what_was_fitted_to_few_is_fitted_to_many_anew_and_only_the_night_removes_what_may_be_read(
    circle: Circle,
) -> None:
    circle.fill()
    before = Space.objects.get()
    more = make_items(circle.project, 120)
    circle.put(more, [number / 3 for number in range(120)])
    assert circle.fill().result == {"photos": 160, "added": 160, "gone": 0, "anew": True}
    assert Space.objects.filter(pk=before.pk).exists()
    tidy_up()
    now = Space.objects.get()
    assert now.pk > before.pk and spaces.current_space(circle.project) == now
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s)", [before.table])
        assert cursor.fetchone() == (None,)


def test_a_space_whose_rows_stayed_behind_in_a_move_is_made_again(circle: Circle) -> None:
    circle.fill()
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE {Space.objects.get().table}")
    assert spaces.current_space(circle.project) is None
    tidy_up()
    assert not Space.objects.exists()
    (job,) = Job.objects.filter(kind=JOB_KIND, state=JobState.QUEUED)
    assert run_job(job).result["added"] == 40


def send(circle: Circle, data: bytes, name: str = "mine.png") -> Any:
    photo = SimpleUploadedFile(name, data, "image/png")
    return circle.client.post(f"/api/v1/projects/{circle.project.slug}/similar", {"photo": photo})


def test_a_photo_that_is_sent_is_compared_and_not_kept(circle: Circle) -> None:
    circle.fill()
    photo = photo_bytes(3)
    sha256 = hashlib.sha256(photo).hexdigest()
    response = send(circle, photo, "내 사진.png")
    assert (response.status_code, response.json()) == (202, {"like": sha256})
    address = f"/api/v1/projects/{circle.project.slug}/items?like={sha256}"
    waits = circle.client.get(address)
    assert (waits.status_code, waits.json()["error"]["code"]) == (409, "not_ready")
    page = circle.client.get(reverse("photos", args=[circle.project.slug]), {"like": sha256})
    assert page.status_code == 200 and page.context["waits"]
    # Asked twice, it is looked at once.
    assert send(circle, photo).status_code == 202
    (job,) = Job.objects.filter(kind="like")
    assert run_job(job).state == JobState.SUCCEEDED, job.error
    assert len(circle.client.get(address).json()["results"]) == 40
    shown = circle.client.get(reverse("photos", args=[circle.project.slug]), {"like": sha256})
    assert "내 사진.png" in shown.content.decode()
    assert not list(Path(settings.STAGING_DIR).glob("*/*"))
    assert circle.project.items.count() == 40
    services.forget_places(project=circle.project, item_ids=[], hashes=[sha256])
    assert not AskedPhoto.objects.exists()
    run_job(Job.objects.get(pk=send(circle, photo) and Job.objects.latest("created_at").pk))
    AskedPhoto.objects.update(created_at="2020-01-01T00:00Z")
    tidy_up()
    assert circle.client.get(address).status_code == 422


@pytest.mark.parametrize(
    ("data", "status", "code"), [(b"", 422, "empty"), (b"no photo", 422, "not_an_image")]
)
def test_what_is_no_photo_is_refused(circle: Circle, data: bytes, status: int, code: str) -> None:
    circle.fill()
    response = send(circle, data)
    assert (response.status_code, response.json()["error"]["code"]) == (status, code)
    assert not AskedPhoto.objects.exists()


def test_a_photo_that_turns_out_damaged_says_so_where_it_was_asked_for(circle: Circle) -> None:
    circle.fill()
    photo = photo_bytes(3)
    sha256 = send(circle, photo[: len(photo) // 2]).json()["like"]
    job = run_job(Job.objects.get(kind="like"))
    assert job.state == JobState.FAILED and "Send another copy" in job.error
    response = circle.client.get(f"/api/v1/projects/{circle.project.slug}/items?like={sha256}")
    assert (response.status_code, response.json()["error"]["code"]) == (422, "unreadable")
    assert not list(Path(settings.STAGING_DIR).glob("*/*"))


@pytest.mark.parametrize(("asked", "status"), [("0" * 64, 422), ("purple", 422), ("A" * 64, 422)])
def test_a_photo_that_is_not_here_is_said(circle: Circle, asked: str, status: int) -> None:
    circle.fill()
    response = circle.client.get(f"/api/v1/projects/{circle.project.slug}/items?like={asked}")
    assert response.status_code == status and "like" in response.json()["error"]["fields"]
    # A photo of the project that has no place yet waits.
    (late,) = make_items(circle.project, 1)
    waits = circle.client.get(f"/api/v1/projects/{circle.project.slug}/items?like={late.image.sha256}")
    assert waits.json()["error"]["code"] == "not_ready"
