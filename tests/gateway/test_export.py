"""What people said comes out whole, in two formats, in pieces, and harmless to a spreadsheet."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from django.db import connection
from django.test import Client, RequestFactory
from django.utils import timezone

from labeling.catalog.models import Guideline
from labeling.exchange import provenance, tables
from labeling.exchange.tables import FORMATS, streamed
from labeling.queue import services as queue
from labeling.truth.models import Annotation, GroundTruth
from labeling.truth.services import Answer, rule
from tests.factories import make_items, make_member, make_project
from tests.gateway.conftest import World, make_world
from tests.stack import Stack


def _export(client: Client, world: World, name: str) -> bytes:
    response = client.get(world.api(f"/export/{name}"))
    assert response.status_code == 200
    assert response.streaming
    return b"".join(response)


def _csv(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"))))


def _jsonl(data: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in data.decode().splitlines()]


def test_every_answer_comes_out_with_who_when_and_why(world: World) -> None:
    queue.undo(project=world.project, labeler=world.labeler, key=world.answered)
    rule(
        project=world.project, dispute_id=world.dispute.pk, reviewer=world.reviewer, outcome="class",
        class_key="defective",
    )  # fmt: skip
    rows = _jsonl(_export(world.client("admin"), world, "annotations.jsonl"))
    assert [row["id"] for row in rows] == list(Annotation.objects.order_by("pk").values_list("pk", flat=True))
    assert len(rows) == 5
    disputed = [row for row in rows if row["dispute"] == str(world.dispute.pk)]
    assert {row["class"] for row in disputed} == {"functional", "defective"}
    for row in disputed:
        assert row["labeler"] in {"lina", "sam"}
        assert (row["ruling"], row["ruling_class"], row["reviewer"]) == ("class", "defective", "rosa")
        assert (row["ground_truth_class"], row["guideline"], row["view_ms"], row["draw"]) == (
            "defective", 1, 900, "rank",
        )  # fmt: skip
        assert row["context"]["strategy"] == "arrival"
    (undone,) = [row for row in rows if row["retracted_at"]]
    assert undone["key"] == str(world.answered)


def test_every_ground_truth_comes_out_superseded_ones_too(world: World) -> None:
    rule(
        project=world.project, dispute_id=world.dispute.pk, reviewer=world.reviewer, outcome="class",
        class_key="defective", comment="a crack",
    )  # fmt: skip
    rows = _jsonl(_export(world.client("admin"), world, "ground-truths.jsonl"))
    assert len(rows) == GroundTruth.objects.count() == 3
    by_origin = {row["origin"]: row for row in rows}
    assert set(by_origin) == {"agreement", "ruling", "gold"}
    ruled = by_origin["ruling"]
    assert (ruled["class"], ruled["class_now"], ruled["in_force"], ruled["reviewer"], ruled["ruling_comment"]) == (
        "defective", "defective", True, "rosa", "a crack",
    )  # fmt: skip
    assert sorted(ruled["labelers"]) == ["lina", "sam"]
    assert by_origin["gold"]["annotations"] == []


@pytest.mark.parametrize("what", ["annotations", "ground-truths"])
def test_both_formats_hold_the_same(world: World, what: str) -> None:
    client = world.client("admin")
    table = _csv(_export(client, world, f"{what}.csv"))
    rows = _jsonl(_export(client, world, f"{what}.jsonl"))
    assert len(table) == len(rows) > 0
    for cells, row in zip(table, rows, strict=True):
        assert list(cells) == list(row)
        for name in ("id", "sha256", "class", "kind", "draw", "created_at"):
            assert cells[name] == str(row[name])


def test_the_pages_of_the_api_add_up_to_the_export(world: World) -> None:
    client = world.client("admin")
    rows, address = [], world.api("/annotations?limit=2")
    while address:
        page = client.get(address).json()
        assert len(page["results"]) <= 2
        rows += page["results"]
        address = page["next"]
    exported = _jsonl(_export(client, world, "annotations.jsonl"))
    assert [row["id"] for row in rows] == [row["id"] for row in exported]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "한글, “quoted”\nand a line"])
def test_what_a_labeler_typed_is_no_formula_and_stays_readable(world: World, text: str) -> None:
    queue.submit(
        project=world.project,
        labeler=world.labeler,
        lease=world.lease,
        key=world.job.pk,
        answer=Answer("class", "functional", comment=text),
        view_ms=900,
    )
    client = world.client("admin")
    cell = _csv(_export(client, world, "annotations.csv"))[-1]["comment"]
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))
    assert cell.removeprefix("'") == text
    assert _jsonl(_export(client, world, "annotations.jsonl"))[-1]["comment"] == text


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_keeps_the_contract(name: str) -> None:
    """Whatever a row holds is written, a piece for each chunk, and no chunk is read before its piece is asked for."""
    now = timezone.now()
    row = {"text": "=1+1 한글\n“quoted”, ‘x’", "n": 0, "share": 0.25, "yes": True, "at": now, "nothing": None}
    row |= {"list": ["a", 1], "dict": {"b": [2]}}
    read: list[int] = []

    def chunks() -> Iterator[list[dict[str, Any]]]:
        for n in range(3):
            read.append(n)
            yield [row | {"n": 10 * n}, row | {"n": 10 * n + 1}]

    response = streamed(
        RequestFactory().get("/"), chunks(), columns=tuple(row), format=name, filename="photos-all"
    )
    assert read == []
    pieces = iter(response.streaming_content)
    first = next(pieces)
    assert read == [0]
    whole = b"".join([first, *pieces])
    assert read == [0, 1, 2]
    assert whole.count("한글".encode()) == 6
    assert response["Content-Type"] == FORMATS[name].content_type
    assert response["Content-Disposition"] == f'attachment; filename="photos-all.{name}"'
    assert b"".join(FORMATS[name].written(iter(()), tuple(row))).count(b"\n") <= 1, (
        "without rows at most a header"
    )


@pytest.mark.django_db(transaction=True)  # without one around it, as in a request
def test_a_large_export_is_read_in_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provenance, "CHUNK", 50)
    project = make_project()
    _many_answers(project, 220)
    chunks = provenance.stream(provenance.ANNOTATIONS, project)
    assert len(next(chunks)) == 50
    with connection.cursor() as cursor:
        cursor.execute("SHOW idle_in_transaction_session_timeout")
        assert cursor.fetchone() == (provenance.STALLED,)
    with connection.cursor() as cursor:
        cursor.execute("SELECT is_holdable FROM pg_cursors")
        assert cursor.fetchall() == [(False,)]  # the rest waits on the server, and was not found yet
    assert sum(len(chunk) for chunk in chunks) == 170


def test_a_real_server_streams_the_export(live_stack: Stack) -> None:
    world = make_world()
    _many_answers(world.project, 5000)
    token = httpx.post(
        f"{live_stack.url}/api/v1/login", json={"username": "root", "password": "root"}
    ).json()["token"]
    address = f"{live_stack.url}{world.api('/export/annotations.csv')}"
    pieces = 0
    data = b""
    with httpx.stream("GET", address, headers={"Authorization": f"Token {token}"}, timeout=30) as response:
        assert response.headers["content-type"] == "text/csv; charset=utf-8"
        assert response.headers["content-disposition"] == 'attachment; filename="cells-annotations.csv"'
        for piece in response.iter_raw():
            pieces += 1
            data += piece
    assert len(_csv(data)) == 5005
    assert pieces >= 3


def _many_answers(project: Any, count: int) -> None:
    labeler = make_member(project)
    guideline = Guideline.objects.get(project=project)
    classes = list(project.label_classes.all())
    Annotation.objects.bulk_create(
        Annotation(
            project=project, item=item, labeler=labeler, key=f"00000000-0000-4000-8000-{n:012}", kind="class",
            label_class=classes[n % 2], guideline=guideline, draw="rank", view_ms=1,
        )
        for n, item in enumerate(make_items(project, count))
    )  # fmt: skip


def test_a_reader_that_stalls_keeps_no_connection_and_no_file_that_looks_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tables, "STALLED_S", 0)

    async def read() -> None:
        ended = asyncio.Event()
        tell = asyncio.get_running_loop().call_soon_threadsafe

        def pieces() -> Iterator[bytes]:
            try:
                yield b"the first"
                yield b"the second"
            finally:
                tell(ended.set)

        body = tables._off_the_loop(pieces())
        assert await anext(body) == b"the first"
        await asyncio.wait_for(ended.wait(), 60)
        with pytest.raises(tables.ReaderStalled):
            await anext(body)

    asyncio.run(read())
