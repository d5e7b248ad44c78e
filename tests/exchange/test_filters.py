"""A data set of what a search finds: the same photos whenever it is fetched, and the manifest says which were asked for."""

from __future__ import annotations

import json
from typing import Any

import pytest

from labeling.catalog.models import Item, Project
from labeling.exchange import choosing
from labeling.exchange.models import DataSet
from labeling.exchange.selectors import file_of, manifest
from labeling.exchange.services import make_data_set
from labeling.explorer.search.naming import KnownBy
from labeling.jobs.models import Job
from labeling.jobs.progress import Progress
from labeling.refusals import Refused
from tests.exchange.conftest import settle


def made(project: Project, search: str, **asked: Any) -> DataSet:
    return make_data_set(project=project, by=project.created_by, format="jsonl", search=search, **asked)


def chosen(data_set: DataSet) -> DataSet:
    choosing.choose(Progress(Job.objects.get(kind="choose", args__data_set=str(data_set.pk))))
    return data_set


def rows(data_set: DataSet) -> list[dict[str, Any]]:
    return [json.loads(line) for line in b"".join(file_of(data_set)).splitlines()]


@pytest.mark.parametrize(
    ("search", "names"),
    [
        ("q=앞면", {"앞면 1.png"}),
        ("class=defective", {"앞면 1.png", "side.png"}),
        ("source=day 1&class=functional", {"../=up.png", "roof.png"}),
        ("status=open", set()),
    ],
)
def test_only_what_the_filters_find_is_in_it(settled: Project, search: str, names: set[str]) -> None:
    data_set = chosen(made(settled, search))
    assert {each["name"] for each in rows(data_set)} == names
    told = manifest(data_set)
    assert told["filters"] == dict(each.split("=") for each in search.split("&"))
    assert (told["photos_found"], told["rows"]) == (len(names), len(names))


def test_it_has_the_same_rows_after_its_photos_changed(
    settled: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choosing, "CHUNK", 1)  # several rows of ids
    data_set = chosen(made(settled, "class=defective"))
    before = manifest(data_set)
    item = Item.objects.get(project=settled, name="side.png")
    settle(settled, item, "functional", supersedes=item.ground_truths.get())
    Item.objects.filter(pk=item.pk).update(name="other.png")
    assert manifest(data_set)["sha256_of_rows"] == before["sha256_of_rows"]
    assert manifest(chosen(made(settled, "class=defective")))["rows"] == 1, "today it is another set"


def test_one_whose_search_is_forgotten_before_it_found_anything_does_not_hold_everything(
    settled: Project,
) -> None:
    data_set = made(settled, "q=side.png")
    choosing.forget_searches_of(project=settled, gone=KnownBy(settled, names={"side.png"}))
    data_set.refresh_from_db()
    assert data_set.search == "" and rows(data_set) == []


def test_it_is_not_read_before_its_photos_are_found(settled: Project) -> None:
    data_set = made(settled, "class=defective")
    with pytest.raises(Refused) as refused:
        manifest(data_set)
    assert refused.value.code == "choosing"
    with pytest.raises(Refused) as refused:
        made(settled, "class=purple")
    assert refused.value.status == 422 and DataSet.objects.count() == 1


def test_a_try_that_was_broken_off_goes_on_behind_what_it_kept(
    settled: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choosing, "CHUNK", 1)
    data_set = made(settled, "class=functional")
    job = Job.objects.get(kind="choose")
    broken = Progress(job)
    monkeypatch.setattr(broken, "report", lambda *_args: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        choosing.choose(broken)
    assert data_set.chosen.count() == 1
    assert chosen(data_set) and len(rows(data_set)) == 4
    choosing.choose(Progress(job))
    assert len(rows(data_set)) == 4, "done again, it changes nothing"
