"""Every format that comes in is recognised, says what was said, and is refused in words where it is broken."""

from __future__ import annotations

import hashlib
import json

import pytest
from django.db import connection

from labeling.catalog.models import Item
from labeling.exchange.formats import FORMATS
from labeling.exchange.imports.photo_names import path_of
from labeling.exchange.imports.readers import READERS
from labeling.exchange.imports.services import change_import
from labeling.exchange.models import Import, ImportState, Use
from labeling.exchange.selectors import file_of
from labeling.exchange.services import make_data_set
from labeling.truth.models import Origin
from tests.exchange.bringing import (
    bring,
    map_classes,
    outcomes,
    photo_of,
    run,
    send,
    table,
    truths,
    unlabeled,
)
from tests.exchange.conftest import NAMES, settle_photos
from tests.exchange.files_from_elsewhere import TELL_WHO, WRITERS, zipped
from tests.factories import make_project
from tests.plans import Plans

pytestmark = pytest.mark.django_db
#: Two people, one photo that both saw, a name with a space, a Korean one, and one by which a spreadsheet would be fooled.
LABELS = [
    ("앞면 1.png", "functional", "anna"),
    ("a b.png", "defective", "anna"),
    ("a b.png", "defective", "bob"),
    ("side.png", "Functional", "anna"),
]
ONCE = [each for each in LABELS if each[2] == "anna"]


def test_every_format_has_a_writer_here() -> None:
    assert set(WRITERS) == set(READERS)


@pytest.mark.parametrize("name", READERS)
def test_every_format_is_recognised_and_says_what_was_said(name: str) -> None:
    project, photos = unlabeled()
    labels = LABELS if name in TELL_WHO else ONCE
    file, data = WRITERS[name](labels, photos)
    of, job = send(project, file, data, use=Use.TRAIN)
    assert (job.state, of.format, of.state) == ("succeeded", name, ImportState.READY), job.error or job.trace
    found = {(photo_of(row), row.labels[0], row.annotator) for row in of.rows.all()}
    assert found == {(photo, label, who if name in TELL_WHO else "") for photo, label, who in labels}
    assert of.rows.count() == len(labels)
    if name in (
        "imagefolder",
        "huggingface",
        "cvat",
    ):  # their photos came along, and are found by what they are
        assert all(row.sha256 == hashlib.sha256(photos[photo_of(row)]).hexdigest() for row in of.rows.all())


@pytest.mark.parametrize("name", READERS)
def test_half_a_file_is_refused_in_words_or_names_its_rows(name: str) -> None:
    project, photos = unlabeled()
    file, data = WRITERS[name](LABELS if name in TELL_WHO else ONCE, photos)
    of, job = send(project, file, data[: len(data) // 2], use=Use.TRAIN)
    assert job.trace == ""
    if job.state == "succeeded":  # a table: the rows before are whole
        assert name in ("csv", "jsonl")
    else:
        assert job.state == "failed" and job.error and of.state == ImportState.READING


@pytest.mark.parametrize("name", FORMATS)
def test_out_and_in_gives_the_same_ground_truths(name: str) -> None:
    """All formats carry photo and class; what else is said of a ground truth is of the project that it came about in."""
    source = settle_photos(make_project())
    data = b"".join(
        file_of(make_data_set(project=source, by=source.created_by, format=name, test=30, seed=1))
    )
    target, _photos = unlabeled()
    of = bring(target, f"x.{FORMATS[name].ending}", data, use=Use.TRAIN)
    assert set(outcomes(of)) == {("done", "")}
    assert truths(target) == {
        photo: (label, Origin.IMPORTED) for photo, (label, _origin) in truths(source).items()
    }
    assert len(truths(target)) == len(NAMES)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        (
            "bomb.xml",
            b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bb">]><annotations><image id="1" name="&b;"/></annotations>',
        ),
        ("deep.json", b"[" * 100_000),
        ("deep.jsonl", b'{"a": ' * 50_000 + b"\n"),
        ("nothing.zip", zipped({"readme.md": b"hello"})),
        ("not.zip", b"PK\x03\x04 and no more"),
        ("one-column.csv", b"name\na.png\n"),
        ("words.txt", b"\x00\x01\x02" * 100),
        ("numbers.parquet", b"PAR1" + b"\x00" * 100 + b"PAR1"),
        ("many.csv", table([(f"{n}.png", f"class {n}", "") for n in range(600)])),
    ],
)
def test_what_is_no_file_of_labels_is_refused_in_words(name: str, data: bytes) -> None:
    project, _photos = unlabeled()
    of, job = send(project, name, data)
    assert (job.state, job.trace) == ("failed", ""), job.result
    assert job.error and of.state == ImportState.READING
    assert not Import.objects.exclude(pk=of.pk).exists()


