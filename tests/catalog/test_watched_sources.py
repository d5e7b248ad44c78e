"""Watched folders and buckets, and tables of addresses: what is new comes in, what changed too, what is gone is told."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from labeling.catalog import services
from labeling.catalog.models import Activity, IntakeBatch, Item, Metadata, Project, WatchedFile, WatchedSource
from labeling.catalog.watched import look_at_what_is_due
from labeling.explorer.photo.history import history
from labeling.http import public_addresses
from labeling.http.public_addresses import Fetched, NotFetched
from labeling.jobs.models import Job
from labeling.refusals import Refused
from tests.catalog.conftest import upload
from tests.factories import make_project, photo_bytes
from tests.store.conftest import in_bucket, s3  # noqa: F401 - a fixture

pytestmark = pytest.mark.django_db
Do = Callable[[Job], Job]
_numbers = itertools.count()


class Place:
    """Where files are put and taken away, whatever kind of source it is."""

    kind = "folder"

    def __init__(self, address: str, folder: Path) -> None:
        self.address = address
        self.folder = folder

    def put(self, name: str, data: bytes) -> None:
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)

    def take(self, name: str) -> None:
        (self.folder / name).unlink()


class InBucket(Place):
    kind = "bucket"

    def __init__(self, address: str, objects: Any) -> None:
        self.address = address
        self.bucket = objects

    def put(self, name: str, data: bytes) -> None:
        self.bucket.put_object(Key=f"line 2/march/{name}", Body=data)

    def take(self, name: str) -> None:
        self.bucket.Object(f"line 2/march/{name}").delete()


@pytest.fixture(params=["folder", "bucket"])
def place(request: pytest.FixtureRequest, settings: Settings) -> Iterator[Place]:
    if request.param == "folder":
        folder = settings.INTAKE_ROOTS[0] / "march"
        folder.mkdir()
        yield Place("march", folder)
        return
    from storages.backends.s3 import S3Storage

    name = f"factory-{os.getpid()}-{next(_numbers)}"
    options = in_bucket(request.getfixturevalue("s3"), name)["OPTIONS"] | {"location": "line 2"}
    settings.BUCKETS = {"factory": options}
    store = S3Storage(**options)
    store.bucket.put_object(Key="line 22/march/other.png", Body=photo_bytes(99))
    yield InBucket("factory/march", store.bucket)


def watch(place: Place, project: Project | None = None) -> WatchedSource:
    project = project or make_project()
    return services.watch(project=project, by=project.created_by, kind=place.kind, address=place.address)


def look(source: WatchedSource, do: Do) -> dict[str, str]:
    """Look, take in what it finds, and say what became of each file of that intake."""
    job = do(services.look_now(source=source))
    assert job.state == "succeeded", job.error
    source.refresh_from_db()
    batch = job.result.get("intake")
    if batch is None:
        return {}
    intake = do(Job.objects.get(kind="intake", args__batch=batch))
    assert intake.state == "succeeded", intake.error
    return {each.name: each.reason or each.outcome for each in IntakeBatch.objects.get(pk=batch).files.all()}


def counts(source: WatchedSource) -> tuple[int, int, int, int]:
    return source.there, source.new, source.changed, source.gone


def test_what_is_new_comes_in_what_changed_too_and_what_is_gone_is_told(place: Place, do: Do) -> None:
    source = watch(place)
    photos = Item.objects.filter(project=source.project)
    for seed in (1, 2):
        place.put(f"앞/{seed}.png", photo_bytes(seed))
    place.put("앞/notes.txt", b"no photo")
    assert look(source, do) == {"앞/1.png": "added", "앞/2.png": "added", "앞/notes.txt": "not_an_image"}
    assert counts(source) == (3, 3, 0, 0)
    assert look(source, do) == {}, "nothing is new, and what was refused is not asked for again"

    place.put("앞/1.png", photo_bytes(11))
    place.put("앞/3.png", photo_bytes(3))
    place.take("앞/2.png")
    assert look(source, do) == {"앞/1.png": "added", "앞/3.png": "added"}
    assert counts(source) == (3, 1, 1, 1)
    assert photos.count() == 4, "nothing is deleted"
    gone = WatchedFile.objects.get(source=source, gone_at__isnull=False)
    assert gone.path == "앞/2.png"
    item = photos.get(name="앞/2.png")
    told = [moment.kind for moment in history(source.project, item, told=False, gold=False)]
    assert told == ["intake", "gone"]

    place.put("앞/2.png", photo_bytes(2))
    look(source, do)
    assert counts(source)[3] == 0 and photos.count() == 4


def test_a_table_beside_the_photos_is_kept_whenever_it_comes(place: Place, do: Do) -> None:
    source = watch(place)

    def known() -> dict[str, Any]:
        return dict(Metadata.objects.values_list("item__name", "data"))

    place.put("1.png", photo_bytes(1))
    look(source, do)
    place.put("metadata.csv", b"file_name,line\n1.png,2\n2.png,3\nno.png,4\n")
    assert look(source, do) == {
        "1.png": "duplicate",
        "metadata.csv:3": "metadata_of_nothing",
        "metadata.csv:4": "metadata_of_nothing",
    }
    assert known() == {"1.png": {"line": 2}}
    place.put("2.png", photo_bytes(2))
    assert look(source, do) == {"2.png": "added"}
    assert known() == {"1.png": {"line": 2}, "2.png": {"line": 3}}


def test_a_look_that_fails_says_why_and_the_next_one_goes_on(
    place: Place, do: Do, settings: Settings
) -> None:
    place.put("1.png", photo_bytes(1))
    source = watch(place)
    assert look(source, do) == {"1.png": "added"}
    buckets, roots = settings.BUCKETS, settings.INTAKE_ROOTS
    settings.BUCKETS, settings.INTAKE_ROOTS = {}, []
    job = do(services.look_now(source=source))
    source.refresh_from_db()
    assert job.state == "failed" and "open for intake" in job.error and source.error == job.error
    assert counts(source) == (1, 1, 0, 0), "what was seen last stays"
    settings.BUCKETS, settings.INTAKE_ROOTS = buckets, roots
    assert look(source, do) == {} and source.error == ""


def test_a_file_that_could_not_be_read_is_asked_for_again(
    place: Place, do: Do, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = watch(place)
    for seed in (1, 2):
        place.put(f"{seed}.png", photo_bytes(seed))
    do(services.look_now(source=source))
    place.take("1.png")
    (intake,) = Job.objects.filter(kind="intake")
    do(intake)
    place.put("1.png", photo_bytes(1))
    assert sorted(Item.objects.values_list("name", flat=True)) == ["2.png"]
    assert look(source, do) == {"1.png": "added"}


def test_sources_are_looked_at_when_they_are_due(place: Place) -> None:
    source = watch(place)
    looks = Job.objects.filter(kind="look_at_source")
    assert looks.count() == 1, "at once"
    looks.delete()
    now = timezone.now()
    for fields, due in (
        ({"looked_at": None}, 1),
        ({"looked_at": now}, 0),
        ({"looked_at": now - timedelta(minutes=60)}, 1),
        ({"paused": True}, 0),
    ):
        WatchedSource.objects.filter(pk=source.pk).update(**fields)
        assert look_at_what_is_due() == due


@pytest.mark.parametrize(
    ("kind", "address", "code"),
    [
        ("folder", "../..", "folder_not_open"),
        ("folder", "/etc", "folder_not_open"),
        ("folder", "nothing here", "no_such_folder"),
        ("bucket", "secret/march", "bucket_not_open"),
        ("bucket", " / ", "bucket_not_open"),
    ],
)
def test_only_what_is_open_can_be_watched(kind: str, address: str, code: str) -> None:
    project = make_project()
    with pytest.raises(Refused) as refused:
        services.watch(project=project, by=project.created_by, kind=kind, address=address)
    assert refused.value.code == code


def test_the_page_and_the_api_add_pause_and_look(client: Any, settings: Settings) -> None:
    (settings.INTAKE_ROOTS[0] / "march").mkdir()
    project = make_project()
    client.force_login(project.created_by)
    page = reverse("sources", args=[project.slug])
    assert client.post(page, {"kind": "folder", "address": "march", "minutes": "1"}).status_code == 422
    assert client.post(page, {"kind": "folder", "address": "march", "minutes": "30"}).status_code == 302
    again = client.post(page, {"kind": "folder", "address": "march", "minutes": "30"})
    assert again.status_code == 422 and "watched already" in again.content.decode()
    source = WatchedSource.objects.get(project=project)
    for action, paused in (("pause", True), ("resume", False), ("look", False), ("burn", False)):
        client.post(reverse("source", args=[project.slug, source.pk]), {"action": action})
        source.refresh_from_db()
        assert source.paused is paused
    api = f"/api/v1/projects/{project.slug}/sources"
    changed = client.patch(f"{api}/{source.pk}", {"paused": True, "minutes": 5}, "application/json").json()
    assert (changed["paused"], changed["minutes"], changed["there"]) == (True, 5, 0)
    assert client.patch(f"{api}/{source.pk}", {"minutes": 1}, "application/json").status_code == 422
    assert client.post(f"{api}/{source.pk}/look", {}, "application/json").status_code == 202
    assert [each["id"] for each in client.get(api).json()["results"]] == [source.pk]
    assert "march" in client.get(page).content.decode()


def test_a_source_that_is_removed_is_watched_no_more_and_goes_on_where_it_was(
    place: Place, do: Do, client: Any
) -> None:
    place.put("1.png", photo_bytes(1))
    source = watch(place)
    look(source, do)
    admin, waiting = source.project.created_by, services.look_now(source=source)
    client.force_login(admin)
    api = f"/api/v1/projects/{source.project.slug}/sources/{source.pk}"
    page = reverse("sources", args=[source.project.slug])
    told = [client.delete(api).json() for _twice in range(2)]
    assert told[0] == told[1] and told[0]["photos"] == 1
    found = client.get(f"/api/v1/projects/{source.project.slug}/items", {"source": told[0]["source"]})
    assert len(found.json()["results"]) == 1
    assert Activity.objects.filter(kind="source_removed", actor=admin).count() == 1
    assert client.patch(api, {"paused": True}, "application/json").status_code == 404
    place.put("2.png", photo_bytes(2))
    WatchedSource.objects.update(looked_at=None)
    assert look_at_what_is_due() == 0 and do(waiting).state == "failed"
    erase = "?" + urlencode({"scope": "source", "source": told[0]["source"]})
    assert erase.replace("&", "&amp;") in client.get(page).content.decode()
    assert client.get(reverse("erasures", args=[source.project.slug]) + erase).status_code == 200

    given = {"kind": source.kind, "address": source.address, "minutes": source.minutes}
    assert client.post(page, given).status_code == 302
    source.refresh_from_db()
    assert look(source, do) == {"2.png": "added"}, "what was taken in is not taken again"
    post = reverse("source", args=[source.project.slug, source.pk])
    for _twice in range(2):
        assert client.post(post, {"action": "remove"}).status_code == 302
    assert Activity.objects.filter(kind="source_removed").count() == 2
    assert Item.objects.filter(project=source.project).count() == 2


def test_photos_come_from_addresses_with_their_metadata(do: Do, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is fetched once; one that cannot be had does not stop the others."""
    asked: list[str] = []

    def fetch(url: str, **_options: Any) -> Fetched:
        asked.append(url)
        if url.startswith("http://inside"):
            raise NotFetched("not_public")
        return Fetched(url, "image/png", photo_bytes(int(url[-1])))

    monkeypatch.setattr(public_addresses, "fetch", fetch)
    project = make_project()
    table = (
        "url,file_name,vehicle\n"
        "https://photos.example/앞/1?v=1,앞.png,12가3456\n"
        "https://photos.example/2,,\n"
        "http://inside.example/3,,\n"
        f"https://photos.example/{'x' * 1000},,\n"
        "https://photos.example/2,again.png,7\n"
    )
    batch, job = services.start_intake(
        project=project, by=project.created_by, kind="urls", urls=upload("march.csv", table.encode())
    )
    assert do(job).state == "succeeded"
    assert {file.name: file.reason or file.outcome for file in batch.files.all()} == {
        "앞.png": "added",
        "2": "added",
        "3": "url_not_public",
        "x" * 400: "path_too_long",
        "again.png": "duplicate",
    }
    assert dict(Metadata.objects.values_list("item__name", "data")) == {
        "앞.png": {"vehicle": "12가3456"},
        "2": {"vehicle": 7},
    }
    assert batch.source == "march.csv"
    assert len(asked) == 4 and asked.count("https://photos.example/앞/1?v=1") == 1
