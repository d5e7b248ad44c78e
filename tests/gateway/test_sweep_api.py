"""Sweeps over the API: what a labeler is told of a grid, and what is refused."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from labeling.catalog.models import Item, Project
from labeling.queue.models import SweepHandIn, SweepPhoto
from labeling.truth.models import Annotation
from tests.factories import make_member
from tests.queue.sweeps import Field, kept_field


class Api:
    def __init__(self, field: Field, user: Any) -> None:
        self.field = field
        self.name = user.username
        self.client = Client()
        self.client.force_login(user)

    def post(self, path: str, body: dict[str, Any] | None = None) -> Any:
        address = f"/api/v1/projects/{self.field.project.slug}/sweeps{path}"
        return self.client.post(address, body or {}, content_type="application/json")

    def claim(self) -> dict[str, Any]:
        return dict(self.post("", {"class": "functional"}).json()["sweep"])

    def planted(self, sweep: dict[str, Any]) -> list[str]:
        rows = SweepPhoto.objects.filter(sweep_id=sweep["id"], known__isnull=False)
        return [str(pk) for pk in rows.values_list("pk", flat=True)]

    def hand_in(self, sweep: dict[str, Any], marked: list[str], **more: Any) -> Any:
        body = {"key": str(uuid4()), "marks": [{"id": each} for each in marked], "view_ms": 20_000} | more
        return self.post(f"/{sweep['id']}/hand-in", body)


@pytest.fixture
def api(db: None) -> Api:
    field = kept_field()
    return Api(field, field.ann)


def test_a_grid_tells_the_predicted_class_and_nothing_that_sets_planted_photos_apart(api: Api) -> None:
    told = api.post("", {"class": "defective"}).json()
    assert told["state"] == "open"
    assert (told["sweep"]["class"], told["sweep"]["name"]) == ("defective", "Defective")
    assert {frozenset(each) for each in told["sweep"]["photos"]} == {frozenset({"id", "photo"})}
    assert {frozenset(each["photo"]) for each in told["sweep"]["photos"]} == {
        frozenset({"sha256", "screen", "thumb", "width", "height", "tiles"})
    }
    assert set(told["progress"]) == {"answered_today"}


def test_a_grid_that_counts_tells_nothing_of_what_was_planted(api: Api) -> None:
    sweep = api.claim()
    done = api.hand_in(sweep, api.planted(sweep))
    assert done.status_code == 201
    told = done.json()
    assert told["counts"] and told["missed"] == [] and told["undo_until"]
    assert told["kept"] + told["marked"] == len(sweep["photos"])


def test_a_missed_photo_is_shown_with_what_it_is_known_to_be(api: Api) -> None:
    sweep = api.claim()
    told = api.hand_in(sweep, []).json()
    assert not told["counts"] and told["undo_until"] is None
    assert {each["id"] for each in told["missed"]} == set(api.planted(sweep))
    assert {each["name"] for each in told["missed"]} == {"Defective"}
    assert not Annotation.objects.filter(labeler=api.field.ann).exists()


def test_the_same_hand_in_is_taken_once_and_answered_alike(api: Api) -> None:
    sweep = api.claim()
    key = str(uuid4())
    first = api.hand_in(sweep, api.planted(sweep), key=key)
    again = api.hand_in(sweep, api.planted(sweep), key=key)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert SweepHandIn.objects.count() == 1


def test_a_hand_in_is_taken_back(api: Api) -> None:
    sweep = api.claim()
    key = str(uuid4())
    api.hand_in(sweep, api.planted(sweep), key=key)
    told = api.post(f"/{sweep['id']}/undo", {"key": key}).json()["sweep"]
    assert told["id"] == sweep["id"]
    assert [each["id"] for each in told["photos"]] == [each["id"] for each in sweep["photos"]]


def test_nobody_hands_in_somebody_elses_grid(api: Api) -> None:
    sweep = api.claim()
    other = Api(api.field, make_member(api.field.project))
    refused = other.hand_in(sweep, api.planted(sweep))
    assert (refused.status_code, refused.json()["error"]["code"]) == (404, "not_found")
    assert other.post(f"/{sweep['id']}/release").status_code == 204
    assert api.hand_in(sweep, api.planted(sweep)).json()["counts"]


def test_where_sweeps_are_off_the_reason_is_told_and_no_photo_is_lent(api: Api) -> None:
    Project.objects.filter(pk=api.field.project.pk).update(sweep_allowed=False)
    told = api.post("").json()
    assert (told["sweep"], told["state"]) == (None, "off")
    assert "Settings" in told["message"]
    assert not SweepPhoto.objects.exists()


@pytest.mark.parametrize("marks", [[{"id": "x"}], [{"id": str(uuid4())}], [{"kind": "gold"}], "all"])
def test_marks_that_cannot_be_read_are_refused(api: Api, marks: Any) -> None:
    refused = api.hand_in(api.claim(), [], marks=marks)
    assert refused.status_code == 422
    assert not SweepHandIn.objects.exists()


def test_a_reviewer_sweeps_what_a_search_finds_as_the_class_that_they_chose(api: Api) -> None:
    project = api.field.project
    some = (
        api.field.items[:12] + api.field.items[-3:]
    )  # of the outermost band on both ladders, and of the boundary
    Item.objects.filter(pk__in=[item.pk for item in some]).update(name="앞범퍼.png")
    asked = {"class": "functional", "over": "q=앞범퍼"}
    assert api.post("", asked).status_code == 403, "who only labels could page through the pool"
    rosa = Api(api.field, make_member(project, "reviewer"))
    told = rosa.post("", asked).json()
    sweep = told["sweep"]
    assert (told["state"], sweep["class"], sweep["over"]) == (
        "open",
        "functional",
        "q=%EC%95%9E%EB%B2%94%ED%8D%BC",
    )
    shown = SweepPhoto.objects.filter(sweep_id=sweep["id"])
    assert set(shown.filter(known=None).values_list("item", flat=True)) == {item.pk for item in some[:12]}
    assert shown.filter(known__isnull=False).exists(), "gold of another class is planted as ever"
    assert rosa.post("", asked | {"over": sweep["over"]}).json()["sweep"]["id"] == sweep["id"]
    assert rosa.hand_in(sweep, rosa.planted(sweep)).json()["counts"]
    assert set(Annotation.objects.filter(labeler__username=rosa.name).values_list("draw", flat=True)) == {
        "sweep"
    }
    assert rosa.post("", asked).json()["state"] == "empty"
    for wrong in ({"over": "colour=red"}, {"class": ""}, {"class": "purple"}):
        assert rosa.post("", asked | wrong).status_code == 422
    other = rosa.post("", {"class": "functional"}).json()["sweep"]
    assert other["over"] == "", "of the model's own"
