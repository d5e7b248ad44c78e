"""Listed = in + refused + waiting, whatever a delivery holds: any number of files, any name, any date, any fault."""

from __future__ import annotations

import os
import struct
import unicodedata
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from django.db import DataError, OperationalError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow

from labeling.catalog import photos, services
from labeling.catalog.intake import keeping, listing, taking_in
from labeling.catalog.models import Image, IntakeBatch, IntakeOutcome, Item, Project
from labeling.catalog.selectors import intake_report, open_folders
from labeling.catalog.sources import source as sources
from labeling.jobs.models import Job
from labeling.jobs.progress import Interrupted
from tests.catalog.conftest import upload, zip_of
from tests.factories import make_project, photo_bytes

pytestmark = pytest.mark.django_db
Do = Callable[[Job], Job]
cheap_photo = cache(lambda seed: photo_bytes(seed, size=(40, 40)))
#: Each example is a project of its own in one database.
many = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def outcomes(batch: IntakeBatch) -> dict[str, str]:
    return {file.name: file.reason or file.outcome for file in batch.files.all()}


def take_in(project: Project, **what: Any) -> tuple[IntakeBatch, Job]:
    return services.start_intake(project=project, by=project.created_by, **what)


@given(
    kinds=st.lists(st.sampled_from(["new", "again", "bad", "empty"]), min_size=1, max_size=21),
    listed_at_once=st.integers(1, 5),
    chunk=st.integers(1, 5),
    kind=st.sampled_from(["zip", "folder", "upload"]),
)
@many
def test_any_number_of_files_is_listed_whole(
    do: Do,
    tmp_path_factory: pytest.TempPathFactory,
    settings: Any,
    kinds: list[str],
    listed_at_once: int,
    chunk: int,
    kind: str,
) -> None:
    """Numbers of files around the borders of all chunks, which are small here."""
    content = {
        "new": cheap_photo,
        "again": lambda _n: cheap_photo(0),
        "bad": lambda _n: b"?",
        "empty": lambda _n: b"",
    }
    files = {f"{number}.png": content[each](number) for number, each in enumerate(kinds)}
    project = make_project()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(listing, "LISTED_AT_ONCE", listed_at_once)
        patch.setattr(taking_in, "FIRST_CHUNK", max(1, chunk - 1))
        patch.setattr(taking_in, "CHUNK", chunk)
        batch, job = start(project, kind, files, tmp_path_factory.mktemp("many"), settings)
        assert do(job).state == "succeeded"
    told = intake_report(batch)["counts"]
    assert sorted(batch.files.values_list("name", flat=True)) == sorted(files)
    assert told["added"] + told["duplicate"] + told["refused"] + told["pending"] == len(files)
    assert told["pending"] == 0 and told["refused"] == sum(each in ("bad", "empty") for each in kinds)
    assert (
        told["added"]
        == Item.objects.filter(project=project).count()
        == len({data for data in files.values() if len(data) > 1})
    )


def start(
    project: Project, kind: str, files: dict[str, bytes], folder: Path, settings: Any
) -> tuple[IntakeBatch, Job]:
    if kind == "zip":
        return take_in(project, kind="zip", zip=upload("a.zip", zip_of(files)))
    if kind == "upload":
        return take_in(project, kind="upload", files=[upload(*file) for file in files.items()])
    for name, data in files.items():
        (folder / name).write_bytes(data)
    settings.INTAKE_ROOTS = [folder]
    return take_in(project, kind="folder", folder=folder)


def with_byte(archive: bytes, member: int, at: int, value: int) -> bytes:
    """The archive with a byte of its directory's entry for the ``member``-th file changed."""
    found = -1
    for _ in range(member + 1):
        found = archive.index(b"PK\x01\x02", found + 1)
    return archive[: found + at] + bytes([value]) + archive[found + at + 1 :]


def with_extra(archive: bytes, extra: bytes, *, in_zip64: Sequence[int] = ()) -> bytes:
    """The archive with this extra field in its directory's first entry; what stands at ``in_zip64`` stands in there."""
    at = archive.index(b"PK\x01\x02")
    entry = bytearray(archive[at : at + 46])
    struct.pack_into("<H", entry, 30, len(extra))
    for place in in_zip64:
        entry[place : place + 4] = b"\xff" * 4
    name_ends = at + 46 + struct.unpack_from("<H", entry, 28)[0]
    end = archive.rindex(b"PK\x05\x06")
    (size,) = struct.unpack_from("<I", archive, end + 12)
    directory = bytes(entry) + archive[at + 46 : name_ends] + extra + archive[name_ends:end]
    return (
        archive[:at]
        + directory
        + archive[end : end + 12]
        + struct.pack("<I", size + len(extra))
        + archive[end + 16 :]
    )


