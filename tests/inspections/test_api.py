"""Inspections through the API, as a program sends them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from labeling.inspections.models import Inspection
from tests.inspections.conftest import Yard, picture

WHERE = "/api/v1/protocols/walk-round/inspections"
SAID = {"external_id": "W-1", "asset": {"identifier": "12가 3456"}, "event": "wash", "tilts": {"front": 2.5}}


@pytest.fixture(autouse=True)
def _fresh_throttles() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def client(yard: Yard) -> Client:
    client = Client()
    client.force_login(yard.clerk)
    return client


def send(client: Client, said: Any = SAID, **photos: bytes) -> Any:
    files = {key: SimpleUploadedFile(f"{key}.jpg", data) for key, data in photos.items()}
    return client.post(WHERE, {"inspection": json.dumps(said), **files})


def test_one_call_records_all_and_the_same_again_changes_nothing(client: Client) -> None:
    first = send(client, front=picture(1), rear=b"")
    assert first.status_code == 201, first.content
    told = first.json()
    assert (told["protocol"], told["version"], told["outcome"], told["missing"]) == (
        "walk-round",
        1,
        None,
        [],
    )
    front, rear = told["photos"]
    assert (front["shot"], front["accepted"], front["tilt"], front["faults"]) == ("front", True, 2.5, [])
    assert not rear["accepted"] and rear["faults"][0]["code"] == "empty" and rear["faults"][0]["advice"]
    again = send(client, front=picture(1))
    assert again.status_code == 200 and again.json() == told
    other = send(client, SAID | {"event": "return"}, front=picture(1))
    assert other.status_code == 409 and list(other.json()["error"]["fields"]) == ["event"]
    more = client.post(
        f"/api/v1/inspections/{told['id']}/photos",
        {"shot": "rear", "photo": SimpleUploadedFile("r.jpg", picture(2)), "tilt": "1.5"},
    )
    assert more.status_code == 201 and (more.json()["number"], more.json()["tilt"]) == (2, 1.5)
    assert [each["shot"] for each in client.get(f"/api/v1/inspections/{told['id']}").json()["photos"]] == [
        "front",
        "rear",
        "rear",
    ]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"inspection": "{"}, None),
        ({}, "inspection"),
        ({"inspection": json.dumps(SAID | {"colour": "red"})}, "inspection"),
        ({"inspection": json.dumps(SAID | {"tilts": {"front": "steep"}})}, "inspection"),
        ({"inspection": json.dumps(SAID), "front": "no file"}, "front"),
        ({"inspection": json.dumps(SAID), "roof": SimpleUploadedFile("a.jpg", b"x")}, "roof"),
    ],
)
def test_what_cannot_be_read_is_a_4xx_that_says_where(client: Client, body: Any, field: str | None) -> None:
    answer = client.post(WHERE, body)
    assert answer.status_code == (400 if field is None else 422), answer.content
    assert field is None or field in answer.json()["error"]["fields"]
    assert not Inspection.objects.exists()


def test_pages_are_of_the_newest_and_lose_none(client: Client) -> None:
    start = datetime(2026, 5, 1, tzinfo=UTC)
    for number in range(5):
        # Two at the same moment: the id tells them apart.
        at = start + timedelta(hours=number // 2)
        sent = SAID | {"external_id": f"W-{number}", "happened_at": at.isoformat(), "site": f"S{number % 2}"}
        assert send(client, sent).status_code == 201
    seen, address = [], f"{WHERE}?limit=2"
    while address:
        page = client.get(address).json()
        seen += [row["external_id"] for row in page["results"]]
        address = page["next"]
    assert seen == ["W-4", "W-3", "W-2", "W-1", "W-0"]
    found = client.get(WHERE, {"site": "S1", "since": "2026-05-01T01:00:00Z"}).json()["results"]
    assert [row["external_id"] for row in found] == ["W-3"]
    assert client.get(WHERE, {"outcome": "passed"}).json()["results"] == []
    for bad in ({"since": "noon"}, {"cursor": "1"}, {"outcome": "well"}):
        assert client.get(WHERE, bad).status_code == 422


def test_a_protocol_is_read_as_it_is_sent(client: Client, yard: Yard) -> None:
    told = client.get("/api/v1/protocols/walk-round").json()
    assert [each["slug"] for each in client.get("/api/v1/protocols").json()["results"]] == ["walk-round"]
    root = Client()
    root.force_login(yard.root)
    said = {
        name: told[name] for name in told if name not in {"version", "slug", "shots_project", "archived_at"}
    }
    made = root.post("/api/v1/protocols", said | {"slug": "second"}, content_type="application/json")
    assert made.status_code == 201 and made.json() == told | {"slug": "second"}
    changed = root.patch(
        "/api/v1/protocols/second", {"rules": [], "note": "None"}, content_type="application/json"
    )
    assert changed.json() == told | {"slug": "second", "version": 2, "rules": [], "note": "None"}
    bad = root.patch("/api/v1/protocols/second", {"note": " "}, content_type="application/json")
    assert bad.status_code == 422
