"""What a disk loses or cuts is noticed and not served as good; the same bytes, taken in again, put it back."""

from __future__ import annotations

import os
import runpy
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from labeling.catalog import events, services, storage
from labeling.catalog.models import Image, IntakeBatch, Item, Project
from labeling.catalog.selectors import photo_urls
from labeling.frontier.sent_photos import decide_sent_photo
from labeling.jobs.models import Job
from labeling.store import on_disk
from tests.catalog.conftest import upload, zip_of
from tests.factories import make_project, photo_bytes

pytestmark = pytest.mark.django_db
Do = Callable[[Job], Job]
PHOTO = photo_bytes(1, size=(400, 300), format="JPEG")
DAMAGES: dict[str, Callable[[Path], object]] = {
    "lost": Path.unlink,
    "empty": lambda path: path.write_bytes(b""),
    "cut": lambda path: path.write_bytes(path.read_bytes()[:-100]),
    "zeros": lambda path: path.write_bytes(bytes(path.stat().st_size)),
}


@pytest.fixture
def project() -> Project:
    project = make_project()
    image, _created = services.add_image(data=PHOTO)
    services.add_items(project=project, images=[(image, "a.jpg")], source="test")
    return project


@pytest.fixture
def image(project: Project) -> Image:
    return Item.objects.get(project=project).image


def files_of(image: Image) -> dict[str, Path]:
    root = Path(settings.STORAGES["default"]["OPTIONS"]["location"])
    renditions = {
        variant: root / storage.rendition_name(image.sha256, variant) for variant in storage.VARIANTS
    }
    return {"original": root / storage.original_name(image.sha256), **renditions}


def page(project: Project, image: Image, variant: str = "screen") -> Any:
    client = Client()
    client.force_login(project.created_by)
    return client.get(photo_urls(image)[variant])