PACKED, UNPACKED, PLACE = 20, 24, 42
ODD_MEMBERS: dict[str, Callable[[bytes], bytes]] = {
    "a name of nothing": lambda archive: archive.replace(b"odd.png", b"\0\0\0\0\0\0\0"),
    "a name that begins with nothing": lambda archive: archive.replace(b"odd.png", b"\0dd.png"),
    "a version that is to come": lambda archive: with_byte(archive, 0, 6, 200),
    "a way to pack that is to come": lambda archive: with_byte(archive, 0, 10, 77),
    "an extra field longer than it is": lambda archive: with_extra(archive, b"UT\x09\x00\x01"),
    "zip64 without its numbers": lambda archive: with_extra(
        archive, b"\1\0\0\0", in_zip64=[PACKED, UNPACKED, PLACE]
    ),
    "half a number in zip64": lambda archive: with_extra(archive, b"\1\0\4\0abcd", in_zip64=[UNPACKED]),
    "zip64 that claims a world": lambda archive: with_extra(
        archive, b"\1\0\x08\0" + b"\xff" * 7 + b"\x0f", in_zip64=[UNPACKED]
    ),
    "zip64 that leads nowhere": lambda archive: with_extra(
        archive, b"\1\0\x08\0" + b"\xff" * 7 + b"\x0f", in_zip64=[PLACE]
    ),
    "no zip64 where it should be": lambda archive: with_extra(
        archive, b"", in_zip64=[PACKED, UNPACKED, PLACE]
    ),
}


@pytest.mark.parametrize("change", ODD_MEMBERS.values(), ids=ODD_MEMBERS.keys())
def test_an_odd_member_does_not_stop_the_archive(do: Do, change: Callable[[bytes], bytes]) -> None:
    project = make_project()
    archive = change(zip_of({"odd.png": photo_bytes(1), "good.png": photo_bytes(2)}))
    batch, job = take_in(project, kind="zip", zip=upload("a.zip", archive))
    assert do(job).state == "succeeded"
    assert len(outcomes(batch)) == 2 and outcomes(batch)["good.png"] == IntakeOutcome.ADDED
    assert not batch.files.filter(outcome=IntakeOutcome.PENDING).exists()


