"""A database of their own that is restarted, stopped, frozen or full, and a web server and a worker on top of it."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import string
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import psutil
import psycopg
import pytest

from config.database import ROOT, start_embedded, stop_embedded
from tests import database
from tests.stack import Stack

SEED = """
from labeling.people.models import User
from knox.models import get_token_model
user = User.objects.create_superuser("root", password="root")
print(get_token_model().objects.create(user=user)[1])
"""


@dataclass
class House:
    """``data``: the database's folder. ``stack``: a web server. ``small``: the disk that all of it lies on can be filled."""

    data: Path
    stack: Stack
    url: str
    token: str
    small: bool

    def start(self) -> None:
        start_embedded(self.data, keep_running=True)

    def stop(self) -> None:
        stop_embedded(self.data)

    def processes(self) -> list[psutil.Process]:
        first = psutil.Process(int((self.data / "postmaster.pid").read_text().split("\n", 1)[0]))
        return [first, *first.children(recursive=True)]

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Nothing answers, yet nothing is closed: what a stopped machine or a hung disk looks like."""
        stopped = self.processes()
        for process in stopped:
            process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            for process in stopped:
                process.send_signal(signal.SIGCONT)

    def get(self, path: str) -> tuple[int, Message, str]:
        # A page needs no database to send a stranger to the log-in; a browser's session has to be looked up.
        api = path.startswith("/api/")
        headers = {"Authorization": f"Token {self.token}"} if api else {"Cookie": f"sessionid={'a' * 32}"}
        request = urllib.request.Request(self.stack.url + path, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                return answer.status, answer.headers, answer.read().decode()
        except HTTPError as error:
            return error.code, error.headers, error.read().decode()

    def post(self, path: str, body: dict[str, Any], *, expect: int | None = None) -> tuple[int, str]:
        headers = {"Authorization": f"Token {self.token}", "Content-Type": "application/json"}
        request = urllib.request.Request(self.stack.url + path, json.dumps(body).encode(), headers)
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                told = answer.status, answer.read().decode()
        except HTTPError as error:
            told = error.code, error.read().decode()
        assert expect in (None, told[0]), told
        return told

    def health(self) -> tuple[int, str]:
        status, _headers, body = self.get("/healthz")
        return status, json.loads(body)["status"]

    def shell(self, code: str) -> str:
        """What the code prints that is run in this house."""
        told = subprocess.run(
            [sys.executable, "manage.py", "shell", "-v0", "-c", code],
            cwd=ROOT, env=self.stack.environment(), check=True, stdout=subprocess.PIPE, text=True, timeout=300,
        )  # fmt: skip
        return told.stdout.strip()

    def row(self, query: str, *values: object) -> tuple[Any, ...] | None:
        with psycopg.connect(self.url, autocommit=True) as line:
            return line.execute(query, values).fetchone()

    def start_worker(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", "tests.jobs.worker_with_slow_jobs"],
            cwd=ROOT, env=self.stack.environment(), start_new_session=True,
        )  # fmt: skip

    def ask_together(self, path: str, times: int, at_once: int = 12) -> list[int]:
        """Statuses of so many requests, a dozen on their way at a time."""
        told: list[int] = []
        left = iter(range(times))

        def asking() -> None:
            for _ in left:
                told.append(self.get(path)[0])

        threads = [threading.Thread(target=asking) for _ in range(at_once)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return told


def _on_a_small_disk(folder: Path) -> bool:
    """Put a file system of its own under the folder, where this may be done (as root, outside of most sandboxes)."""
    mount = ["mount", "-t", "tmpfs", "-o", "size=400m,mode=755", "tmpfs", folder]
    return os.geteuid() == 0 and subprocess.run(mount, stderr=subprocess.DEVNULL).returncode == 0


@pytest.fixture(scope="module")
def house(django_db_setup: None) -> Iterator[House]:
    # Not below pytest's own folder: as root, the database server runs as another user, who must reach it.
    folder = Path(tempfile.mkdtemp(prefix="hilltop-outages-"))
    folder.chmod(0o755)
    small = _on_a_small_disk(folder)
    data = folder / "postgres"
    stack: Stack | None = None
    try:
        url = start_embedded(data, keep_running=True, extra="fsync = off\nsynchronous_commit = off\n")
        database.copy_to(url)
        stack = Stack(DATABASE_URL=url, HILLTOP_VAR=str(folder / "var"), HILLTOP_DB_PATIENCE="")
        house = House(data, stack, url, "", small)
        house.token = house.shell(SEED)
        stack.ensure_web()
        yield house
    finally:
        if stack is not None:
            stack.stop()
        stop_embedded(data)
        if small:
            subprocess.run(["umount", "--lazy", folder], check=True)
        shutil.rmtree(folder, ignore_errors=True)


def test_after_a_restart_the_first_requests_find_lines_that_live(house: House) -> None:
    assert set(house.ask_together("/api/v1/me", 60)) == {200}, "so that the pool is full"
    house.stop()
    house.start()
    assert house.ask_together("/api/v1/me", 60) == [200] * 60


def test_what_is_asked_during_an_outage_is_told_so_and_all_is_well_behind_it(house: House) -> None:
    house.stop()
    try:
        for path in ("/api/v1/me", "/", "/p/x/label"):
            status, headers, body = house.get(path)
            assert (status, headers["Retry-After"]) == (503, "5"), path
            assert "Nothing that was confirmed to you is lost" in body
        assert json.loads(house.get("/api/v1/me")[2])["error"]["code"] == "database_away"
        assert "<h1>The database is away for a moment</h1>" in house.get("/")[2]
        assert house.health() == (503, "database unreachable")
    finally:
        house.start()
    assert house.ask_together("/api/v1/me", 24) == [200] * 24
    _eventually(lambda: house.health() == (200, "ok"))


def test_a_frozen_database_hangs_nobody(house: House) -> None:
    assert set(house.ask_together("/api/v1/me", 24)) == {200}
    with house.frozen():
        _eventually(lambda: house.health() == (503, "database unreachable"))
        status, headers, body = house.get("/api/v1/me")
        assert (status, headers["Retry-After"]) == (503, "5")
        assert json.loads(body)["error"]["code"] == "database_away"
        assert set(house.ask_together("/api/v1/me", 24)) == {503}
        status, told = house.post("/api/v1/projects/x/intake", {"folder": "x" * (3 * 2**20)})
        assert (status, json.loads(told)["error"]["code"]) == (503, "database_away")
    _eventually(lambda: house.health() == (200, "ok"))
    assert house.ask_together("/api/v1/me", 24) == [200] * 24


def test_a_long_query_is_not_taken_for_a_frozen_database(house: House) -> None:
    """Longer than the patience of a web process, through the connection that its pool is made of."""
    code = (
        "from django.conf import settings; settings.DATABASE_PATIENCE_S = 0.5\n"
        "from django.db import connection\n"
        "cursor = connection.cursor(); cursor.execute('SELECT pg_sleep(2)::text || %s', ['slept'])\n"
        "print(cursor.fetchone()[0])"
    )
    assert house.shell(code) == "slept"


def test_a_full_disk_is_named(house: House) -> None:
    if not house.small:
        pytest.skip("no disk of its own can be mounted here, so none can be filled")
    noise = random.Random(1)  # makes nothing that could be compressed
    classes = [
        {"key": f"c{n}", "name": f"C{n}", "criteria": "".join(noise.choices(string.ascii_letters, k=9000))}
        for n in range(20)
    ]
    project = {"name": "Full", "question": "?", "classes": classes}
    ballast = house.data.parent / "ballast"
    house.post("/api/v1/projects", project | {"slug": "before"}, expect=201)

    def fill() -> None:
        """To the brim, again: a checkpoint gives room back that the log of changes had taken."""
        with ballast.open("ab", buffering=0) as file, suppress(OSError):
            while True:
                file.write(b"x" * 65536)

    def is_told() -> bool:
        fill()
        return house.health() == (503, "disk full")

    try:
        fill()
        # The first ones may find room in what the tables have already.
        told = [house.post("/api/v1/projects", project | {"slug": f"full-{n}"}) for n in range(8)]
        assert (told[-1][0], json.loads(told[-1][1])["error"]["code"]) == (507, "disk_full")
        assert {status for status, _body in told} <= {201, 507}
        _eventually(is_told)
        # What each session reads at its beginning is written anew after tables changed: without room nobody can begin.
        for file in house.data.rglob("pg_internal.init"):
            file.unlink()
        for _ in range(20):  # longer than an answer is kept
            assert is_told()
            time.sleep(0.1)
        assert house.get("/api/v1/me")[0] == 200, "what is there can be looked at"
    finally:
        ballast.unlink()
    _eventually(lambda: house.health() == (200, "ok"))
    house.post("/api/v1/projects", project | {"slug": "after"}, expect=201)


ENQUEUE = """
from labeling.jobs.services import enqueue
for name, steps in (("first", 30), ("second", 1)):
    print(enqueue(kind="test-steps", args={{"log": f"{folder}/{{name}}", "steps": steps, "pause": 0.2}}, lock="one").pk)
"""


def test_a_worker_and_its_job_outlast_a_restart(house: House, tmp_path: Path) -> None:
    log = tmp_path / "first"
    first, second = house.shell(ENQUEUE.format(folder=tmp_path)).split()
    worker = house.start_worker()
    try:
        _eventually(lambda: log.exists() and len(log.read_text().splitlines()) > 3)
        house.stop()
        _eventually(lambda: len(log.read_text().splitlines()) > 8)
        house.start()
        for job in (first, second):
            _eventually(
                lambda job=job: house.row("SELECT state FROM jobs_job WHERE id = %s", job) == ("succeeded",)
            )
            assert house.row("SELECT attempts, crashes FROM jobs_job WHERE id = %s", job) == (1, 0)
        assert len(log.read_text().splitlines()) == 30, "no step was done twice"
        assert worker.poll() is None, "the same process did both"
    finally:
        worker.kill()
        worker.wait()


def _eventually(holds: Callable[[], Any], patience: float = 120.0) -> None:
    deadline = time.monotonic() + patience
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)