ways: dict[str, Callable[[Project, Path], dict[str, Any]]] = {
    "upload": lambda _project, _open: {"files": [upload("again.jpg", PHOTO)]},
    "zip": lambda _project, _open: {"zip": upload("a.zip", zip_of({"again.jpg": PHOTO}))},
    "folder": lambda _project, open_: {"folder": (open_ / "again.jpg").write_bytes(PHOTO) and open_},
}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("kind", ways)
def test_the_same_bytes_taken_in_again_put_the_photo_back(
    do: Do,
    tmp_path: Path,
    project: Project,
    image: Image,
    kind: str,
    damage: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    put_back: list[Project] = []
    monkeypatch.setattr(events.photos_put_back, "send", lambda sender, project: put_back.append(project))
    whole = {name: path.read_bytes() for name, path in files_of(image).items()}
    for path in files_of(image).values():
        DAMAGES[damage](path)
    _batch, job = services.start_intake(
        project=project, by=project.created_by, kind=kind, **ways[kind](project, tmp_path / "open")
    )
    assert do(job).result == {"added": 0, "duplicate": 1, "refused": 0}
    assert {name: path.read_bytes() for name, path in files_of(image).items()} == whole
    assert storage.is_whole(image.sha256) and page(project, image).status_code == 200
    assert put_back == [project], "so that it is embedded, if it was lost before it could be"


def test_a_photo_added_alone_or_sent_to_be_decided_is_put_back(
    do: Do, project: Project, image: Image
) -> None:
    original = files_of(image)["original"]
    original.unlink()
    services.add_image(data=PHOTO)
    assert original.read_bytes() == PHOTO
    original.write_bytes(b"")
    decide_sent_photo(
        project=project, by=project.created_by, sha256=image.sha256, photo=upload("a.jpg", PHOTO)
    )
    do(Job.objects.get(kind="intake"))
    assert original.read_bytes() == PHOTO
    decide_sent_photo(
        project=project, by=project.created_by, sha256=image.sha256, photo=upload("a.jpg", PHOTO)
    )
    assert Job.objects.filter(kind="intake").count() == 1, "one that is whole is not taken in again"


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("variant", storage.VARIANTS)
def test_a_damaged_rendition_is_made_again_before_it_is_served(
    project: Project, image: Image, variant: str, damage: str
) -> None:
    path = files_of(image)[variant]
    whole = path.read_bytes()
    DAMAGES[damage](path)
    answer = page(project, image, variant)
    assert answer.content == path.read_bytes() == whole
    assert "immutable" in answer["Cache-Control"]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_lost_original_says_so_and_nobody_keeps_the_answer(
    project: Project, image: Image, damage: str
) -> None:
    for path in files_of(image).values():
        DAMAGES[damage](path)
    answer = page(project, image)
    assert answer.status_code == 404 and answer["Cache-Control"] == "no-store"
    assert "Take the photo in again" in answer.content.decode()
    client = Client()
    client.force_login(project.created_by)
    by_api = client.get(f"/api/v1/projects/{project.slug}/photos/{image.sha256}/screen.webp")
    assert by_api.status_code == 404 and by_api["Cache-Control"] == "no-store"
    with pytest.raises(FileNotFoundError):
        storage.original(image)  # and no model learns from half a photo


def test_a_rendition_is_shown_even_where_the_disk_has_no_room_for_it(
    project: Project, image: Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = files_of(image)["thumb"].read_bytes()
    files_of(image)["thumb"].unlink()

    def full(*_args: Any, **_options: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(on_disk, "write", full)
    assert page(project, image, "thumb").content == whole


# ---- on the disk before anybody is told


def test_a_photo_and_its_folders_are_on_the_disk_before_its_row_is_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    synced: list[Path] = []
    monkeypatch.setattr(
        os, "fsync", lambda handle: synced.append(Path(os.readlink(f"/proc/self/fd/{handle}")))
    )
    image, _created = services.add_image(data=PHOTO)
    for path in files_of(image).values():
        assert any(each.parent == path.parent and each.suffix == ".partial" for each in synced)
        assert {path.parent, path.parent.parent, path.parent.parent.parent} <= set(synced)


def test_an_upload_is_on_the_disk_before_it_is_acknowledged_and_a_photo_before_its_row(
    do: Do, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What was there when the whole disk was synced, and how many rows."""
    synced: list[tuple[Path, int, int, int]] = []

    def sync_disk(folder: Path) -> None:
        files = sum(path.is_file() for path in folder.rglob("*"))
        synced.append((folder, files, IntakeBatch.objects.count(), Image.objects.count()))

    monkeypatch.setattr(on_disk, "sync_disk", sync_disk)
    project = make_project()
    files = [upload("a.jpg", PHOTO), upload("b.png", photo_bytes(2))]
    batch, job = services.start_intake(project=project, by=project.created_by, kind="upload", files=files)
    assert synced.pop() == (tmp_path / "staging" / str(batch.pk), 2, 0, 0)
    do(job)
    assert synced.pop() == (tmp_path / "photos", 2 * (1 + len(storage.VARIANTS)), 1, 0)
    packed = upload("a.zip", zip_of({"a.jpg": PHOTO}))
    batch, _job = services.start_intake(project=project, by=project.created_by, kind="zip", zip=packed)
    assert synced == [(tmp_path / "staging" / str(batch.pk), 1, 1, 2)]


def test_the_whole_disk_can_be_synced_and_a_failure_is_told(tmp_path: Path) -> None:
    sync_disk = runpy.run_path(str(Path(on_disk.__file__)))[
        "sync_disk"
    ]  # the suite has put nothing in its place here
    sync_disk(tmp_path)
    with pytest.raises(FileNotFoundError):
        sync_disk(tmp_path / "nowhere")


def test_what_is_stored_and_staged_is_nobody_elses_to_read(tmp_path: Path, do: Do) -> None:
    project = make_project()
    _batch, job = services.start_intake(
        project=project, by=project.created_by, kind="upload", files=[upload("a.jpg", PHOTO)]
    )
    _open_to_others(tmp_path / "staging")
    do(job)
    _open_to_others(tmp_path / "photos")


def _open_to_others(folder: Path) -> None:
    paths = [folder, *folder.rglob("*")]
    assert len(paths) > 2
    assert not [path for path in paths if stat.S_IMODE(path.stat().st_mode) & 0o077]
