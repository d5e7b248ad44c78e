"""An archive of ten times as many photos is written and read in no more memory: what grows with them lies on the disk."""

from __future__ import annotations

import io
import sqlite3
import tracemalloc
import zipfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from labeling.catalog.sources.source import ARCHIVE, Archive, SourceError
from labeling.exchange.formats import zipped as zips
from labeling.exchange.imports.members import Members
from labeling.exchange.imports.package import Package
from labeling.exchange.imports.readers import coco, imagefolder

FEW, MANY = 300, 3_000
#: Bytes a photo; a name alone in Python's memory takes more. Eight are where the member stands in its archive.
MOST = 30


@pytest.fixture(autouse=True)
def on_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """What SQLite holds in memory is not seen below: so its files lie on the disk, without a name."""
    connect = sqlite3.connect

    def checked(path: str, **more: Any) -> sqlite3.Connection:
        assert path == ""
        return connect(path, **more)

    monkeypatch.setattr(sqlite3, "connect", checked)


def grows(use: Callable[[int], object]) -> float:
    """Bytes that each photo adds to the peak."""
    peaks = {}
    for count in (FEW, FEW, MANY):  # the first time what is loaded once counts, too
        tracemalloc.start()
        use(count)
        peaks[count] = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    return (peaks[MANY] - peaks[FEW]) / (MANY - FEW)


def name(number: int) -> str:
    return f"train/functional/IMG_{number:08}-{number:012x}.png"


@pytest.fixture
def archives(tmp_path: Path) -> Callable[[int], Path]:
    for count in (FEW, MANY):
        folder = tmp_path / str(count)
        folder.mkdir()
        with zipfile.ZipFile(folder / ARCHIVE, "w") as file:
            for number in range(count):
                file.writestr(name(number), b"a photo")
    return lambda count: tmp_path / str(count)


def test_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zips, "manifest_of", lambda _written: {})
    written: Any = SimpleNamespace(data_set=SimpleNamespace(created_at=datetime(2026, 11, 30)))

    def write(count: int) -> None:
        for _piece in zips.zipped(written, ((name(number), b"a photo") for number in range(count))):
            pass

    assert grows(write) < MOST


def test_read_with_the_hash_of_each_photo(archives: Callable[[int], Path]) -> None:
    def read(count: int) -> None:
        package = Package(archives(count), "photos.zip")
        assert sum(bool(said.sha256) for said in imagefolder.read(package, {})) == count
        package.close()

    assert grows(read) < MOST


def test_photos_that_are_looked_up_by_their_names(archives: Callable[[int], Path]) -> None:
    def look(count: int) -> None:
        package = Package(archives(count), "photos.zip")
        for number in range(count):
            assert package.photo(name(number).rpartition("/")[2]) == name(number)
        package.close()

    assert grows(look) < MOST


def test_names_are_looked_up_by_indexes() -> None:
    members = Members((name(number), number) for number in range(FEW))
    plan: list[str] = []
    members._database.set_trace_callback(plan.append)
    members.photos_called("IMG_1.png")
    (query,) = plan
    members._database.set_trace_callback(None)
    steps = [row[3] for row in members._database.execute(f"EXPLAIN QUERY PLAN {query}")]
    assert steps and not any(step.startswith("SCAN") for step in steps), steps
    members.close()


def test_a_class_to_each_photo_of_coco_is_joined(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its annotations may come in any order."""

    def items(_package: object, _name: str, prefix: str, count: int) -> Any:
        match prefix:
            case "categories.item":
                return iter([{"id": 1, "name": "functional"}])
            case "annotations.item":
                return ({"image_id": count - number, "category_id": 1} for number in range(count))
        return ({"id": number + 1, "file_name": name(number)} for number in range(count))

    def read(count: int) -> None:
        package: Any = SimpleNamespace(
            items=lambda name, prefix: items(None, name, prefix, count), hash_of=lambda *_a, **_k: ""
        )
        said = coco._read(package, "labels.json")
        assert sum(each.labels == ("functional",) for each in said) == count

    assert grows(read) < MOST


def test_a_directory_that_ends_within_an_entry_is_refused(tmp_path: Path) -> None:
    """The end record behind it must not be taken for the rest of the entry."""
    plain = io.BytesIO()
    with zipfile.ZipFile(plain, "w") as file:
        file.writestr("a.png", b"a photo")
        file.writestr("b.png", b"another")
    data = plain.getvalue()
    second, end = data.rindex(b"PK\x01\x02"), data.rindex(b"PK\x05\x06")
    size = second + 26 - data.index(b"PK\x01\x02")
    record = data[end : end + 12] + size.to_bytes(4, "little") + data[end + 16 :]
    (tmp_path / ARCHIVE).write_bytes(data[: second + 26] + record)
    with pytest.raises(SourceError, match="no whole zip archive"):
        list(Archive(tmp_path).listing())
