"""Photos that stay in their bucket: read from there whenever they are needed, and never silently another picture."""

from __future__ import annotations

import itertools
import json
import os
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

import labeling.erasure.tasks  # noqa: F401 - registers the handler, as a worker does
from labeling.catalog import references, services, storage, stored
from labeling.catalog.models import Damage, Image, IntakeBatch, Item, Project, WatchedSource
from labeling.catalog.references import NotThere
from labeling.catalog.renditions import Place
from labeling.catalog.selectors import photo_url
from labeling.catalog.services import start_intake
from labeling.erasure.consequences import consequences
from labeling.erasure.services import ask
from labeling.exchange.selectors import file_of
from labeling.exchange.services import make_data_set
from labeling.gateway.moving.backing_up import _Copies, _Moment, _warnings
from labeling.gateway.moving.stores import NOT_COMPUTED, Folder
from labeling.jobs.models import Job
from labeling.learning.compute.embedding import Tally, _photos
from labeling.refusals import Refused
from labeling.store.objects import StoreAway
from tests.catalog.conftest import upload
from tests.exchange.conftest import settle
from tests.factories import make_project, photo_bytes
from tests.store.conftest import in_bucket, s3  # noqa: F401 - a fixture

pytestmark = pytest.mark.django_db
Do = Callable[[Job], Job]
_numbers = itertools.count()
ONE, TWO = photo_bytes(1), photo_bytes(2, size=(2200, 1300))


@pytest.fixture
def bucket(request: pytest.FixtureRequest, settings: Settings) -> Any:
    """Two photos in it, and it is open as ``factory``."""
    from storages.backends.s3 import S3Storage

    name = f"stay-{os.getpid()}-{next(_numbers)}"
    options = in_bucket(request.getfixturevalue("s3"), name)["OPTIONS"] | {"location": "line 2"}
    settings.BUCKETS = {"factory": options}
    found = S3Storage(**options).bucket
    for photo, data in (("앞/1.png", ONE), ("2.png", TWO)):
        found.put_object(Key=f"line 2/march/{photo}", Body=data)
    return found


@pytest.fixture
def source(bucket: Any, do: Do) -> WatchedSource:
    """The bucket's photos have come in, and stay there."""
    project = make_project()
    source = services.watch(
        project=project, by=project.created_by, kind="bucket", address="factory/march", referenced=True
    )
    assert look(source, do) == {"앞/1.png": "added", "2.png": "added"}
    return source


def look(source: WatchedSource, do: Do) -> dict[str, str]:
    job = do(services.look_now(source=source))
    assert job.state == "succeeded", job.error
    source.refresh_from_db()
    if "intake" not in job.result:
        return {}
    assert do(Job.objects.get(kind="intake", args__batch=job.result["intake"])).state == "succeeded"
    files = IntakeBatch.objects.get(pk=job.result["intake"]).files.all()
    return {each.name: each.reason or each.outcome for each in files}


def photo(source: WatchedSource, name: str = "앞/1.png") -> Image:
    return Item.objects.get(project=source.project, name=name).image


def admin(project: Project) -> Client:
    client = Client()
    client.force_login(project.created_by)
    return client


def why(image: Image) -> str:
    with pytest.raises(NotThere) as lost:
        storage.original(image)
    return lost.value.code


def originals_here() -> list[str]:
    return default_storage.listdir("originals")[0] if default_storage.exists("originals") else []


def test_only_pictures_are_kept_and_whoever_needs_the_file_reads_it_there(source: WatchedSource) -> None:
    small, large = photo(source), photo(source, "2.png")
    assert not originals_here()
    assert (storage.original(small), storage.original(large)) == (ONE, TWO)
    assert storage.is_whole(small.sha256) and not storage.is_whole(small.sha256, here=True)
    assert storage.tile(large.sha256, Place(1, 0)), "its own pixels, larger than the screen"
    default_storage.delete(storage.rendition_name(small.sha256, "thumb"))
    assert storage.rendition(small, "thumb"), "made again"
    assert list(_photos([small.sha256], Tally())) == [(small.sha256, ONE)], "embedded"

    client = admin(source.project)
    item = small.items.get()
    assert client.get(reverse("photo-original", args=[source.project.slug, item.pk])).content == ONE
    settle(source.project, item, "functional")
    settle(source.project, large.items.get(), "functional")
    made = make_data_set(project=source.project, by=source.project.created_by, format="imagefolder")
    with zipfile.ZipFile(BytesIO(b"".join(file_of(made)))) as file:
        assert {ONE, TWO} <= {file.read(each) for each in file.namelist()}


