"""A Hilltop to measure: one that runs already, or an own one on a temporary database and a free port.

The own one is what people run (granian, the job worker, the supervisor, PostgreSQL with fsync), only elsewhere.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from config.database import ROOT, start_embedded, stop_embedded
from labeling.catalog.elpv import elpv_folder


@dataclass(frozen=True, slots=True)
class Target:
    """Where it answers. ``database`` and ``log`` are known of an own one only."""

    url: str
    database: str = ""
    log: Path | None = None
    supervisor: int = 0

    @property
    def is_own(self) -> bool:
        return bool(self.database)


@contextlib.contextmanager
def own_database() -> Iterator[Path]:
    """A temporary folder with a database, both named in the environment, until the block ends."""
    folder = Path(tempfile.mkdtemp(prefix="hilltop-benchmark-"))
    folder.chmod(0o755)  # as root, the database server runs as another user
    before = {name: os.environ.get(name) for name in ("HILLTOP_VAR", "DATABASE_URL", "HILLTOP_EMBEDDED")}
    try:
        os.environ["HILLTOP_VAR"] = str(folder / "var")
        os.environ["DATABASE_URL"] = start_embedded(folder / "postgres", keep_running=True)
        os.environ.pop("HILLTOP_EMBEDDED", None)
        yield folder
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
        stop_embedded(folder / "postgres")
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def cloned_database() -> Iterator[None]:
    """A copy of the database that the environment names, named there in its place until the block ends.

    Nobody is connected to either of them when the block begins and ends.
    """
    whole = os.environ["DATABASE_URL"]
    names = {"name": sql.Identifier(urlsplit(whole).path.lstrip("/")), "clone": sql.Identifier("clone")}
    with psycopg.connect(_with_path(whole, "/template1"), autocommit=True) as session:
        # Its files as they lie, not block by block through the log: most of it are rows that nobody will change.
        create = sql.SQL("CREATE DATABASE {clone} TEMPLATE {name} STRATEGY FILE_COPY")
        session.execute(create.format(**names))
    try:
        os.environ["DATABASE_URL"] = _with_path(whole, "/clone")
        yield
    finally:
        os.environ["DATABASE_URL"] = whole
        with psycopg.connect(_with_path(whole, "/template1"), autocommit=True) as session:
            session.execute(sql.SQL("DROP DATABASE {clone} WITH (FORCE)").format(**names))


def _with_path(url: str, path: str) -> str:
    return urlsplit(url)._replace(path=path).geturl()


@contextlib.contextmanager
def hilltop(command: str = "serve", *, web_workers: int = 2, workers: int = 1) -> Iterator[Target]:
    """Run ``manage.py serve`` (or ``demo``) on the database of :func:`own_database` until the block ends."""
    port = free_port()
    log = Path(os.environ["HILLTOP_VAR"]) / "server.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    environment = os.environ | {
        "HILLTOP_HOST": "127.0.0.1",
        "HILLTOP_PORT": str(port),
        "HILLTOP_WEB_WORKERS": str(web_workers),
        "HILLTOP_WORKERS": str(workers),
        "HILLTOP_INTAKE_ROOTS": str(elpv_folder()),
        "PYTHONUNBUFFERED": "1",
    }
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "manage.py", command],
            cwd=ROOT,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    target = Target(f"http://127.0.0.1:{port}", os.environ["DATABASE_URL"], log, process.pid)
    try:
        _wait(target, process)
        yield target
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(40)
        except subprocess.TimeoutExpired:
            process.kill()


def answers(url: str) -> bool:
    """Whether a healthy Hilltop answers at ``url``."""
    try:
        with urllib.request.urlopen(f"{url}/healthz", timeout=3) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _wait(target: Target, process: subprocess.Popen[bytes], timeout: float = 120.0) -> None:
    deadline = time.monotonic() + timeout
    while not answers(target.url):
        assert target.log is not None
        if process.poll() is not None or time.monotonic() > deadline:
            raise SystemExit(f"The server did not start:\n{target.log.read_text(errors='replace')[-4000:]}")
        time.sleep(0.1)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
