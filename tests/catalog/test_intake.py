"""Photos come in as a job: from uploads, a zip, or a folder; resumable, and each refusal with its reason."""

from __future__ import annotations

import io
import random
import struct
import threading
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from PIL import Image as Pillow
from pytest_django import Settings

from inference.photo import Levels
from labeling.catalog import events, photos, services, storage
from labeling.catalog.images import add_image, add_items
from labeling.catalog.intake import taking_in
from labeling.catalog.models import Activity, Image, IntakeBatch, IntakeFile, Item, Project
from labeling.catalog.selectors import intake_report
from labeling.jobs.models import Job
from labeling.refusals import Refused
from tests.catalog.conftest import upload, zip_of
from tests.factories import make_items, make_project, photo_bytes

pytestmark = pytest.mark.django_db
Do = Callable[[Job], Job]


def outcomes(batch: IntakeBatch) -> dict[str, str]:
    return {file.name: file.reason or file.outcome for file in batch.files.all()}


def send(project: Project, *files: tuple[str, bytes]) -> tuple[IntakeBatch, Job]:
    return services.start_intake(
        project=project, by=project.created_by, kind="upload", files=[upload(*file) for file in files]
    )


def send_zip(project: Project, data: bytes) -> tuple[IntakeBatch, Job]:
    return services.start_intake(
        project=project, by=project.created_by, kind="zip", zip=upload("march.zip", data)
    )


def send_folder(project: Project, folder: str | Path) -> tuple[IntakeBatch, Job]:
    return services.start_intake(project=project, by=project.created_by, kind="folder", folder=folder)


# ---- what comes in


def test_uploads_become_items_of_the_project(do: Do) -> None:
    project = make_project()
    _batch, job = send(project, ("a.png", photo_bytes(1)), ("b.jpg", photo_bytes(2, format="JPEG")))
    assert not Item.objects.exists()  # nothing is decoded in the request
    job = do(job)
    assert job.state == "succeeded" and job.result == {"added": 2, "duplicate": 0, "refused": 0}
    assert (job.done, job.total) == (2, 2)
    assert sorted(Item.objects.filter(project=project).values_list("name", flat=True)) == ["a.png", "b.jpg"]
    image = Item.objects.get(name="b.jpg").image
    assert storage.original(image) == photo_bytes(2, format="JPEG")
    assert storage.rendition(image, "thumb")[8:12] == b"WEBP"


def test_the_same_bytes_twice_are_one_image_shared_by_two_projects(do: Do) -> None:
    one, two = make_project(), make_project()
    do(send(one, ("a.png", photo_bytes(1)))[1])
    job = do(send(two, ("other name.png", photo_bytes(1)))[1])
    assert job.result == {"added": 1, "duplicate": 0, "refused": 0}
    assert Image.objects.count() == 1
    assert set(Item.objects.values_list("project", flat=True)) == {one.pk, two.pk}


def test_the_same_bytes_twice_in_a_project_are_a_duplicate(do: Do) -> None:
    project = make_project()
    batch, job = send(project, ("a.png", photo_bytes(1)), ("copy of a.png", photo_bytes(1)))
    assert do(job).result == {"added": 1, "duplicate": 1, "refused": 0}
    assert outcomes(batch) == {"a.png": "added", "copy of a.png": "duplicate"}
    _again, job = send(project, ("a.png", photo_bytes(1)))
    assert do(job).result == {"added": 0, "duplicate": 1, "refused": 0}
    assert Item.objects.count() == 1


def test_a_bad_file_sent_twice_is_refused_twice(do: Do) -> None:
    batch, job = send(
        make_project(), ("a.png", b"no photo"), ("b.png", b"no photo"), ("c.png", photo_bytes(1))
    )
    do(job)
    assert outcomes(batch) == {"a.png": "not_an_image", "b.png": "not_an_image", "c.png": "added"}


