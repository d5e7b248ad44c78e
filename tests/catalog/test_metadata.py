"""What is known of photos beside their pictures: from a table beside them, kept with who and when, bounded."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from pytest_django import Settings

from labeling.catalog import services
from labeling.catalog.metadata import tables as metadata_tables
from labeling.catalog.metadata import values as metadata
from labeling.catalog.metadata.tables import Tables, lines_of
from labeling.catalog.models import IntakeBatch, IntakeFile, Item, Metadata, MetadataChange, Project
from labeling.jobs.models import Job
from labeling.refusals import Refused
from tests.catalog.conftest import upload, zip_of
from tests.factories import make_items, make_project, photo_bytes

pytestmark = pytest.mark.django_db
Do = Callable[[Job], Job]


def known(project: Project) -> dict[str, dict[str, object]]:
    """By the file's name."""
    return dict(Metadata.objects.filter(project=project).values_list("item__name", "data"))


def of(item: Item) -> dict[str, metadata.Value]:
    return metadata.of_photo(Item.objects.get(pk=item.pk))


def outcomes(batch: IntakeBatch) -> dict[str, str]:
    return {file.name: file.reason or file.outcome for file in batch.files.all()}


def test_a_table_beside_the_photos_is_kept_on_them_and_bad_rows_are_named(do: Do) -> None:
    project = make_project()
    table = (
        "file_name,vehicle,line,gap,note\n"
        "a.png,12가3456,2,1.5,\n"
        f"b.png,007,2,,{'long ' * 80}\n"
        "c.png,007,12345678901234567890,,nan\n"
        "gone.png,1,2,,\n"
    ).encode()
    photos = [upload(name, photo_bytes(seed)) for seed, name in enumerate(["a.png", "b.png", "c.png"])]
    batch, job = services.start_intake(
        project=project, by=project.created_by, kind="upload", files=[upload("metadata.csv", table), *photos]
    )
    assert do(job).state == "succeeded"
    assert known(project) == {
        "a.png": {"vehicle": "12가3456", "line": 2, "gap": 1.5},
        "c.png": {"vehicle": "007", "line": "12345678901234567890", "note": "nan"},
    }
    assert outcomes(batch) == {
        "a.png": "added",
        "b.png": "added",
        "c.png": "added",
        "metadata.csv:3": "metadata_bounds",
        "metadata.csv:5": "metadata_of_nothing",
    }


@pytest.mark.parametrize("kind", ["zip", "folder"])
def test_each_folder_has_its_own_table_in_any_script(do: Do, settings: Settings, kind: str) -> None:
    project = make_project()
    files = {
        "front/1.png": photo_bytes(1),
        "front/metadata.csv": "file_name;line\r\n1.png;앞\r\n".encode("cp949"),
        "back/1.png": photo_bytes(2),
        "back/Metadata.CSV": "\ufefffile_name\tline\n./1.png\t뒤\n".encode(),
        "broken/metadata.csv": b"name,line\n1.png,2\n",
    }
    if kind == "zip":
        given = {"zip": upload("march.zip", zip_of(files))}
    else:
        folder = settings.INTAKE_ROOTS[0] / "march"
        for name, data in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(data)
        given = {"folder": folder}
    batch, job = services.start_intake(project=project, by=project.created_by, kind=kind, **given)
    assert do(job).state == "succeeded"
    assert known(project) == {"front/1.png": {"line": "앞"}, "back/1.png": {"line": "뒤"}}
    assert outcomes(batch)["broken/metadata.csv"] == "metadata_unreadable"


def test_the_same_delivery_again_changes_nothing_and_a_corrected_one_what_it_corrects(do: Do) -> None:
    project = make_project()

    def send(table: str) -> None:
        files = [upload("a.png", photo_bytes(1)), upload("metadata.csv", table.encode())]
        _batch, job = services.start_intake(
            project=project, by=project.created_by, kind="upload", files=files, source="March"
        )
        assert do(job).state == "succeeded"

    send("file_name,line,car\na.png,2,x\n")
    send("file_name,line,car\na.png,2,x\n")
    assert MetadataChange.objects.count() == 1
    send("file_name,line\na.png,3\n")
    assert known(project) == {"a.png": {"line": 3, "car": "x"}}
    assert not IntakeFile.objects.exclude(metadata=None).exists(), "it is the photo's now"
    last = MetadataChange.objects.latest("pk")
    assert (last.data, last.origin, last.by) == ({"line": 3}, "March", project.created_by)


