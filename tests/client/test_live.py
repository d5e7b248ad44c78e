"""The package, its notebooks and the examples of docs/agent.md against a live Hilltop, as whoever installs it meets them."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
from hilltop_client import Hilltop, HilltopError, Project
from nbclient import NotebookClient
from playwright._impl._driver import compute_driver_executable

from config.database import ROOT
from labeling.catalog.models import Item
from labeling.catalog.models import Project as OurProject
from labeling.people.models import Token
from tests.factories import TINY, make_project
from tests.learning.building import settle
from tests.learning.test_from_photos_to_scores import stripes_or_disc
from tests.stack import Stack

PHOTOS = 64
#: Whose labels say the other class: what the last notebook is to find.
SLIPS = (4, 9)


def written(folder: Path, numbers: range) -> Path:
    folder.mkdir(exist_ok=True)
    for number in numbers:
        (folder / f"{number:03}.png").write_bytes(stripes_or_disc(number))
    return folder


def labelled(project: OurProject) -> None:
    """All but the last eight, as people would have; two of them wrong."""
    items = list(Item.objects.filter(project=project).order_by("name")[: PHOTOS - 8])
    keys = [("functional", "defective")[number % 2] for number in range(len(items))]
    for slip in SLIPS:
        keys[slip] = ("functional", "defective")[(slip + 1) % 2]
    settle(project, items, keys)


def until(so: Any, *, within: float = 120.0) -> None:
    end = time.monotonic() + within
    while not so() and time.monotonic() < end:
        time.sleep(0.1)
    assert so()


@pytest.fixture
def hilltop(transactional_db: None) -> Iterator[Stack]:
    """Which may call back to where these tests listen."""
    stack = Stack(HILLTOP_FETCH_NETWORKS="127.0.0.0/8")
    stack.ensure_web()
    yield stack
    stack.stop()


@pytest.fixture
def cells(hilltop: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    """A project with photos that came by the package, people's labels, and a champion that scored them all."""
    ours = make_project(slug="cells", backbone=TINY, promote_automatically=False)
    monkeypatch.setenv("HILLTOP_URL", hilltop.url)
    monkeypatch.setenv("HILLTOP_TOKEN", Token.objects.create(user=ours.created_by)[1])
    monkeypatch.setenv("PYTHONPATH", f"{ROOT / 'client'}{os.pathsep}{ROOT}")
    hilltop.start_worker()
    with Hilltop() as client:
        project = client.project("cells")
        _begun(project, ours, tmp_path)
        yield project


def _begun(project: Project, ours: OurProject, tmp_path: Path) -> None:
    folder = written(tmp_path / "photos", range(PHOTOS))
    (folder / "notes.txt").write_text("no photo")
    told = project.upload(folder)
    assert {key: n for key, n in told.counts.items() if n} == {
        "added": PHOTOS,
        "refused": 1,
    } and told.refused[0]["reason"] == "not_an_image"
    assert project.upload(folder).sent == 0
    labelled(ours)
    until(lambda: _embedded(project) == PHOTOS)
    project.promote(project.train()["number"], "first")
    until(lambda: len(list(project.scores())) == PHOTOS)


def _embedded(project: Project) -> int:
    try:
        return len(list(project.embeddings(backbone=TINY)))
    except HilltopError as error:
        assert error.code in ("not_ready", "invalid"), error
        return 0


def test_what_is_read_is_what_is_there_and_the_notebooks_run(cells: Project, tmp_path: Path) -> None:
    _tables(cells)
    for name in ("explore", "train_and_register", "find_errors"):
        _executed(name, tmp_path)
    registered = next(version for version in cells.models() if version["number"] == 2)
    assert registered["comparison"]["champion"] == 1 and not registered["champion"]
    assert (
        cells.model(2)["manifest"]["trained_on"] + registered["metrics"]["cross_validated"]["n"] == PHOTOS - 8
    )
    assert _in_review(cells) > 0, "the last notebook sent doubted labels to review"
    _agents(tmp_path)


def _tables(cells: Project) -> None:
    photos = {row["name"]: row["sha256"] for row in cells.photos()}
    labels = cells.labels().pandas().set_index("sha256")
    assert len(labels) == PHOTOS - 8 and labels.loc[photos["000.png"], "class_now"] == "functional"
    assert list(cells.labels(as_of=datetime(2020, 1, 1, tzinfo=UTC))) == []
    scores = cells.scores().arrow()
    assert scores.num_rows == PHOTOS == len(cells.scores().pandas())
    matrix = cells.embeddings().matrix()
    one = cells.embeddings(photos=[photos["003.png"]]).matrix()
    place = matrix.sha256.index(photos["003.png"])
    assert matrix.vectors.shape == (PHOTOS, matrix.backbones[0]["dim"]) and matrix.version == 1
    assert np.array_equal(one.vectors[0], matrix.vectors[place])
    assert np.array_equal(cells.embeddings().pandas().loc[photos["003.png"]].to_numpy(), one.vectors[0])
    rows = {row["sha256"]: row["vector"] for row in cells.embeddings()}
    assert np.array_equal(np.float32(rows[photos["003.png"]]), one.vectors[0])
    assert cells.photo(photos["003.png"], "thumb")[8:12] == b"WEBP"
    with pytest.raises(HilltopError, match="no model version of this number"):
        list(cells.scores(version=7))


def _executed(name: str, folder: Path) -> None:
    book = nbformat.read(ROOT / "client" / "notebooks" / f"{name}.ipynb", as_version=4)
    NotebookClient(
        book, timeout=300, kernel_name="python3", resources={"metadata": {"path": folder}}
    ).execute()


def _in_review(cells: Project) -> int:
    return len(cells.connection.get("projects/cells/disputes")["results"])


def _agents(folder: Path) -> None:
    """Every example of the page says the same of one new photo: people are to decide it. Those that want to be called back
    are, once, in the words of the page's receiver."""
    photo = stripes_or_disc(1001)
    (folder / "photo.png").write_bytes(photo)
    text = (ROOT / "docs" / "agent.md").read_text()
    *asking, (_python, receiver) = re.findall(r"```(python|sh|js)\n(.*?)```", text, re.DOTALL)
    assert [language for language, _code in asking] == ["python", "sh", "js"] * 2
    node, _cli = compute_driver_executable()
    commands = {"python": [sys.executable, "-"], "sh": ["bash", "-euo", "pipefail", "-s"], "js": [node, "-"]}
    defined: dict[str, Any] = {}
    exec(receiver, defined)
    with _listening(lambda: (folder / "hilltop-secret").read_text(), defined["called"]) as (address, heard):
        for language, code in asking:
            told = subprocess.run(
                commands[language],
                input=code,
                cwd=folder,
                env=os.environ | {"MY_ADDRESS": address},
                capture_output=True,
                text=True,
                timeout=120,
            )
            assert told.returncode == 0, told.stderr
            assert ("held: off" in told.stdout) or '"reason":"off"' in told.stdout, told.stdout
        assert heard == []
        item = Item.objects.select_related("image", "project").get(
            image__sha256=hashlib.sha256(photo).hexdigest()
        )
        settle(item.project, [item], ["functional"])
        until(lambda: heard)
        assert heard == [f"{item.image.sha256}: functional"]


@contextmanager
def _listening(
    secret: Callable[[], str], called: Callable[[bytes, dict[str, str], str], str]
) -> Iterator[tuple[str, list[str]]]:
    """Its address, and what it was called for."""
    heard: list[str] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            heard.append(called(body, dict(self.headers.items()), secret()))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Receiver) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/called", heard
        server.shutdown()