def test_what_changed_or_went_is_told_as_that_and_labeled_on_as_it_was_seen(
    source: WatchedSource, bucket: Any, do: Do
) -> None:
    changed, gone = photo(source), photo(source, "2.png")
    shown = storage.rendition(changed, "screen")
    bucket.put_object(Key="line 2/march/앞/1.png", Body=photo_bytes(3))
    bucket.Object("line 2/march/2.png").delete()
    assert (why(changed), why(gone)) == ("changed", "gone")
    settle(source.project, gone.items.get(), "functional")
    made = make_data_set(project=source.project, by=source.project.created_by, format="imagefolder")
    with zipfile.ZipFile(BytesIO(b"".join(file_of(made)))) as file:
        told = json.loads(file.read("manifest.json"))
    assert (
        told["missing_photos"] == [gone.sha256] and "factory/march/2.png" in told["why_missing"][gone.sha256]
    )
    tally = Tally()
    assert not list(_photos([changed.sha256], tally)) and "march" not in tally.failures[0]["message"]

    client = admin(source.project)
    page = client.get(reverse("photo-original", args=[source.project.slug, changed.items.get().pk]))
    assert (
        page.status_code == 404 and "changed where it lies (factory/march/앞/1.png)" in page.content.decode()
    )
    assert client.get(photo_url(changed.sha256, "screen")).content == shown
    tile = photo_url(gone.sha256, "screen").replace("screen", "0-0")
    assert "march" not in client.get(tile).content.decode(), "a folder may say what is on the photo"

    assert look(source, do) == {"앞/1.png": "added"}, "what is there now is another photo"
    assert Item.objects.filter(project=source.project, name="앞/1.png").count() == 2
    assert set(Damage.objects.values_list("name", flat=True)) == {
        references.name(changed.sha256),
        references.name(gone.sha256),
    }
    listed = client.get(reverse("sources", args=[source.project.slug])).content.decode()
    assert "changed where it lies" in listed and "gone from where it lay" in listed
    assert any("gone from where it lay (factory/march/2.png)" in line for line in stored.to_restore())

    Job.objects.filter(kind="embed").delete()
    bucket.put_object(Key="line 2/march/2.png", Body=TWO)
    assert look(source, do) == {}
    assert list(Damage.objects.values_list("name", flat=True)) == [references.name(changed.sha256)]
    assert Job.objects.filter(kind="embed").exists(), "what could not be had meanwhile was not embedded"
    bucket.put_object(Key="line 2/march/elsewhere.png", Body=ONE)
    assert look(source, do) == {"elsewhere.png": "duplicate"}
    assert storage.original(changed) == ONE, "the same photo, from where it lies now"
    stored.check_photos(None)
    assert not Damage.objects.exists()


def test_a_photo_that_is_copied_anywhere_does_not_hang_on_the_bucket(
    source: WatchedSource, bucket: Any, do: Do
) -> None:
    other = make_project()
    _batch, job = start_intake(
        project=other, by=other.created_by, kind="upload", files=[upload("mine.png", ONE)]
    )
    assert do(job).state == "succeeded"
    bucket.Object("line 2/march/앞/1.png").delete()
    assert storage.original(photo(source)) == ONE


def test_a_bucket_that_is_away_or_closed_loses_nothing(
    source: WatchedSource, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    image, client = photo(source), admin(source.project)
    download = reverse("photo-original", args=[source.project.slug, image.items.get().pk])
    options = settings.BUCKETS["factory"]
    settings.BUCKETS = {"factory": options | {"endpoint_url": "http://127.0.0.1:9"}}
    monkeypatch.setattr(references, "_silent_until", {})
    assert why(image) == "silent" and client.get(download).status_code == 503
    stored.check_photos(None)
    assert not Damage.objects.exists(), "neither lost nor there"
    tally = Tally()
    assert not list(_photos([image.sha256], tally)) and tally.away == 1, (
        "its job fails when all others are done"
    )
    settle(source.project, image.items.get(), "functional")
    made = make_data_set(project=source.project, by=source.project.created_by, format="imagefolder")
    with pytest.raises(StoreAway):  # half of a data set is none
        b"".join(file_of(made))
    settings.BUCKETS = {"factory": options}
    assert why(image) == "silent", "it is not asked again for a while"
    monkeypatch.setattr(references, "_silent_until", {})
    assert storage.original(image) == ONE

    settings.BUCKETS = {}
    assert why(image) == "closed" and client.get(download).status_code == 404
    stored.check_photos(None)
    assert "not open any more" in Damage.objects.get(name=references.name(image.sha256)).why


def test_erasure_leaves_the_file_in_the_bucket_and_says_so(
    source: WatchedSource, bucket: Any, do: Do
) -> None:
    image = photo(source)
    item = image.items.get()
    assert consequences(source.project, [item.pk]).files == [("factory/march", 1)]
    made = ask(
        project=source.project,
        by=source.project.created_by,
        scope="photos",
        item_ids=[item.pk],
        reason="asked for",
        days=0,
    )
    assert do(Job.objects.get(kind="erase", args__erasure=str(made.pk))).state == "succeeded"
    made.refresh_from_db()
    assert made.gone_at is not None
    page = admin(source.project).get(reverse("erasure", args=[source.project.slug, made.pk])).content.decode()
    assert "factory/march" in page and "are not Hilltop" in page
    with pytest.raises(FileNotFoundError):
        storage.original_of(image.sha256)
    assert not any(default_storage.exists(name) for name in storage.names_of(image.sha256))
    assert bucket.Object("line 2/march/앞/1.png").get()["Body"].read() == ONE
    assert look(source, do) == {}, "and it does not come in again"


def test_only_photos_of_a_bucket_can_stay_and_the_api_says_which_do(source: WatchedSource) -> None:
    project = source.project
    with pytest.raises(Refused) as refused:
        services.watch(
            project=project, by=project.created_by, kind="folder", address="march", referenced=True
        )
    assert refused.value.code == "invalid"
    (told,) = admin(project).get(f"/api/v1/projects/{project.slug}/sources").json()["results"]
    assert told["referenced"] is True
    services.unwatch(source=source, by=project.created_by)
    page = admin(project).get(reverse("sources", args=[project.slug])).content.decode()
    assert '<input type="hidden" name="referenced" value="on">' in page, "watched again as it was"


def test_a_backup_holds_where_it_lies_and_misses_nothing(source: WatchedSource, tmp_path: Path) -> None:
    image = photo(source)
    here = _Copies(Folder(Path(default_storage.location)), Folder(tmp_path / "backup"))
    here.add(name for name in here.source.names() if name.split("/")[0] in NOT_COMPUTED)
    moment = _Moment({}, 0, photos={bytes.fromhex(image.sha256)}, without_uploads=set())
    assert not list(_warnings(moment, here)) and references.name(image.sha256) in here.files
