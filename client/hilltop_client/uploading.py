"""A folder of photos goes up in parts. What the server acknowledged stands in a journal, and is not sent again.

A part is acknowledged when its photos are on the server's disk. What was on its way when the line broke is sent once more,
which changes nothing there: a photo is known by its bytes.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hilltop_client.connection import Connection
from hilltop_client.errors import HilltopError

JOURNAL = ".hilltop-upload.jsonl"
#: Photos a request, and bytes after which it is full.
PART, PART_BYTES = 100, 32 * 2**20
_LOOK_S = 0.5
#: (name, bytes, time of the last change in ns): a file that was changed is another one.
_Known = tuple[str, int, int]


@dataclass
class Upload:
    """What became of the files: ``counts`` by outcome (added, duplicate, refused); ``refused``: each with its reason."""

    sent: int = 0
    skipped: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    refused: list[dict[str, Any]] = field(default_factory=list)


def upload(
    connection: Connection,
    slug: str,
    photos: Path | Iterable[Path],
    *,
    journal: Path | None,
    on_progress: Callable[[int, int], None] | None,
    timeout: float,
) -> Upload:
    """Send what the journal does not know, wait for all of its intakes, and tell what became of their files.

    Args:
        photos: a folder, whose files keep their paths in it as names, or files, which keep their names.
        journal: by default in the folder; of single files there is none unless it is named.
        on_progress: called with (files acknowledged, files in all).
        timeout: seconds for the server to look at them, once they are all there.

    Raises:
        HilltopError: as the API refuses; ``too_slow``; ``intake_ended`` where somebody stopped an intake, or it failed.
    """
    files = dict(_files(photos))
    if journal is None and isinstance(photos, Path):
        journal = photos / JOURNAL
    known, intakes = _read(journal)
    told = Upload()
    waiting = [(name, path) for name, path in files.items() if _known(name, path) not in known]
    told.skipped = len(files) - len(waiting)
    for part in _parts(waiting):
        marks = [_known(name, path) for name, path in part]
        sent = [("files", (name, path.read_bytes())) for name, path in part]
        intake = connection.send("POST", f"projects/{slug}/intake", files=sent).json()["id"]
        intakes.append(intake)
        _write(journal, intake, marks)
        told.sent += len(part)
        if on_progress is not None:
            on_progress(told.skipped + told.sent, len(files))
    until = time.monotonic() + timeout
    for intake in intakes:
        for outcome, count in _ended(connection, slug, intake, until).items():
            told.counts[outcome] = told.counts.get(outcome, 0) + count
        told.refused += connection.rows(
            f"projects/{slug}/intake/{intake}/files", outcome="refused", limit=1000
        )
    return told


def _files(photos: Path | Iterable[Path]) -> Iterator[tuple[str, Path]]:
    """Names and paths, sorted. What is hidden is no photo."""
    if not isinstance(photos, Path):
        yield from sorted((path.name, path) for path in photos)
        return
    if not photos.is_dir():
        raise HilltopError("no_such_folder", f"{photos} is no folder.")
    for path in sorted(photos.rglob("*")):
        name = path.relative_to(photos)
        if path.is_file() and not any(part.startswith(".") for part in name.parts):
            yield name.as_posix(), path


def _known(name: str, path: Path) -> _Known:
    found = path.stat()
    return name, found.st_size, found.st_mtime_ns


def _parts(waiting: list[tuple[str, Path]]) -> Iterator[list[tuple[str, Path]]]:
    part: list[tuple[str, Path]] = []
    size = 0
    for name, path in waiting:
        bytes_ = path.stat().st_size
        if part and (len(part) == PART or size + bytes_ > PART_BYTES):
            yield part
            part, size = [], 0
        part.append((name, path))
        size += bytes_
    if part:
        yield part


def _read(journal: Path | None) -> tuple[set[_Known], list[str]]:
    """Files that were acknowledged, and their intakes. A line that was cut off acknowledged nothing."""
    known: set[_Known] = set()
    intakes: list[str] = []
    if journal is None or not journal.exists():
        return known, intakes
    for line in journal.read_text().splitlines():
        try:
            told = json.loads(line)
        except ValueError:
            continue
        known.update((name, size, changed) for name, size, changed in told["files"])
        intakes.append(told["intake"])
    return known, intakes


def _write(journal: Path | None, intake: str, marks: list[_Known]) -> None:
    if journal is None:
        return
    with journal.open("a") as file:
        # On a line of its own, whatever was cut off before it.
        file.write(f"\n{json.dumps({'intake': intake, 'files': marks})}\n")
        file.flush()
        os.fsync(file.fileno())


def _ended(connection: Connection, slug: str, intake: str, until: float) -> dict[str, int]:
    while True:
        told = connection.get(f"projects/{slug}/intake/{intake}")
        if told["state"] == "finished":
            return dict(told["counts"])
        if told["state"] != "running":
            why = (told["job"] or {}).get("error") or "Somebody stopped it."
            raise HilltopError("intake_ended", f"The intake {intake} is {told['state']}: {why}")
        if time.monotonic() > until:
            raise HilltopError(
                "too_slow", f"The server still looks at the photos of intake {intake}. Call again later."
            )
        time.sleep(_LOOK_S)
