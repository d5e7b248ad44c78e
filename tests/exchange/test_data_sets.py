"""A data set comes out whole in every format, the same each time, and says what it leaves out."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import Any

import pyarrow.parquet as pq
import pytest
from django.core.files.storage import default_storage

from labeling.catalog import storage
from labeling.catalog.metadata import values as metadata
from labeling.catalog.models import Item, Project
from labeling.exchange.format import SAYS
from labeling.exchange.formats import FORMATS
from labeling.exchange.models import DataSet
from labeling.exchange.selectors import file_of, manifest
from labeling.exchange.services import make_data_set
from labeling.refusals import Refused
from labeling.truth.models import GroundTruth, Origin
from tests.exchange.conftest import NAMES, settle
from tests.factories import make_items

#: (class, split) of a photo by the SHA-256 of its bytes.
Found = dict[str, tuple[str, str]]


def made(project: Project, format: str = "csv", **asked: Any) -> DataSet:
    return make_data_set(project=project, by=project.created_by, format=format, **asked)


def written(data_set: DataSet) -> bytes:
    return b"".join(file_of(data_set))


def expected(data_set: DataSet) -> Found:
    return {
        row["sha256"]: (row["class"], row["split"])
        for row in map(json.loads, written(made_as(data_set, "jsonl")).splitlines())
    }


def made_as(data_set: DataSet, format: str) -> DataSet:
    """The same recipe in another format."""
    fields = ("validation", "test", "together", "value", "seed", "promise")
    return made(data_set.project, format, **{name: getattr(data_set, name) for name in fields})


# Readers by what the formats' own documentation says of them, without our code.


def _from_csv(data: bytes) -> Found:
    import csv

    rows = csv.DictReader(io.StringIO(data.decode("utf-8-sig")))
    return {row["sha256"]: (row["class"], row["split"]) for row in rows}


def _from_jsonl(data: bytes) -> Found:
    return {row["sha256"]: (row["class"], row["split"]) for row in map(json.loads, data.splitlines())}


def _from_parquet(data: bytes) -> Found:
    rows = pq.read_table(io.BytesIO(data)).to_pylist()
    return {row["sha256"]: (row["class"], row["split"]) for row in rows}


def _from_imagefolder(data: bytes) -> Found:
    found = {}
    for path, photo in _photos(data):
        split, label, _name = path.parts
        found[_hash(photo)] = (label, {"val": "validation"}.get(split, split))
    return found


def _from_huggingface(data: bytes) -> Found:
    photos = {str(path): photo for path, photo in _photos(data)}
    found = {}
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        for name in file.namelist():
            if name.endswith("metadata.jsonl"):
                split = name.split("/")[0]
                for row in map(json.loads, file.read(name).splitlines()):
                    found[_hash(photos.pop(f"{split}/{row['file_name']}"))] = (row["class"], split)
    assert not photos
    return found


def _from_coco(data: bytes) -> Found:
    photos = {str(path): photo for path, photo in _photos(data)}
    found = {}
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        for name in (each for each in file.namelist() if each.startswith("annotations/")):
            split = name.removeprefix("annotations/labels_").removesuffix(".json")
            said = json.loads(file.read(name))
            names = {each["id"]: each["name"] for each in said["categories"]}
            labels = {each["image_id"]: names[each["category_id"]] for each in said["annotations"]}
            for image in said["images"]:
                photo = photos.pop(f"images/{split}/{image['file_name']}")
                assert (image["width"], image["height"]) == (96, 80)
                found[_hash(photo)] = (labels[image["id"]], split)
    assert not photos
    return found


def _from_label_studio(data: bytes) -> Found:
    photos = {str(path): photo for path, photo in _photos(data)}
    found = {}
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        for task in json.loads(file.read("tasks.json")):
            (annotation,) = task["annotations"]
            (result,) = annotation["result"]
            photo = photos.pop(task["data"]["image"].removeprefix("/data/local-files/?d="))
            found[_hash(photo)] = (result["value"]["choices"][0], task["data"]["split"])
    assert not photos
    return found


READERS: dict[str, Callable[[bytes], Found]] = {
    "csv": _from_csv,
    "jsonl": _from_jsonl,
    "parquet": _from_parquet,
    "imagefolder": _from_imagefolder,
    "huggingface": _from_huggingface,
    "coco": _from_coco,
    "label-studio": _from_label_studio,
}


def _hash(photo: bytes) -> str:
    return hashlib.sha256(photo).hexdigest()


def _photos(data: bytes) -> list[tuple[PurePosixPath, bytes]]:
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        assert file.testzip() is None
        names = [name for name in file.namelist() if name.lower().endswith((".png", ".jpg", ".webp"))]
        return [(PurePosixPath(name), file.read(name)) for name in names]


def test_every_format_has_a_reader_here() -> None:
    assert set(READERS) == set(FORMATS)


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_holds_every_row_once_and_comes_out_the_same_each_time(
    settled: Project, name: str
) -> None:
    data_set = made(settled, name, validation=30, test=30, seed=1)
    data = written(data_set)
    assert READERS[name](data) == expected(data_set)
    assert len(READERS[name](data)) == len(NAMES)
    assert written(data_set) == data
    said = manifest(data_set)
    assert said["rows"] == len(NAMES)
    assert said["not_carried"] == [each for each in SAYS if each not in FORMATS[name].carries]
    if FORMATS[name].ending == "zip":
        with zipfile.ZipFile(io.BytesIO(data)) as file:
            assert json.loads(file.read("manifest.json")) == json.loads(json.dumps(said))


@pytest.mark.parametrize("name", [name for name, each in FORMATS.items() if each.ending == "zip"])
def test_a_photos_name_leads_nowhere_else(settled: Project, name: str) -> None:
    names = [path for path, _photo in _photos(written(made(settled, name)))]
    assert len(set(names)) == len(NAMES)
    assert not any(".." in path.parts or path.is_absolute() for path in names)
    assert any("앞면" in path.name for path in names)


@pytest.mark.parametrize("name", FORMATS)
def test_a_data_set_without_rows_is_whole_as_well(settled: Project, name: str) -> None:
    data_set = made(settled, name, promise="delivered")
    assert READERS[name](written(data_set)) == {}
    assert manifest(data_set)["rows"] == 0


def test_what_is_settled_afterwards_changes_nothing(settled: Project) -> None:
    data_set = made(settled, "jsonl")
    before, said = written(data_set), manifest(data_set)
    first = GroundTruth.objects.order_by("pk")[0]
    settle(settled, first.item, "functional", supersedes=first, origin=Origin.RULING)
    settle(settled, make_items(settled, 1)[0], "functional")
    assert written(data_set) == before
    assert manifest(data_set) == said
    rows = [json.loads(line) for line in written(made(settled, "jsonl")).splitlines()]
    assert len(rows) == len(NAMES) + 1
    assert [row["class"] for row in rows if row["sha256"] == first.item.image.sha256] == ["functional"]


def test_gold_checks_people_and_is_in_no_data_set(settled: Project) -> None:
    settle(settled, make_items(settled, 1)[0], "functional", origin=Origin.GOLD)
    assert manifest(made(settled))["rows"] == len(NAMES)


def test_a_photo_that_the_storage_lost_is_named_and_the_others_come(settled: Project) -> None:
    lost = Item.objects.filter(project=settled)[2].image.sha256
    default_storage.delete(storage.original_name(lost))
    data = written(made(settled, "coco"))
    assert len(_from_coco(data)) == len(NAMES) - 1
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        assert json.loads(file.read("manifest.json"))["missing_photos"] == [lost]


def test_near_duplicates_and_what_shall_stay_together_are_on_one_side(settled: Project) -> None:
    items = make_items(settled, 300)
    for number, item in enumerate(items):
        item.source = f"car {number // 6}"
        # Every tenth looks like one of the next car, so that both cars stay together.
        item.twins_of = items[number - number % 20].pk if number % 10 == 0 else None
    Item.objects.bulk_update(items, ["source", "twins_of"])
    for item in items:
        settle(settled, item, "functional")
    sides: dict[str, dict[Any, set[str]]] = {}
    # A car of ten has no value of its own.
    known = {each.pk: {"vehicle": each.source} for each in items if not each.source.endswith("7")}
    metadata.put(project=settled, given=known, by=settled.created_by)
    for together in ("photo", "source", "value"):
        value = "vehicle" if together == "value" else ""
        data_set = made(settled, "jsonl", validation=25, test=25, together=together, value=value)
        rows = [json.loads(line) for line in written(data_set).splitlines()]
        split = {row["sha256"]: row["split"] for row in rows}
        assert set(split.values()) == {"train", "validation", "test"}
        for item in items:
            group = sides.setdefault(together, {})
            if item.twins_of:
                group.setdefault(("twins", item.twins_of), set()).add(split[item.image.sha256])
            if together != "value" or item.pk in known:
                group.setdefault(item.source, set()).add(split[item.image.sha256])
    twins = [side for name, side in sides["photo"].items() if isinstance(name, tuple)]
    assert twins
    assert all(len(side) == 1 for side in twins)
    assert all(len(side) == 1 for name in ("source", "value") for side in sides[name].values())
    assert any(len(side) > 1 for name, side in sides["photo"].items() if isinstance(name, str))


def test_a_split_by_metadata_reads_what_was_known_when_it_was_made(settled: Project) -> None:
    items = list(Item.objects.filter(project=settled))
    given = {item.pk: {"vehicle": number % 3} for number, item in enumerate(items)}
    metadata.put(project=settled, given=given, by=settled.created_by)
    data_set = made(settled, "jsonl", validation=30, test=30, together="value", value=" vehicle ")
    before = written(data_set)
    metadata.put(
        project=settled, given={item.pk: {"vehicle": item.name} for item in items}, by=settled.created_by
    )
    assert written(data_set) == before
    assert manifest(data_set)["split"]["value"] == "vehicle"


def _rows(data_set: DataSet) -> dict[str, dict[str, Any]]:
    """Metadata by the photo's SHA-256."""
    data = written(data_set)
    match data_set.format:
        case "csv":
            import csv

            rows: list[dict[str, Any]] = list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"))))
        case "parquet":
            rows = pq.read_table(io.BytesIO(data)).to_pylist()
        case "jsonl":
            rows = [json.loads(line) for line in data.splitlines()]
        case _:
            with zipfile.ZipFile(io.BytesIO(data)) as file:
                rows = [json.loads(line) for line in file.read("train/metadata.jsonl").splitlines()]
    return {row["sha256"]: {name: row[f"metadata.{name}"] for name in ("line", "vehicle")} for row in rows}


@pytest.mark.parametrize("name", ["csv", "jsonl", "parquet", "huggingface"])
def test_metadata_becomes_columns_of_one_type_each_as_it_was_said(settled: Project, name: str) -> None:
    first, second, third, fourth, *_more = Item.objects.filter(project=settled).order_by("pk")
    said: list[dict[int, dict[str, Any]]] = [
        {first.pk: {"line": 1, "vehicle": "=12가"}, second.pk: {"line": 3.5}, third.pk: {"line": 4}},
        {first.pk: {"line": 2}, second.pk: {"vehicle": 7}, third.pk: {"line": None}},
    ]
    for given in said:
        metadata.put(project=settled, given=given, by=settled.created_by)
    data_set = made(settled, name, metadata=[" line ", "vehicle", "line", ""])
    metadata.put(project=settled, given={first.pk: {"line": "late"}}, by=settled.created_by)
    rows = _rows(data_set)
    found = [rows[each.image.sha256] for each in (first, second, third, fourth)]
    nothing = "" if name == "csv" else None
    assert found == [
        {"line": "2", "vehicle": "'=12가"} if name == "csv" else {"line": 2, "vehicle": "=12가"},
        {"line": "3.5" if name == "csv" else 3.5, "vehicle": "7"},
        *[{"line": nothing, "vehicle": nothing}] * 2,
    ]
    assert manifest(data_set)["metadata"] == ["line", "vehicle"]
    assert "metadata" in manifest(made(settled, "imagefolder", metadata=["line"]))["not_carried"]


def test_shares_come_out_near_what_was_asked_and_a_seed_splits_otherwise(settled: Project) -> None:
    for item in make_items(settled, 1000):
        settle(settled, item, "functional")
    rows = [json.loads(line) for line in written(made(settled, "jsonl", validation=10, test=20)).splitlines()]
    counts = Counter(row["split"] for row in rows)
    # Four standard deviations of a binomial share of 1,006.
    assert abs(counts["test"] - 201) < 51
    assert abs(counts["validation"] - 101) < 38
    others = [
        json.loads(line)["split"]
        for line in written(made(settled, "jsonl", validation=10, test=20, seed=7)).splitlines()
    ]
    assert others != [row["split"] for row in rows]


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"format": "voc"}, "format"),
        ({"format": "imagefolder", "pictures": "none"}, "pictures"),
        ({"format": "csv", "validation": 50, "test": 50}, "validation"),
        ({"format": "csv", "together": "value"}, "value"),
    ],
)
def test_what_cannot_be_written_is_refused_with_what_to_do(
    settled: Project, asked: dict[str, Any], field: str
) -> None:
    with pytest.raises(Refused) as refusal:
        make_data_set(project=settled, by=settled.created_by, **asked)
    assert field in refusal.value.fields
    assert not DataSet.objects.exists()


def test_photos_are_read_one_at_a_time(settled: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    whole = storage.original
    monkeypatch.setattr(storage, "original", lambda image: read.append(image.sha256) or whole(image))
    pieces = file_of(made(settled, "imagefolder"))
    assert read == []
    next(pieces)
    assert len(read) == 1
    pieces.close()
