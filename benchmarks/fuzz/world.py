"""A small project in which everything has happened once, made over the API: what made-up requests are turned towards."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from typing import Any

from benchmarks.chaos.exports import Reader, wait_for_quiet
from benchmarks.chaos.people import MAJORITY, STRICT
from benchmarks.chaos.pictures import Pictures, multipart
from benchmarks.wire import Wire

#: Everybody who asks, by name; none: a stranger without a token.
ROLES = {
    "labeler1": "labeler", "labeler2": "labeler", "reviewer": "reviewer", "admin": "admin", "viewer": "viewer",
    "spare": "labeler",
}  # fmt: skip
PHOTOS = 40


@dataclass(frozen=True)
class World:
    real: dict[str, Any]
    known: dict[str, Any]
    photo: bytes


class Api:
    """One person at the API."""

    def __init__(self, url: str, token: str) -> None:
        self._wire = Wire(url, token, timeout=120)

    def post(self, path: str, body: dict[str, Any] | None = None) -> Any:
        self._wire.close()  # the server hangs up on who was silent for a while
        return self.read(*self._wire.ask("POST", path, json.dumps(body or {}).encode()), path)

    def upload(self, path: str, files: dict[str, bytes]) -> Any:
        self._wire.close()
        return self.read(*self._wire.ask("POST", path, *multipart(files)), path)

    def read(self, status: int, content: bytes, path: str) -> Any:
        if status >= 400:
            raise SystemExit(f"{path}: {status} {content[:300]!r}")
        return json.loads(content) if content else None


def make(url: str, tokens: dict[str, str], seed: int) -> World:
    at, pictures = f"projects/{STRICT}", Pictures(seed)
    root, reader = Api(url, tokens["root"]), Reader(url, tokens["root"])
    files = pictures.more(PHOTOS)
    batch = root.upload(f"{at}/intake", files)["id"]
    wait_for_quiet(reader, (STRICT, MAJORITY), 300)
    photos = [item["sha256"] for item in reader.rows(f"{at}/items")]
    root.post(f"{at}/gold", {"sha256": photos[0], "class": pictures.class_of(photos[0])})
    labelers = [Api(url, tokens[name]) for name in ("labeler1", "labeler2")]
    keys = [_label(labeler, at, pictures, slips=number == 1) for number, labeler in enumerate(labelers)]
    root.post(f"{at}/train", {"seed": 1})
    jobs = wait_for_quiet(reader, (STRICT, MAJORITY), 300)
    if jobs:
        raise SystemExit(f"jobs did not end: {jobs}")
    root.post(f"{at}/models/1/promote")
    root.post(f"{at}/certify")
    wait_for_quiet(reader, (STRICT, MAJORITY), 300)
    proposal = Api(url, tokens["reviewer"]).post(
        f"{at}/guideline/proposals", {"note": "Why", "criteria": {"defective": "Dark."}}
    )
    disputes = [dispute["id"] for dispute in reader.rows(f"{at}/disputes")]
    real = {
        "slug": STRICT,
        "username": "spare",
        "sha256": photos[1],
        "batch_id": batch,
        "lease": labelers[0].post(f"{at}/claims", {"count": 1})["tasks"][0]["lease"],
        "key": keys[0],
        "dispute_id": disputes[0] if disputes else str(uuid.uuid4()),
        "number": 1,
        "job_id": next(reader.rows(f"{at}/jobs"))["id"],
        "alert_id": 1,
        "proposal_id": proposal["id"],
        "decision_id": 1,
    }
    known = {"lease": real["lease"], "class": "functional", "sha256": photos[-1], "guideline": 1}
    return World(real, known, next(iter(files.values())))


def _label(labeler: Api, at: str, pictures: Pictures, *, slips: bool) -> str:
    """Half of the photos; who ``slips`` is of another opinion now and then. Returns the key of the last answer."""
    key = ""
    for _ in range(PHOTOS // 4):
        for task in labeler.post(f"{at}/claims", {"count": 2})["tasks"]:
            sha256, key = task["photo"]["sha256"], str(uuid.uuid4())
            shown = pictures.class_of(sha256)
            if slips and sha256 < "3":
                shown = "defective" if shown == "functional" else "functional"
            given = {"key": key, "lease": task["lease"], "kind": "class", "class": shown, "view_ms": 900}
            labeler.post(f"{at}/annotations", given)
    return key
