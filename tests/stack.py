"""Starts and stops real web and worker processes on the test database."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

from django.db import connection

from config.database import ROOT


def free_port() -> int:
    """A port that the system gives to nobody else for a minute, for a connection has just been closed there."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        with socket.create_connection(server.getsockname()):
            server.accept()[0].close()
        return int(server.getsockname()[1])


class Stack:
    """A web server and job workers, each in its own process group, talking to the test's database.

    ``url`` is where the web server answers. Logs are kept in ``log_dir``, for a failing test to read. ``environment``:
    variables that its processes have beside the test's own.
    """

    def __init__(self, **environment: str) -> None:
        self._own = environment
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log_dir = Path(os.environ["HILLTOP_VAR"]) / "logs"
        self.log_dir.mkdir(parents=True, exist_ok=True)
        self.web: subprocess.Popen[bytes] | None = None
        self.workers: list[subprocess.Popen[bytes]] = []

    def environment(self) -> dict[str, str]:
        name = connection.settings_dict["NAME"]
        parts = urlsplit(os.environ["DATABASE_URL"])
        ours = {"DATABASE_URL": parts._replace(path=f"/{name}").geturl()}
        # On a machine that is busy with tests, silence is no sign of an outage.
        return {**os.environ, "HILLTOP_DB_PATIENCE": "5", **ours, **self._own}

    def ensure_web(self) -> None:
        if self.web is not None and self.web.poll() is None:
            return
        self.web = self._spawn(
            "web",
            [
                sys.executable, "-m", "granian", "--interface", "asginl", "--host", "127.0.0.1",
                "--port", str(self.port), "--workers", "1", "--no-ws", "config.asgi:application",
            ],
        )  # fmt: skip
        self._wait_for_web()

    def start_worker(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start one job worker, and return its process (a group leader) once it beats."""
        before = self._newest_worker()
        worker = self._spawn("worker", [sys.executable, "-m", "tests.tiny_network", *arguments])
        self.workers.append(worker)
        while self._newest_worker() <= before:
            if worker.poll() is not None:
                raise RuntimeError(f"the worker ended at once:\n{self.log('worker')[-4000:]}")
            time.sleep(0.05)
        return worker

    def _newest_worker(self) -> int:
        with connection.cursor() as cursor:
            cursor.execute("SELECT coalesce(max(id), 0) FROM procrastinate_workers")
            return int(cursor.fetchone()[0])

    def stop_workers(self) -> None:
        for worker in self.workers:
            _end(worker)
        self.workers.clear()

    def settle(self, patience: float = 60.0) -> None:
        """Wait until the web server has done with what a closed browser had still asked: it holds locks meanwhile."""
        quiet, deadline = 0, time.monotonic() + patience
        while quiet < 3 and time.monotonic() < deadline:
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
                    "AND pid <> pg_backend_pid() AND backend_type = 'client backend' AND state <> 'idle'"
                )
                (busy,) = cursor.fetchone()
            quiet = 0 if busy else quiet + 1
            time.sleep(0.05)

    def stop(self) -> None:
        self.stop_workers()
        if self.web is not None:
            _end(self.web)

    def log(self, name: str) -> str:
        """What the process called ``name`` (``web`` or ``worker``) has written so far."""
        return (self.log_dir / f"{name}-{self.port}.log").read_text(errors="replace")

    def _spawn(self, name: str, command: list[str]) -> subprocess.Popen[bytes]:
        with (self.log_dir / f"{name}-{self.port}.log").open("ab") as log:
            return subprocess.Popen(
                command,
                cwd=ROOT,
                env=self.environment(),
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _wait_for_web(self, timeout: float = 180.0) -> None:
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            assert self.web is not None
            if self.web.poll() is not None:
                raise RuntimeError(f"the web server ended at once:\n{self.log('web')[-4000:]}")
            try:
                urllib.request.urlopen(f"{self.url}/login", timeout=5)
            except urllib.error.HTTPError:
                return  # it answers; what it answers is a test's business
            except OSError:
                time.sleep(0.1)
            else:
                return
        raise RuntimeError(f"the web server did not answer in {timeout:.0f} s:\n{self.log('web')[-4000:]}")


def _end(process: subprocess.Popen[bytes], patience: float = 10.0) -> None:
    """Ask the whole process group to end; kill what does not."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