def test_a_table_of_excel_in_korea_is_read_as_it_was_meant() -> None:
    project, _photos = unlabeled()
    of, _job = send(project, "라벨.csv", "파일명,분류\n앞면 1.png,functional\n".encode("cp949"))
    (row,) = of.rows.all()
    assert (photo_of(row), of.columns["photo"], of.columns["label"]) == ("앞면 1.png", "파일명", "분류")


def test_a_name_is_found_with_as_much_of_its_folder_as_is_told_and_two_are_told_apart() -> None:
    project, _photos = unlabeled()
    Item.objects.filter(project=project, name="side.png").update(name="left/x.png")
    Item.objects.filter(project=project, name="roof.png").update(name="right/x.png")
    names = ("right/x.png", "x.png", "march/left/x.png", "a b", "day 0/앞면 1.png", "?.png")
    of, _job = send(project, "labels.csv", table([(name, "functional", "") for name in names]))
    assert outcomes(of) == [
        ("ready", ""), ("refused", "two_photos"), ("ready", ""), ("ready", ""), ("ready", ""), ("refused", "no_photo"),
    ]  # fmt: skip
    found = [photo_of(row) for row in of.rows.filter(outcome="ready").order_by("id")]
    assert found == ["right/x.png", "left/x.png", "a b.png", "앞면 1.png"]


@pytest.mark.parametrize(
    ("address", "path"),
    [
        ("/data/upload/3/0a1b2c3d-front.jpg", "front.jpg"),
        ("http://localhost:8080/data/upload/3/0a1b2c3d-front.jpg", "front.jpg"),
        ("/data/local-files/?d=march%2Ffront.jpg", "march/front.jpg"),
        ("s3://bucket/march/front.jpg", "march/front.jpg"),
        ("https://host/march/front%20side.jpg?X-Amz-Date=1", "march/front side.jpg"),
        ("C:\\photos\\front.jpg", "photos/front.jpg"),
        ("../../etc/front.jpg", "etc/front.jpg"),
        ("deadbeef-front.jpg", "deadbeef-front.jpg"),
    ],
)
def test_addresses_of_tools_are_the_files_that_they_mean(address: str, path: str) -> None:
    assert path_of(address) == path


def test_a_question_of_several_is_chosen_and_the_mapping_is_kept_for_the_next_import() -> None:
    project, _photos = unlabeled()
    both = [
        {"from_name": question, "to_name": "image", "type": "choices", "value": {"choices": [said]}}
        for question, said in (("light", "dark"), ("state", "defect"))
    ]
    data = json.dumps(
        [{"data": {"image": "side.png"}, "annotations": [{"completed_by": 1, "result": both}]}]
    ).encode()
    of, _job = send(project, "tasks.json", data)
    assert of.found["fields"]["label"] == ["light", "state"]
    assert (list(of.found["labels"]), outcomes(of)) == (["dark"], [("refused", "unmapped")])
    run(change_import(of=of, by=of.created_by, columns={"label": "state"}))
    of.refresh_from_db()
    # "defect" is close to "defective", and to nothing else.
    assert (of.classes, outcomes(of)) == ({"defect": "defective"}, [("ready", "")])
    map_classes(of, defect="functional")
    again, _job = send(project, "tasks.json", data.replace(b"light", b"zzz"))
    run(change_import(of=again, by=of.created_by, columns={"label": "state"}))
    again.refresh_from_db()
    assert again.classes == {"defect": "functional"}


def test_photos_of_a_moment_ago_are_not_gone_through_row_by_row() -> None:
    """At 100,000 rows it would have taken an hour: the database's statistics did not know the photos yet."""
    project, photos = unlabeled()
    file, data = WRITERS["imagefolder"](ONCE, photos)
    plans = Plans("FROM judged j")
    with connection.execute_wrapper(plans):
        send(project, file, data, use=Use.TRAIN)
    assert "Update on exchange_importrow" in plans.seen
    assert "Nested Loop" not in plans.seen