@pytest.mark.parametrize("count", [1999, 2000, 2001, 4001])
def test_no_row_is_lost_where_a_portion_of_the_list_ends(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    """The real portions, and no photo: listing alone."""
    project = make_project()
    batch, _job = take_in(project, kind="zip", zip=upload("a.zip", zip_of({"one.png": b"?"})))
    listed = [sources.Listed(f"{number}.png", str(number)) for number in range(count)]
    archive = sources.StagedFiles(Path())
    monkeypatch.setattr(archive, "listing", lambda: iter(listed), raising=False)
    listing.list_once(batch, archive)
    assert batch.files.count() == count
    assert set(batch.files.values_list("name", flat=True)) == {each.name for each in listed}


# ---- one bad item never stops the others


def exif(taken: str, offset: str = "") -> bytes:
    made = Pillow.Exif()
    details = {0x9003: taken} | ({0x9011: offset} if offset else {})
    made[0x8769] = details
    return made.tobytes()


@pytest.mark.parametrize(
    ("taken", "offset"),
    [
        ("9999:12:31 23:59:59", "-12:00"),
        ("9999:12:31 23:59:59", ""),
        ("0001:01:01 00:00:00", "+14:00"),
        ("0001:01:01 00:00:00", ""),
        ("0000:00:00 00:00:00", ""),
        ("2026:02:30 10:00:00", "+09:00"),
        ("2026:01:01 10:00:00", "+99:99"),
    ],
)
def test_a_date_at_the_edge_of_time_is_no_date_and_the_photo_comes_in(
    do: Do, taken: str, offset: str
) -> None:
    odd = photo_bytes(1, format="JPEG", exif=exif(taken, offset))
    batch, job = take_in(
        make_project(), kind="upload", files=[upload("odd.jpg", odd), upload("good.png", photo_bytes(2))]
    )
    assert do(job).state == "succeeded"
    assert outcomes(batch) == {"odd.jpg": "added", "good.png": "added"}
    assert [image.taken_at for image in Image.objects.all()] == [None, None]


@pytest.mark.parametrize(
    "fault",
    [
        {"format": "P\0NG"},
        {"format": "\ud800"},
        {"format": "far too long a format"},
        {"width": 2**40},
        {"size": 2**70},
        {"brightness": "bright"},
        {"taken_at": "yesterday"},
    ],
    ids=lambda fault: next(iter(fault)),
)
def test_a_row_that_the_database_does_not_take_is_refused_and_the_others_come_in(
    do: Do, monkeypatch: pytest.MonkeyPatch, fault: dict[str, Any]
) -> None:
    bad = photo_bytes(1)
    fields = keeping.row_fields

    def row(photo: photos.Photo) -> dict[str, object]:
        return fields(photo) | (fault if photo.size == len(bad) and photo.width == 96 else {})

    monkeypatch.setattr(keeping, "row_fields", row)
    batch, job = take_in(
        make_project(),
        kind="upload",
        files=[
            upload("a.png", photo_bytes(2, size=(50, 50))),
            upload("bad.png", bad),
            upload("bad again.png", bad),
            upload("z.png", photo_bytes(3, size=(60, 60))),
        ],
    )
    job = do(job)
    assert job.state == "succeeded" and job.result == {"added": 2, "duplicate": 0, "refused": 2}
    assert outcomes(batch) == {
        "a.png": "added", "bad.png": "not_stored", "bad again.png": "not_stored", "z.png": "added"
    }  # fmt: skip
    refused = batch.files.filter(outcome=IntakeOutcome.REFUSED)
    assert all("could not be stored" in file.detail for file in refused)


def test_a_database_that_is_away_refuses_no_photo(do: Do, monkeypatch: pytest.MonkeyPatch) -> None:
    batch, job = take_in(make_project(), kind="upload", files=[upload("a.png", photo_bytes(1))])

    def away(*_args: Any, **_fields: Any) -> None:
        raise OperationalError("the connection is lost")

    monkeypatch.setattr(keeping, "add_items", away)
    with pytest.raises(Interrupted):
        do(job)
    assert outcomes(batch) == {"a.png": "pending"}
    monkeypatch.undo()
    assert do(job).result == {"added": 1, "duplicate": 0, "refused": 0}


def test_whatever_reading_a_file_raises_refuses_that_file_alone(
    do: Do, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = sources.StagedFiles.read

    def fails(self: sources.StagedFiles, path: str) -> bytes:
        if path == "000000":
            raise DataError("anything")
        return read(self, path)

    monkeypatch.setattr(sources.StagedFiles, "read", fails)
    batch, job = take_in(
        make_project(),
        kind="upload",
        files=[upload("a.png", photo_bytes(1)), upload("b.png", photo_bytes(2))],
    )
    assert do(job).state == "succeeded"
    assert outcomes(batch) == {"a.png": "unreadable", "b.png": "added"}


# ---- folders


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "open" / "in"
    path.mkdir()
    return path


def test_a_name_that_is_no_utf8_is_kept_readable_and_its_own_file_is_read(do: Do, folder: Path) -> None:
    names = {b"caf\xe9.png": 1, "앞면.png".encode("cp949"): 2, b"\xff\xfe\x80.png": 3, "앞면.png".encode(): 4}
    for raw, seed in names.items():
        (folder / os.fsdecode(raw)).write_bytes(photo_bytes(seed))
    below = folder / os.fsdecode("검사".encode("cp949"))
    below.mkdir()
    (below / "a.png").write_bytes(photo_bytes(5))
    project = make_project()
    batch, job = take_in(project, kind="folder", folder=folder)
    job = do(job)
    assert job.state == "succeeded" and job.result == {"added": 5, "duplicate": 0, "refused": 0}
    told = set(batch.files.values_list("name", flat=True))
    assert {"앞면.png", "검사/a.png"} <= told and all(name.isprintable() for name in told)
    hashes = {item.image.sha256 for item in Item.objects.filter(project=project).select_related("image")}
    assert len(hashes) == 5  # each name led to its own file


@given(raws=st.lists(st.binary(min_size=1, max_size=40), min_size=1, max_size=6, unique=True))
@many
def test_any_name_that_a_disk_can_hold_is_listed(
    do: Do, tmp_path_factory: pytest.TempPathFactory, settings: Any, raws: list[bytes]
) -> None:
    place = tmp_path_factory.mktemp("names")
    settings.INTAKE_ROOTS = [place]
    names = {b"x" + raw.replace(b"/", b"-").replace(b"\0", b"-") for raw in raws}
    for name in names:
        (place / os.fsdecode(name)).write_bytes(b"?")
    batch, job = take_in(make_project(), kind="folder", folder=place)
    assert do(job).state == "succeeded"
    assert batch.files.count() == batch.files.filter(reason="not_an_image").count() == len(names)


def test_a_folder_whose_own_name_is_no_utf8_does_not_break_the_page_of_intakes(tmp_path: Path) -> None:
    (tmp_path / "open" / os.fsdecode(b"caf\xe9")).mkdir()
    (tmp_path / "open" / "march").mkdir()
    assert open_folders() == [str(tmp_path / "open" / "march")]


def test_a_path_that_is_too_long_is_listed_and_refused_with_its_reason(do: Do, folder: Path) -> None:
    deep = folder
    for letter in "abcdefgh":
        deep /= letter * 140
        deep.mkdir()
    (deep / "far.png").write_bytes(photo_bytes(1))
    (deep / "away.png").write_bytes(photo_bytes(1))
    (folder / "near.png").write_bytes(photo_bytes(2))
    batch, job = take_in(make_project(), kind="folder", folder=folder)
    assert do(job).result == {"added": 1, "duplicate": 0, "refused": 2}
    refused = batch.files.filter(reason="path_too_long").order_by("name")
    assert [name[-9:] for name in refused.values_list("name", flat=True)] == ["/away.png", "h/far.png"]
    assert "more than 1,000 characters" in refused[0].detail


def test_folders_that_cannot_be_entered_are_said(
    do: Do, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("closed", "open"):
        (folder / name).mkdir()
        (folder / name / "a.png").write_bytes(photo_bytes(1))
    scandir = os.scandir

    def closed(path: Any) -> Any:  # tests may run as root, whom no mode keeps out
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", closed)
    batch, job = take_in(make_project(), kind="folder", folder=folder)
    do(job)
    assert outcomes(batch) == {"open/a.png": "added", "closed": "folder_unreadable"}


def test_a_file_that_may_not_be_read_is_said_to_be_so(
    do: Do, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "a.png").write_bytes(photo_bytes(1))

    def closed(*_args: Any, **_options: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(sources.os, "open", closed)
    batch, job = take_in(make_project(), kind="folder", folder=folder)
    do(job)
    assert outcomes(batch) == {"a.png": "unreadable"}


def test_links_in_a_circle_end_and_are_said(do: Do, folder: Path) -> None:
    (folder / "a.png").write_bytes(photo_bytes(1))
    (folder / "round").symlink_to(folder)
    (folder / "one.png").symlink_to(folder / "two.png")
    (folder / "two.png").symlink_to(folder / "one.png")
    batch, job = take_in(make_project(), kind="folder", folder=folder)
    do(job)
    assert outcomes(batch) == {
        "a.png": "added", "round": "folder_linked", "one.png": "missing", "two.png": "missing"
    }  # fmt: skip


def test_names_are_composed_wherever_they_come_from(do: Do, folder: Path) -> None:
    decomposed = unicodedata.normalize("NFD", "앞면.png")
    assert decomposed != "앞면.png"
    (folder / decomposed).write_bytes(photo_bytes(1))
    project = make_project()
    for what in (
        {"kind": "folder", "folder": folder},
        {"kind": "zip", "zip": upload("a.zip", zip_of({decomposed: photo_bytes(2)}))},
        {"kind": "upload", "files": [upload(decomposed, photo_bytes(3))]},
    ):
        batch, job = take_in(project, **what)
        do(job)
        assert outcomes(batch) == {"앞면.png": "added"}
    assert set(Item.objects.filter(project=project).values_list("name", flat=True)) == {"앞면.png"}