def test_one_portion_of_an_upload_does_not_name_the_rows_of_the_others(do: Do) -> None:
    project = make_project()
    table = upload("metadata.csv", b"file_name,line\na.png,2\nlater.png,3\nb.png," + b"x" * 201 + b"\n")
    (batch,) = services.start_upload(
        project=project, by=project.created_by, files=[table, upload("a.png", photo_bytes(1))], partial=True
    )
    assert outcomes(batch) == {"a.png": "pending"}, "the request reads no table"
    do(Job.objects.get(kind="intake", args__batch=str(batch.pk)))
    assert outcomes(batch) == {"a.png": "added", "metadata.csv:4": "metadata_bounds"}
    assert known(project) == {"a.png": {"line": 2}}


def test_tables_without_photos_and_more_of_them_than_fit_together_are_listed(
    do: Do, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metadata_tables, "MOST_TOGETHER", 40)
    project = make_project()
    tables = [upload("metadata.csv", b"file_name,line\na.png,2\n") for _twice in range(2)]
    batch, job = services.start_intake(project=project, by=project.created_by, kind="upload", files=tables)
    assert do(job).state == "succeeded"
    assert outcomes(batch) == {"metadata.csv:2": "metadata_of_nothing", "metadata.csv": "metadata_unreadable"}


@pytest.mark.parametrize(
    "given",
    [
        {"": 1},
        {"\u200b": 1},
        {"a=b": 1},
        {'a"b': 1},
        {"x" * 61: 1},
        {"a": True},
        {"a": [1]},
        {"a": {"b": 1}},
        {"a": float("inf")},
        {"a": float("nan")},
        {"a": 10**400},
        {"a": 2**53},
        {"a": "x" * 201},
        {f"n{number}": 1 for number in range(51)},
    ],
)
def test_what_cannot_be_kept_is_said(given: dict[str, object]) -> None:
    with pytest.raises(Refused) as refused:
        metadata.checked(given)
    assert refused.value.status == 422 and "metadata" in refused.value.fields


def test_a_photo_has_so_many_values_and_one_that_has_more_stays_as_it_was() -> None:
    project = make_project()
    one, other = make_items(project, 2)
    by = project.created_by
    full = {f"n{number}": number for number in range(metadata.MOST)}
    metadata.put(project=project, given={one.pk: full}, by=by)
    assert metadata.put(project=project, given={one.pk: {"more": 1}, other.pk: {"more": 1}}, by=by) == {
        one.pk
    }
    assert of(one) == dict(sorted(full.items())) and of(other) == {"more": 1}
    metadata.put_one(project=project, item_id=one.pk, given={"n0": None, "n1": "", "more": 1.0}, by=by)
    assert "n0" not in of(one) and of(one)["more"] == 1
    assert MetadataChange.objects.filter(item=one).latest("pk").data == {"n0": None, "n1": None, "more": 1}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0",
        b"file_name,file_name\n",
        b"a,b\n",
        "파일,줄\n".encode(),
        b"\xff\xfe" * 9,
        b"file_name,a\na.png," + b"x" * 200_000,
    ],
)
def test_a_table_that_is_none_is_refused_as_a_whole(data: bytes) -> None:
    tables = Tables()
    tables.add("x/metadata.csv", "7", data)
    assert [(line.name, line.refused) for line in tables.bad] == [("x/metadata.csv", "metadata_unreadable")]


def test_rows_that_are_longer_or_shorter_than_the_first_line_are_read() -> None:
    lines = list(lines_of(b'line,file_name\n"2\n3",a.png,more\n4\n', "file_name"))
    assert [(line.key, line.values) for line in lines] == [("a.png", {"line": "2 3"}), ("", {"line": 4})]


def test_it_is_json_that_everybody_reads() -> None:
    assert json.dumps(metadata.checked({" a  b ": " c\td ", "n": 3.0})) == '{"a b": "c d", "n": 3}'
