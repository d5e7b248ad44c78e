"""What the package does by itself: it is light, uploads go on where they were, and errors are the server's words."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from hilltop_client import Examples, HilltopError
from hilltop_client.connection import Connection
from hilltop_client.examples import in_force
from hilltop_client.project import Project
from hilltop_client.uploading import JOURNAL

from config.database import ROOT


class Server:
    """Answers as a Hilltop would, and breaks off when it is told to. ``taken``: names of the files of each part."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.taken: list[list[str]] = []
        self.breaks_after: int | None = None
        self.answers: list[httpx.Response] = []
        self.connection = Connection("http://hilltop", "token", tries=2)
        transport = httpx.MockTransport(self._answer)
        self.connection._http = httpx.Client(transport=transport, base_url="http://hilltop/api/v1/")
        monkeypatch.setattr("hilltop_client.connection.time.sleep", lambda _seconds: None)
        self.project = Project(self.connection, "cells", {"classes": ["good", "bad"]})

    def _answer(self, request: httpx.Request) -> httpx.Response:
        if self.answers:
            return self.answers.pop(0)
        if request.method == "POST":
            if self.breaks_after is not None and len(self.taken) >= self.breaks_after:
                raise httpx.ReadError("the line broke")
            body = request.read().decode("latin-1")
            self.taken.append([part.split('"')[0] for part in body.split('name="files"; filename="')[1:]])
            return httpx.Response(202, json={"id": str(len(self.taken) - 1)})
        if request.url.path.endswith("/files"):
            return httpx.Response(200, json={"results": [], "next": None})
        count = len(self.taken[int(request.url.path.rpartition("/")[2])])
        return httpx.Response(200, json={"state": "finished", "counts": {"added": count}, "job": None})


def photos(folder: Path, count: int) -> Path:
    (folder / "front").mkdir(parents=True)
    for number in range(count):
        (folder / "front" / f"{number:03}.png").write_bytes(bytes([number]) * 10)
    (folder / ".hidden").write_bytes(b"no photo")
    return folder


def test_an_upload_that_broke_off_sends_only_what_was_not_acknowledged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, folder = Server(monkeypatch), photos(tmp_path / "photos", 250)
    server.breaks_after = 2
    with pytest.raises(HilltopError) as broken:
        server.project.upload(folder)
    assert broken.value.code == "no_connection" and [len(part) for part in server.taken] == [100, 100]
    # What was being written when the power went says nothing.
    with (folder / JOURNAL).open("a") as journal:
        journal.write('{"intake": "9", "fil')
    server.breaks_after, seen = None, []
    told = server.project.upload(folder, on_progress=lambda done, total: seen.append((done, total)))
    assert (told.sent, told.skipped, told.counts) == (50, 200, {"added": 250})
    assert seen == [(250, 250)]
    names = [name for part in server.taken for name in part]
    assert sorted(names) == [f"front/{number:03}.png" for number in range(250)], "each once"
    (folder / "front" / "007.png").write_bytes(b"another picture")
    assert server.project.upload(folder).sent == 1


def test_refusals_are_the_servers_own_words_and_what_is_to_come_later_comes_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = Server(monkeypatch)
    error = {"error": {"code": "unknown_class", "message": "There is no class.", "fields": {"class": ["x"]}}}
    server.answers = [httpx.Response(503, headers={"Retry-After": "1"}), httpx.Response(422, json=error)]
    with pytest.raises(HilltopError, match="There is no class") as refused:
        server.connection.get("projects/cells")
    assert (refused.value.code, refused.value.status) == ("unknown_class", 422)
    assert refused.value.fields == {"class": ["x"]}
    server.answers = [httpx.Response(502, text="<html>")]
    with pytest.raises(HilltopError) as refused:
        server.connection.get("projects/cells")
    assert refused.value.code == "no_answer"


def truth(created: str, ended: str | None, **said: Any) -> dict[str, Any]:
    return {"kind": "class", "origin": "agreement", "created_at": created, "superseded_at": ended} | said


def test_labels_of_a_moment_are_those_that_were_in_force_then() -> None:
    first = truth("2026-03-01T10:00:00Z", "2026-03-05T10:00:00Z")
    second = truth("2026-03-05T10:00:00Z", None)
    gold, held = (
        truth("2026-03-01T10:00:00Z", None, origin="gold"),
        truth("2026-03-01T10:00:00Z", None, kind="hold"),
    )

    def then(day: int) -> list[dict[str, Any]]:
        return [
            row
            for row in (first, second, gold, held)
            if in_force(datetime(2026, 3, day, 10, tzinfo=UTC))(row)
        ]

    assert [then(day) for day in (1, 4, 5, 9)] == [[first], [first], [second], [second]]
    assert then(1)[0] is first and in_force(datetime(2026, 2, 28, tzinfo=UTC))(first) is False


def test_a_photo_stays_on_its_side_of_a_split() -> None:
    hashes = [f"{number * 2_654_435_761 % 2**32:08x}" + "0" * 56 for number in range(400)]
    vectors = np.arange(800, dtype=np.float32).reshape(400, 2)
    examples = Examples(hashes, vectors, ["good", "bad"] * 200, ["good", "bad"], [])
    learned, out = examples.split(0.25)
    assert set(learned.sha256) | set(out.sha256) == set(hashes) and len(out) == pytest.approx(100, abs=5)
    fewer = Examples(hashes[:100], vectors[:100], ["good", "bad"] * 50, ["good", "bad"], [])
    assert set(fewer.split(0.25)[1].sha256) <= set(out.sha256)
    data = learned.torch()
    vector, number = data[5]
    assert vector.tolist() == learned.vectors[5].tolist()
    assert learned.classes[int(number)] == learned.labels[5]


def test_neither_django_nor_torch_is_loaded_with_it() -> None:
    code = (
        "import hilltop_client, sys\n"
        "heavy = {'django', 'torch', 'numpy', 'pandas', 'pyarrow', 'inference', 'labeling'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    told = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT / "client",
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert told.stdout.strip() == "[]"


def test_notebooks_are_committed_without_what_they_showed() -> None:
    books = sorted((ROOT / "client" / "notebooks").glob("*.ipynb"))
    assert len(books) == 3
    for path in books:
        for cell in json.loads(path.read_text())["cells"]:
            assert not cell.get("outputs") and not cell.get("execution_count"), path.name
