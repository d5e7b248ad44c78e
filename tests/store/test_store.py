"""The store's contract, of files and of a bucket alike; and what only copies of a bucket do."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import FileSystemStorage, default_storage

from labeling.store import copies, folders, objects, sums
from labeling.store.folders import BACKBONES, MODELS, STAGING, VECTORS, Damaged, carry_over
from labeling.store.objects import StoreAway
from tests.store.conftest import in_bucket

Machine = Callable[[str], Path]


@pytest.fixture(params=["files", "bucket"])
def store(request: pytest.FixtureRequest, settings: Any, tmp_path: Path, machine: Machine) -> str:
    if request.param == "bucket":
        request.getfixturevalue("bucket")
    else:
        files = {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(tmp_path / "p")},
        }
        settings.STORAGES = {**settings.STORAGES, "default": files}
    machine("a")
    return str(request.param)


def make(area: folders.Area, relative: str, **contents: bytes) -> Path:
    folder = area.root / relative
    folder.mkdir(parents=True)
    for name, data in (contents or {"manifest": b"{}", "head": b"weights"}).items():
        (folder / f"{name}.json").write_bytes(data)
    return folder


def test_a_file_is_what_was_written_also_in_the_place_of_another(store: str) -> None:
    for data in (b"first", b"", b"x" * 3_000_000):
        objects.write("originals/ab/file", data)
        assert objects.read("originals/ab/file") == data
    assert objects.listing("originals")[0] == ["ab"] and objects.listing("originals/ab")[1] == ["file"]
    objects.delete(["originals/ab/file", "originals/never"])
    with pytest.raises(FileNotFoundError):
        objects.read("originals/ab/file")
    assert objects.listing("nowhere") == ([], [])


def test_a_folder_is_found_whole_until_it_is_dropped(store: str) -> None:
    make(MODELS, "solar/one")
    MODELS.put("solar/one")
    MODELS.put("solar/one")
    assert (MODELS.names(), MODELS.names("solar"), MODELS.all()) == ({"solar"}, {"one"}, ["solar/one"])
    assert (MODELS.get("solar/one") / "head.json").read_bytes() == b"weights"
    assert MODELS.is_sound("solar/one") and json.loads((MODELS.get("solar/one") / sums.NAME).read_text())
    MODELS.drop("solar/one")
    assert (
        MODELS.all() == [] and not MODELS.is_sound("solar/one") and not (MODELS.root / "solar/one").exists()
    )


def test_what_is_older_than_sums_opens_unchanged(store: str) -> None:
    folder = make(MODELS, "solar/old")
    if store == "bucket":  # as a copy of such a folder is there
        for file in folder.iterdir():
            objects.write(f"models/solar/old/{file.name}", file.read_bytes())
        shutil.rmtree(folder)
    assert MODELS.is_sound("solar/old") and MODELS.all() == ["solar/old"]
    assert (MODELS.get("solar/old") / "head.json").read_bytes() == b"weights"


def test_damage_in_the_store_is_told(store: str, machine: Machine) -> None:
    make(BACKBONES, "p1")
    BACKBONES.put("p1")
    if store == "files":
        (BACKBONES.root / "p1/head.json").write_bytes(b"weightS")
    else:
        objects.write("backbones/p1/head.json", b"weightS")
    assert not BACKBONES.is_sound("p1")


def test_files_are_stored_once(settings: Any, tmp_path: Path, machine: Machine) -> None:
    machine("a")
    assert isinstance(default_storage, FileSystemStorage)
    folder = make(MODELS, "solar/one")
    MODELS.put("solar/one")
    assert MODELS.get("solar/one") == folder and {each.name for each in folder.iterdir()} == {
        "head.json", "manifest.json", sums.NAME,
    }  # fmt: skip
    assert not default_storage.exists("models/solar/one/head.json")


def test_another_machine_gets_what_one_has_put(bucket: None, machine: Machine) -> None:
    machine("a")
    make(MODELS, "solar/one")
    MODELS.put("solar/one")
    machine("b")
    assert not MODELS.root.exists()
    folder = MODELS.get("solar/one")
    assert folder.is_relative_to(MODELS.root) and (folder / "head.json").read_bytes() == b"weights"
    assert objects.listing("models/solar/one")[1] == ["head.json", "manifest.json", sums.NAME]


def test_a_copy_that_this_machine_damaged_is_fetched_again(bucket: None, machine: Machine) -> None:
    machine("a")
    make(MODELS, "solar/one")
    MODELS.put("solar/one")
    os.truncate(MODELS.get("solar/one") / "head.json", 3)
    assert (MODELS.get("solar/one") / "head.json").read_bytes() == b"weights"


def test_what_is_damaged_in_the_bucket_comes_to_no_machine(bucket: None, machine: Machine) -> None:
    machine("a")
    make(MODELS, "solar/one")
    MODELS.put("solar/one")
    objects.write("models/solar/one/head.json", b"weightS")
    machine("b")
    assert not MODELS.is_sound("solar/one") and not MODELS.heal("solar/one")
    with pytest.raises(Damaged, match=r"models/solar/one is damaged: head\.json"):
        MODELS.get("solar/one")
    assert not list(MODELS.root.glob("*/*")), "nothing half is left"
    machine("a")
    assert MODELS.heal("solar/one"), "a sound copy is here"
    machine("b")
    assert (MODELS.get("solar/one") / "head.json").read_bytes() == b"weights"


def test_a_machine_that_died_while_it_put_left_nothing(bucket: None, machine: Machine) -> None:
    machine("a")
    objects.write("models/solar/one/head.json", b"weights")  # the manifest comes last
    with pytest.raises(FileNotFoundError):
        MODELS.get("solar/one")
    make(MODELS, "solar/one")
    MODELS.put("solar/one")
    assert MODELS.is_sound("solar/one")


def test_what_lay_here_before_the_bucket_was_is_carried_over(bucket: None, machine: Machine) -> None:
    machine("a")
    for area, relative in ((MODELS, "solar/old"), (BACKBONES, "p1"), (VECTORS, "f00/shard-1")):
        (make(area, relative) / area.last).write_bytes(b"whole")
    make(MODELS, "solar/cut", head=b"no manifest came after it")
    make(BACKBONES, ".p1.state")
    make(STAGING, "being-sent")
    assert (carry_over(), carry_over()) == (3, 0)
    machine("b")
    assert (MODELS.get("solar/old") / "head.json").is_file()
    assert (BACKBONES.all(), VECTORS.names("f00"), STAGING.names()) == (["p1"], {"shard-1"}, set())


def test_another_bucket_gets_what_was_copied_from_the_one_before(
    s3: str, machine: Machine, settings: Any
) -> None:
    machine("a")
    for number in range(2):
        settings.STORAGES = {**settings.STORAGES, "default": in_bucket(s3, f"moved-{os.getpid()}-{number}")}
        if number == 0:
            make(MODELS, "solar/one")
            MODELS.put("solar/one")
            assert carry_over() == 0
    assert MODELS.all() == [] and carry_over() == 1
    assert MODELS.all() == ["solar/one"]


def test_only_copies_go_and_the_longest_unused_first(bucket: None, machine: Machine, settings: Any) -> None:
    machine("a")
    for number in range(3):
        make(MODELS, f"solar/{number}", manifest=b"{}", head=b"x" * 1000)
        MODELS.put(f"solar/{number}")
        at = time.time() - 10_000 - number
        os.utime(MODELS.root / f"solar/{number}" / ".stored", (at, at))
    make(MODELS, "solar/own", head=b"x" * 5000)
    settings.CACHE_BYTES = 2500
    copies.trim([(MODELS.root, 2)])
    assert MODELS.here("solar") == {"0", "1", "own"}
    assert (MODELS.get("solar/2") / "head.json").is_file(), "it is in the store as ever"
    assert MODELS.here("solar") == {"0", "2", "own"} or MODELS.here("solar") == {"0", "1", "2", "own"}


def test_what_is_staged_leaves_the_machine_that_took_it(bucket: None, machine: Machine) -> None:
    machine("a")
    make(STAGING, "batch")
    STAGING.hand_over("batch")
    assert not (STAGING.root / "batch").exists() and sums.NAME not in objects.listing("staging/batch")[1]
    machine("b")
    assert (STAGING.get("batch") / "head.json").read_bytes() == b"weights"
    machine("a")
    STAGING.drop("batch")
    machine("b")
    carry_over()
    assert not STAGING.here() and not STAGING.names()


def test_a_store_that_refuses_has_lost_nothing(bucket: None, settings: Any, machine: Machine) -> None:
    there = settings.STORAGES["default"]
    gone = {**there, "OPTIONS": {**there["OPTIONS"], "bucket_name": "never-made"}}
    settings.STORAGES = {**settings.STORAGES, "default": gone}
    machine("a")
    for ask in (lambda: objects.read("x"), lambda: objects.write("x", b""), lambda: MODELS.get("solar/one")):
        with pytest.raises(StoreAway):
            ask()


def test_what_is_next_is_asked_for_ahead_and_told_in_order(bucket: None) -> None:
    asked: list[int] = []

    def ask(number: int) -> int:
        asked.append(number)
        return number * number

    results = objects.ahead(ask, range(50))
    assert next(results) == 0
    assert len(asked) <= objects.AT_ONCE, "no more than are read from the bucket at once"
    assert list(results) == [number * number for number in range(1, 50)]