def test_each_refused_file_is_listed_with_its_reason_and_what_to_do(do: Do, settings: Settings) -> None:
    settings.INTAKE_MAX_BYTES = 200_000
    settings.INTAKE_MAX_PIXELS = 100_000
    frames = io.BytesIO()
    Pillow.new("RGB", (9, 9)).save(
        frames, "GIF", save_all=True, append_images=[Pillow.new("RGB", (9, 9), "red")]
    )
    whole = photo_bytes(1, format="JPEG")
    batch, job = send(
        make_project(),
        ("fine.jpg", whole),
        ("notes.txt", b"bring milk"),
        ("half.jpg", whole[: len(whole) // 2]),
        ("heavy.bmp", photo_bytes(2, size=(400, 300), format="BMP")),
        ("wide.jpg", photo_bytes(3, size=(400, 300), format="JPEG", quality=20)),
        ("moving.gif", frames.getvalue()),
        ("nothing.png", b""),
        ("dot.png", photo_bytes(4, size=(1, 1))),
        ("still.gif", photo_bytes(5, format="GIF")),
        ("phone.heic", b"\x00\x00\x00\x18ftypheic" + b"\x00" * 64),
    )
    do(job)
    assert outcomes(batch) == {
        "fine.jpg": "added",
        "notes.txt": "not_an_image",
        "half.jpg": "truncated",
        "heavy.bmp": "too_large",
        "wide.jpg": "too_many_pixels",
        "moving.gif": "animated",
        "nothing.png": "empty",
        "dot.png": "too_small",
        "still.gif": "gif",
        "phone.heic": "truncated",
    }
    report = intake_report(batch)
    assert report["counts"]["refused"] == 9 and report["state"] == "finished"
    assert all(file.detail for file in report["refused"])


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
def test_a_photo_with_unreadable_exif_is_refused(do: Do) -> None:
    batch, job = send(make_project(), ("a.jpg", photo_bytes(1, format="JPEG", exif=b"Exif\x00\x00??")))
    do(job)
    assert outcomes(batch) == {"a.jpg": "bad_exif"}


def test_the_staging_area_is_gone_at_the_end(do: Do, settings: Settings) -> None:
    _batch, job = send(make_project(), ("a.png", photo_bytes(1)))
    assert list(Path(settings.STAGING_DIR).iterdir())
    do(job)
    assert not list(Path(settings.STAGING_DIR).iterdir())


def test_upper_rooms_are_told_of_each_new_item_once(do: Do) -> None:
    told: Counter[int] = Counter()

    def hear(sender: Any, project: Project, item_ids: list[int], **kwargs: Any) -> None:
        told.update(item_ids)

    events.items_added.connect(hear)
    try:
        project = make_project()
        do(send(project, *((f"{n}.png", photo_bytes(n)) for n in range(30)))[1])
        do(send(project, *((f"{n}.png", photo_bytes(n)) for n in range(32)))[1])
    finally:
        events.items_added.disconnect(hear)
    assert told == Counter(Item.objects.values_list("pk", flat=True)) and len(told) == 32


# ---- crashes, cancels


def test_an_intake_killed_in_its_midst_goes_on_where_it_was(do: Do, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(taking_in, "FIRST_CHUNK", 3)
    monkeypatch.setattr(taking_in, "CHUNK", 4)
    project = make_project()
    batch, job = send(project, *((f"{n}.png", photo_bytes(n)) for n in range(12)))

    class Killed(BaseException):
        """As abrupt as kill -9: no handler of ours sees it."""

    settle, calls = taking_in.settle, 0

    def killed_in_the_second_chunk(*args: Any) -> int:
        nonlocal calls
        calls += 1
        if calls == 2:  # its photos are in the storage, its rows are not written
            raise Killed
        return settle(*args)

    monkeypatch.setattr(taking_in, "settle", killed_in_the_second_chunk)
    with pytest.raises(Killed):
        do(job)
    job.refresh_from_db()
    assert job.state == "running" and Item.objects.count() == 3
    assert batch.files.filter(outcome="pending").count() == 9

    monkeypatch.setattr(taking_in, "settle", settle)
    job = do(job)
    assert job.state == "succeeded" and job.result == {"added": 12, "duplicate": 0, "refused": 0}
    assert Item.objects.count() == Image.objects.count() == 12
    assert do(job).result == job.result  # a job that ended stays ended


def test_a_finished_intake_run_again_changes_nothing(do: Do) -> None:
    _batch, job = send(make_project(), ("a.png", photo_bytes(1)), ("b.png", b"?"))
    do(job)
    Job.objects.filter(pk=job.pk).update(state="running")  # died after its last chunk, before it could say so
    job = do(job)
    assert job.state == "succeeded" and job.result == {"added": 1, "duplicate": 0, "refused": 1}
    assert Item.objects.count() == 1


def test_a_zip_killed_while_it_is_listed_is_listed_again(do: Do, monkeypatch: pytest.MonkeyPatch) -> None:
    batch, job = send_zip(make_project(), zip_of({f"{n}.png": photo_bytes(n) for n in range(3)}))

    class Killed(BaseException): ...

    create = IntakeFile.objects.bulk_create

    def killed(rows: list[IntakeFile], **kwargs: Any) -> None:
        create(rows, **kwargs)
        raise Killed

    monkeypatch.setattr(type(IntakeFile.objects), "bulk_create", lambda self, rows, **kwargs: killed(rows))
    with pytest.raises(Killed):
        do(job)
    monkeypatch.undo()
    assert not batch.files.exists()
    assert do(job).result == {"added": 3, "duplicate": 0, "refused": 0}


def test_cancelling_keeps_what_came_in_and_the_rest_can_be_resumed(
    do: Do, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(taking_in, "FIRST_CHUNK", 2)
    monkeypatch.setattr(taking_in, "CHUNK", 2)
    project = make_project()
    batch, job = send(project, *((f"{n}.png", photo_bytes(n)) for n in range(7)))
    settle = taking_in.settle

    def cancelled_meanwhile(*args: Any) -> int:
        done = settle(*args)
        Job.objects.filter(pk=job.pk).update(cancel_requested_at=timezone.now())
        return done

    monkeypatch.setattr(taking_in, "settle", cancelled_meanwhile)
    assert do(job).state == "cancelled"
    monkeypatch.undo()
    assert Item.objects.filter(project=project).count() == 2
    assert intake_report(batch)["state"] == "stopped"

    again = services.resume_intake(batch=batch, by=project.created_by)
    assert do(again).result == {"added": 7, "duplicate": 0, "refused": 0}
    assert intake_report(batch)["state"] == "finished"
    with pytest.raises(Refused) as caught:
        services.resume_intake(batch=batch, by=project.created_by)
    assert caught.value.code == "nothing_left"


def test_a_queued_intake_that_is_cancelled_can_be_given_up(do: Do, settings: Settings) -> None:
    project = make_project()
    batch, job = send(project, ("a.png", photo_bytes(1)))
    with pytest.raises(Refused) as caught:
        services.discard_rest(batch=batch, by=project.created_by)
    assert caught.value.code == "still_running"
    services.cancel_intake(batch=batch, by=project.created_by)
    assert do(job).state == "cancelled" and not Item.objects.exists()
    assert services.discard_rest(batch=batch, by=project.created_by) == 1
    assert outcomes(batch) == {"a.png": "discarded"}
    with pytest.raises(Refused):
        services.cancel_intake(batch=batch, by=project.created_by)


def test_a_photo_that_makes_a_decoder_fail_stops_only_itself(do: Do, monkeypatch: pytest.MonkeyPatch) -> None:
    bad = photo_bytes(1)
    examine = photos.examine

    def fails(data: bytes, levels: Levels) -> Any:
        if data == bad:
            raise ZeroDivisionError
        return examine(data, levels)

    monkeypatch.setattr(photos, "examine", fails)
    batch, job = send(make_project(), ("bad.png", bad), ("good.png", photo_bytes(2)))
    do(job)
    assert outcomes(batch) == {"bad.png": "truncated", "good.png": "added"}


# ---- zip


def test_a_zip_comes_in_without_folders_and_clutter(do: Do) -> None:
    batch, job = send_zip(
        make_project(),
        zip_of(
            {
                "march/": b"",
                "march/a.png": photo_bytes(1),
                "march/deep/a.png": photo_bytes(2),
                "march/.DS_Store": b"x",
                "__MACOSX/march/._a.png": b"x",
                ".hidden/b.png": photo_bytes(3),
                "march/Thumbs.db": b"x",
            }
        ),
    )
    assert not batch.files.exists()  # listed in the job, not in the request
    do(job)
    assert outcomes(batch) == {"march/a.png": "added", "march/deep/a.png": "added"}
    assert set(Item.objects.values_list("source", flat=True)) == {"march.zip"}


@pytest.mark.parametrize(
    "name", ["../../etc/passwd.png", "/abs.png", "C:\\windows\\a.png", "a/../../b.png", "..\\..\\c.png"]
)
def test_a_zip_member_whose_path_leaves_the_archive_is_refused(do: Do, tmp_path: Path, name: str) -> None:
    batch, job = send_zip(make_project(), zip_of({name: photo_bytes(1), "good.png": photo_bytes(2)}))
    do(job)
    assert sorted(outcomes(batch).values()) == ["added", "unsafe_path"]
    written = {path for path in tmp_path.rglob("*") if path.is_file()}
    assert all(path.is_relative_to(tmp_path / "photos") for path in written)


def test_a_zip_member_that_is_a_link_is_refused(do: Do) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        link = zipfile.ZipInfo("link.png")
        link.create_system = 3
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
        archive.writestr("good.png", photo_bytes(1))
    batch, job = send_zip(make_project(), buffer.getvalue())
    do(job)
    assert outcomes(batch) == {"link.png": "unsafe_path", "good.png": "added"}


def test_an_encrypted_zip_member_is_refused(do: Do) -> None:
    data = bytearray(zip_of({"secret.png": photo_bytes(1)}, compression=zipfile.ZIP_STORED))
    directory = data.rindex(b"PK\x01\x02")
    for at in (6, directory + 8):  # the flags, in the local header and in the directory
        (flags,) = struct.unpack_from("<H", data, at)
        struct.pack_into("<H", data, at, flags | 1)
    batch, job = send_zip(make_project(), bytes(data))
    do(job)
    assert outcomes(batch) == {"secret.png": "encrypted"}


def test_a_zip_bomb_is_refused_without_being_unpacked(do: Do, settings: Settings) -> None:
    settings.INTAKE_MAX_BYTES = 100_000
    batch, job = send_zip(make_project(), zip_of({"bomb.png": bytes(30_000_000), "a.png": photo_bytes(1)}))
    do(job)
    assert outcomes(batch) == {"bomb.png": "too_large", "a.png": "added"}


def test_a_zip_member_that_lies_about_its_size_is_read_no_further_than_it_said(
    do: Do, settings: Settings
) -> None:
    settings.INTAKE_MAX_BYTES = 100_000
    data = bytearray(zip_of({"liar.png": bytes(30_000_000)}))
    directory = data.rindex(b"PK\x01\x02")
    for at in (22, directory + 24):  # the unpacked size, in the local header and in the directory
        struct.pack_into("<I", data, at, 1000)
    batch, job = send_zip(make_project(), bytes(data))
    do(job)
    assert outcomes(batch) == {"liar.png": "truncated"}


def test_a_zip_with_too_many_members_or_too_much_in_it_is_refused_whole(do: Do, settings: Settings) -> None:
    settings.INTAKE_MAX_ZIP_MEMBERS = 2
    batch, job = send_zip(make_project(), zip_of({f"{n}.png": b"x" for n in range(3)}))
    job = do(job)
    assert job.state == "failed" and "more than 2 files" in job.error and not batch.files.exists()
    settings.INTAKE_MAX_ZIP_MEMBERS = 10
    settings.INTAKE_MAX_ZIP_BYTES = 1000
    batch, job = send_zip(make_project(), zip_of({"a.png": bytes(2000)}))
    job = do(job)
    assert job.state == "failed" and "unpacks to more" in job.error
    assert not list(Path(settings.STAGING_DIR).iterdir())


def test_a_damaged_zip_member_is_refused_and_the_others_come_in(do: Do) -> None:
    data = bytearray(
        zip_of({"a.png": photo_bytes(1), "b.png": photo_bytes(2)}, compression=zipfile.ZIP_STORED)
    )
    data[200] ^= 0xFF
    batch, job = send_zip(make_project(), bytes(data))
    do(job)
    assert outcomes(batch) == {"a.png": "truncated", "b.png": "added"}


def test_a_file_that_is_no_zip_is_refused_at_once(settings: Settings) -> None:
    with pytest.raises(Refused) as caught:
        send_zip(make_project(), b"PK but not really")
    assert caught.value.code == "not_a_zip" and caught.value.status == 422
    assert not IntakeBatch.objects.exists() and not list(Path(settings.STAGING_DIR).iterdir())


def test_an_empty_zip_fails_and_says_so(do: Do) -> None:
    job = do(send_zip(make_project(), zip_of({".DS_Store": b"x"}))[1])
    assert job.state == "failed" and "no files" in job.error


# ---- folders


def test_a_folder_below_an_intake_root_comes_in(do: Do, tmp_path: Path) -> None:
    folder = tmp_path / "open" / "line 2"
    (folder / "deep").mkdir(parents=True)
    (folder / "a.png").write_bytes(photo_bytes(1))
    (folder / "deep" / "b.png").write_bytes(photo_bytes(2))
    (folder / ".hidden.png").write_bytes(photo_bytes(3))
    batch, job = send_folder(make_project(), folder)
    assert batch.source == "line 2"
    do(job)
    assert outcomes(batch) == {"a.png": "added", "deep/b.png": "added"}
    assert (folder / "a.png").exists()  # the source is left as it was


def test_a_folder_may_be_named_from_the_root(do: Do, tmp_path: Path) -> None:
    (tmp_path / "open" / "x").mkdir()
    (tmp_path / "open" / "x" / "a.png").write_bytes(photo_bytes(1))
    assert do(send_folder(make_project(), "x")[1]).result == {"added": 1, "duplicate": 0, "refused": 0}


@pytest.mark.parametrize("folder", ["/etc", "../..", "{root}/../secret", "{root}/link", "{root}2"])
def test_a_folder_outside_the_intake_roots_is_refused(tmp_path: Path, folder: str) -> None:
    (tmp_path / "secret").mkdir()
    (tmp_path / "open2").mkdir()
    (tmp_path / "open" / "link").symlink_to(tmp_path / "secret")
    with pytest.raises(Refused) as caught:
        send_folder(make_project(), folder.format(root=tmp_path / "open"))
    assert caught.value.code == "folder_not_open"


def test_a_link_in_a_folder_that_leaves_the_roots_is_refused(do: Do, tmp_path: Path) -> None:
    (tmp_path / "secret.png").write_bytes(photo_bytes(1))
    folder = tmp_path / "open" / "in"
    folder.mkdir()
    (folder / "link.png").symlink_to(tmp_path / "secret.png")
    (folder / "gone.png").symlink_to(tmp_path / "open" / "nowhere.png")
    batch, job = send_folder(make_project(), folder)
    do(job)
    assert outcomes(batch) == {"link.png": "unsafe_path", "gone.png": "missing"}


@pytest.mark.parametrize(
    ("folder", "code"), [("", "nothing_sent"), ("nowhere", "no_such_folder"), (None, "nothing_sent")]
)
def test_a_folder_that_is_not_there_is_refused(folder: str | None, code: str) -> None:
    project = make_project()
    with pytest.raises(Refused) as caught:
        services.start_intake(project=project, by=project.created_by, kind="folder", folder=folder)
    assert caught.value.code == code and caught.value.status == 422


def test_sending_nothing_is_refused() -> None:
    project = make_project()
    for kind in ("upload", "zip"):
        with pytest.raises(Refused) as caught:
            services.start_intake(project=project, by=project.created_by, kind=kind)
        assert caught.value.code == "nothing_sent"
    with pytest.raises(Refused):
        services.start_intake(project=project, by=project.created_by, kind="fax")


# ---- cost, and what is written down


def queries_to_add(project: Project, start: int) -> int:
    images = [(add_image(data=photo_bytes(start + n))[0], f"{n}.png") for n in range(20)]
    with CaptureQueriesContext(connection) as captured:
        added = add_items(project=project, images=images, source="s")
    assert len(added) == 20
    return len(captured)


def test_adding_items_takes_as_many_queries_in_a_full_project_as_in_a_small_one() -> None:
    project = make_project()
    queries_to_add(project, 0)  # the very first photos make upper rooms set things up
    in_a_small_one = queries_to_add(project, 1000)
    make_items(project, 500)
    assert queries_to_add(project, 2000) == in_a_small_one


def test_photos_of_a_chunk_keep_the_order_in_which_they_were_handed_in(do: Do) -> None:
    do(send(make_project(), *((f"{n:02}.png", photo_bytes(n)) for n in range(15)))[1])
    assert list(Item.objects.order_by("id").values_list("name", flat=True)) == [
        f"{n:02}.png" for n in range(15)
    ]


@pytest.mark.django_db(transaction=True)
def test_two_intakes_with_the_same_photos_at_once_add_each_photo_once() -> None:
    project = make_project()
    images = [(add_image(data=photo_bytes(n))[0], f"{n}.png") for n in range(60)]
    at_once = threading.Barrier(4)
    added: list[int] = []

    def add(order: int) -> None:
        try:
            at_once.wait()
            shuffled = random.Random(order).sample(images, len(images))
            added.extend(item.pk for item in add_items(project=project, images=shuffled, source="s"))
        finally:
            connection.close()

    threads = [threading.Thread(target=add, args=(order,)) for order in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(added) == 60 and sorted(added) == sorted(Item.objects.values_list("pk", flat=True))


def test_adding_an_image_twice_says_that_it_is_known() -> None:
    image, created = add_image(data=photo_bytes(5))
    again, created_again = add_image(data=photo_bytes(5))
    assert (created, created_again) == (True, False) and image == again
    assert (image.width, image.height, image.format, image.size) == (96, 80, "PNG", len(photo_bytes(5)))


def test_adding_bytes_that_are_no_photo_is_refused_and_leaves_nothing() -> None:
    with pytest.raises(Refused) as caught:
        add_image(data=b"nothing of the kind")
    assert caught.value.code == "not_an_image" and caught.value.status == 422
    assert not Image.objects.exists()


def test_the_diary_tells_of_start_and_end(do: Do) -> None:
    project = make_project()
    do(send(project, ("a.png", photo_bytes(1)))[1])
    kinds = list(Activity.objects.filter(project=project).order_by("id").values_list("kind", flat=True))
    assert kinds == ["intake_started", "intake_finished"]
