"""The outermost layer alone: what it does with a body that does not come, comes too slowly, or finds no room."""

from __future__ import annotations

import asyncio
import errno
import json
from typing import Any

import pytest
from django.db import OperationalError

from labeling.gateway import bodies
from labeling.gateway.bodies import BoundedBodies, Message


def scope(path: str = "/api/v1/me", *, query: bytes = b"", **headers: str) -> Message:
    return {
        "type": "http",
        "method": "POST",
        "path": path,
        "query_string": query,
        "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()],
    }


class Wire:
    """Both ends of a request: the pieces of its body come after ``pause`` seconds each, and then nothing."""

    def __init__(self, pieces: list[bytes], *, pause: float = 0.0) -> None:
        self.pieces, self.pause = pieces, pause
        self.told: list[Message] = []

    async def receive(self) -> Message:
        if not self.pieces:
            await asyncio.Event().wait()
        await asyncio.sleep(self.pause)
        return {"type": "http.request", "body": self.pieces.pop(0), "more_body": True}

    async def send(self, message: Message) -> None:
        self.told.append(message)

    @property
    def status(self) -> int:
        return int(self.told[0]["status"])

    @property
    def error(self) -> dict[str, Any]:
        return dict(json.loads(self.told[1]["body"])["error"])


async def never(*_anything: Any) -> None:
    raise AssertionError("Django is not asked")


@pytest.mark.parametrize(
    ("pieces", "pause"),
    [([], 0.0), ([b"{"], 0.0), ([b" "] * 1000, 0.02)],
    ids=["nothing", "a byte", "a trickle"],
)
def test_a_body_that_does_not_come_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, pieces: list[bytes], pause: float
) -> None:
    monkeypatch.setattr(bodies, "SILENCE_S", 0.1)
    wire = Wire(pieces, pause=pause)
    asyncio.run(BoundedBodies(never)(scope(), wire.receive, wire.send))
    assert (wire.status, wire.error["code"]) == (408, "too_slow")


def test_a_body_that_finds_no_room_on_the_disk_is_told_so() -> None:
    async def full(_scope: Message, receive: Any, _send: Any) -> None:
        assert (await receive())["body"] == b"{}"
        raise OSError(errno.ENOSPC, "No space left on device")

    wire = Wire([b"{}"])
    wire.receive = whole(b"{}")  # type: ignore[method-assign]
    asyncio.run(BoundedBodies(full)(scope(), wire.receive, wire.send))
    assert (wire.status, wire.error["code"]) == (507, "disk_full")
    assert "disk" in wire.error["message"]


def test_a_large_body_waits_for_a_database_that_is_away_only_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_given: Any) -> None:
        raise OperationalError("the database does not answer")

    monkeypatch.setattr(bodies.TokenAuthentication, "authenticate", away)
    monkeypatch.setattr(bodies, "LINGER_S", 0.01)
    wire = Wire([])
    upload = scope("/api/v1/projects/x/intake", content_length=str(3 * 2**20))
    asyncio.run(BoundedBodies(never)(upload, wire.receive, wire.send))
    assert (wire.status, wire.error["code"]) == (503, "database_away")
    assert (b"retry-after", b"5") in wire.told[0]["headers"]


def test_a_query_that_is_no_text_is_refused_in_json() -> None:
    wire = Wire([])
    asyncio.run(BoundedBodies(never)(scope(query=b"name=\xff"), wire.receive, wire.send))
    assert (wire.status, wire.error["code"]) == (400, "malformed")


def test_a_small_body_arrives_whole_and_a_hang_up_behind_it_too() -> None:
    heard: list[Message] = []

    async def listening(_scope: Message, receive: Any, _send: Any) -> None:
        heard.extend([await receive(), await receive()])

    messages = [
        {"type": "http.request", "body": b"[1,", "more_body": True},
        {"type": "http.request", "body": b"2]", "more_body": False},
        {"type": "http.disconnect"},
    ]

    async def receive() -> Message:
        return messages.pop(0)

    wire = Wire([])
    asyncio.run(BoundedBodies(listening)(scope(), receive, wire.send))
    assert [each.get("body") for each in heard] == [b"[1,", b"2]"]
    assert messages == [{"type": "http.disconnect"}], "Django listens for it itself"


def whole(body: bytes) -> Any:
    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive
