"""A program that sends a new photo to be decided hears whether it came in, and if not, why: it never asks for ever."""

from __future__ import annotations

import hashlib
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from pytest_django import Settings

import labeling.catalog.tasks  # noqa: F401 - registers the handler, as a worker does
from labeling.catalog.models import IntakeBatch, IntakeFile
from labeling.catalog.services import cancel_intake, start_intake
from labeling.jobs import runner
from labeling.jobs.models import Job
from tests.factories import photo_bytes
from tests.gateway.conftest import World


@pytest.fixture(autouse=True)
def own_staging(tmp_path: Path, settings: Settings) -> None:
    settings.STAGING_DIR = tmp_path / "staging"
    settings.INTAKE_ROOTS = [tmp_path]


def send(world: World, data: bytes, name: str = "new.jpg") -> Any:
    return world.client("admin").post(world.api("/decide"), {"photo": SimpleUploadedFile(name, data)})


def ask(world: World, data: bytes) -> Any:
    body = {"sha256": hashlib.sha256(data).hexdigest()}
    return world.client("admin").post(world.api("/decide"), body, content_type="application/json")


def work() -> None:
    for job in Job.objects.live().filter(kind="intake"):
        runner.run(job.pk)


def huge_png() -> bytes:
    """A PNG of 60 000 x 60 000 pixels by its header; nobody should decode it."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


@pytest.mark.parametrize(
    ("data", "code"),
    [(b"bring milk", "not_an_image"), (huge_png(), "too_many_pixels"), (photo_bytes(5, format="GIF"), "gif")],
)
def test_what_its_first_bytes_show_to_be_no_photo_is_refused_at_once(
    world: World, data: bytes, code: str
) -> None:
    before = IntakeBatch.objects.count()
    answer = send(world, data)
    assert answer.status_code == 422 and answer.json()["error"]["code"] == code
    assert IntakeBatch.objects.count() == before


def test_a_file_beyond_the_bound_is_refused_at_once(world: World, settings: Settings) -> None:
    settings.INTAKE_MAX_BYTES = 100
    answer = send(world, photo_bytes(77))
    assert answer.status_code == 413 and answer.json()["error"]["code"] == "too_large"


def test_a_photo_that_turns_out_cut_off_is_refused_when_it_is_asked_for_and_when_it_is_sent_again(
    world: World,
) -> None:
    whole = photo_bytes(78, size=(300, 300), format="JPEG")
    half = whole[: len(whole) // 2]
    assert send(world, half).status_code == 202
    on_its_way = ask(world, half)
    assert (on_its_way.status_code, on_its_way.json()["reason"]) == (202, "new")
    batches = IntakeBatch.objects.count()
    assert send(world, half).status_code == 202 and IntakeBatch.objects.count() == batches, "once is enough"
    work()
    for again in (ask, send):
        answer = again(world, half)
        assert answer.status_code == 422 and answer.json()["error"]["code"] == "truncated"


def test_a_photo_that_came_in_is_answered_and_one_that_nobody_sent_is_not_found(world: World) -> None:
    data = photo_bytes(79)
    assert ask(world, data).status_code == 404
    assert send(world, data).json()["reason"] == "new"
    work()
    for again in (ask, send):
        answer = again(world, data)
        assert (answer.status_code, answer.json()["by"]) == (200, "queue")
        assert answer.json()["reason"] != "new"


def test_an_intake_that_was_cancelled_is_told_and_the_photo_can_be_sent_again(world: World) -> None:
    data = photo_bytes(80)
    send(world, data)
    batch = IntakeFile.objects.get(sha256=hashlib.sha256(data).hexdigest()).batch
    cancel_intake(batch=batch, by=world.admin)
    answer = ask(world, data)
    assert answer.status_code == 409 and answer.json()["error"]["code"] == "intake_stopped"
    assert send(world, data).status_code == 202 and ask(world, data).status_code == 202


def test_a_file_of_a_folder_that_was_refused_is_told_by_its_hash(world: World, tmp_path: Path) -> None:
    folder = tmp_path / "march"
    folder.mkdir()
    (folder / "notes.txt").write_bytes(b"bring bread")
    start_intake(project=world.project, by=world.admin, kind="folder", folder=folder)
    work()
    answer = ask(world, b"bring bread")
    assert answer.status_code == 422 and answer.json()["error"]["code"] == "not_an_image"
