"""What Hilltop says of itself, read over the API by an admin: nothing here knows its tables or its code."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Said:
    """One project, whole, when all is quiet."""

    settings: dict[str, Any]
    #: key → key that it counts as today; nothing for a class that is no more.
    counts_as: dict[str, str]
    versions: set[int]
    annotations: list[dict[str, Any]]
    truths: list[dict[str, Any]]
    decisions: list[dict[str, Any]]
    #: Open disputes: photo → causes.
    open_disputes: dict[str, list[str]]
    #: Of each dispute that was asked for: its ruling, or nothing.
    rulings: dict[str, dict[str, Any] | None]
    gold: set[str]
    champion: int | None
    frontier: dict[str, Any]
    #: batch → how it stands, and its files.
    intakes: dict[str, tuple[dict[str, Any], list[dict[str, Any]]]]
    jobs: list[dict[str, Any]]


class Reader:
    """An admin at the API. Raises :class:`urllib.error.HTTPError` for what is refused."""

    def __init__(self, url: str, token: str) -> None:
        self._base, self._token = f"{url}/api/v1/", token

    def get(self, path: str) -> Any:
        return json.loads(self._read(path))

    def rows(self, path: str) -> Iterator[dict[str, Any]]:
        """All rows of a paged list."""
        page = self.get(f"{path}{'&' if '?' in path else '?'}limit=1000")
        while True:
            yield from page["results"]
            if page["next"] is None:
                return
            page = json.loads(self._read(page["next"]))

    def lines(self, path: str) -> list[dict[str, Any]]:
        """All rows of an export."""
        return [json.loads(line) for line in self._read(path).splitlines()]

    def certified(self, project: str) -> list[str]:
        """Keys of the classes that are certified now."""
        classes = self.get(f"projects/{project}/frontier")["classes"]
        return [each["class"] for each in classes if each["state"] == "certified"]

    def _read(self, path: str) -> bytes:
        address = path if path.startswith("http") else self._base + path
        request = urllib.request.Request(address, headers={"Authorization": f"Token {self._token}"})
        with urllib.request.urlopen(request, timeout=120) as answer:
            return bytes(answer.read())


def wait_for_quiet(
    reader: Reader, projects: tuple[str, ...], timeout: float, kinds: frozenset[str] = frozenset()
) -> list[dict[str, Any]]:
    """Wait until no job (of these kinds, if any are named) is queued or running; return those that still are when the time
    is over."""
    deadline = time.monotonic() + timeout
    while True:
        live = []
        for project in projects:
            try:
                jobs = list(reader.rows(f"projects/{project}/jobs"))
            except OSError:  # it is about to come back
                jobs = [{"state": "queued", "kind": "unknown"}]
            live += [
                job
                for job in jobs
                if job["state"] in {"queued", "running"} and (not kinds or job["kind"] in {*kinds, "unknown"})
            ]
        if not live or time.monotonic() > deadline:
            return live
        time.sleep(0.3)


def read(reader: Reader, project: str, *, disputes: set[str], batches: set[str]) -> Said:
    """``disputes`` and ``batches``: those that somebody was told about."""
    at = f"projects/{project}"
    classes = reader.get(f"{at}/guideline")["classes"]
    open_disputes: dict[str, list[str]] = {}
    for held in ("", "?held=1"):
        for dispute in reader.rows(f"{at}/disputes{held}"):
            open_disputes.setdefault(dispute["photo"]["sha256"], []).append(dispute["cause"])
    return Said(
        settings=reader.get(at)["settings"],
        counts_as=_resolved(classes),
        versions={each["number"] for each in reader.rows(f"{at}/guidelines")},
        annotations=reader.lines(f"{at}/export/annotations.jsonl"),
        truths=reader.lines(f"{at}/export/ground-truths.jsonl"),
        decisions=reader.lines(f"{at}/export/decisions.jsonl"),
        open_disputes=open_disputes,
        rulings={each: reader.get(f"{at}/disputes/{each}")["ruling"] for each in sorted(disputes)},
        gold={each["photo"]["sha256"] for each in reader.rows(f"{at}/gold")},
        champion=next((each["number"] for each in reader.rows(f"{at}/models") if each["champion"]), None),
        frontier=reader.get(f"{at}/frontier"),
        intakes={
            batch: (reader.get(f"{at}/intake/{batch}"), list(reader.rows(f"{at}/intake/{batch}/files")))
            for batch in sorted(batches)
        },
        jobs=list(reader.rows(f"{at}/jobs")),
    )


def _resolved(classes: list[dict[str, Any]]) -> dict[str, str]:
    into = {each["key"]: each["merged_into"] for each in classes if each["state"] == "merged"}
    active = {each["key"] for each in classes if each["state"] == "active"}

    def end(key: str) -> str:
        seen = set()
        while key in into and key not in seen:
            seen.add(key)
            key = into[key]
        return key if key in active else ""

    return {each["key"]: end(each["key"]) for each in classes}
