"""``manage.py serve`` on a database of its own: what a person starts, kills, and stops with Ctrl-C."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from benchmarks.running import answers
from config.database import ROOT, start_embedded, stop_embedded
from tests import database
from tests.processes.liveness import gone
from tests.stack import free_port


@dataclass
class Served:
    process: subprocess.Popen[bytes]
    url: str
    var: Path

    def children(self, word: str) -> list[psutil.Process]:
        found = []
        for child in psutil.Process(self.process.pid).children():
            with contextlib.suppress(psutil.Error):  # it has just ended
                if word in child.cmdline():
                    found.append(child)
        return found

    def postmaster(self) -> int:
        """Its process id; 0 while there is none (a server that is starting has yet to write it)."""
        try:
            return int((self.var / "postgres" / "postmaster.pid").read_text().split("\n", 1)[0] or 0)
        except FileNotFoundError:
            return 0

    def wait_until(self, holds: Callable[[], bool], what: str, timeout: float = 180.0) -> None:
        deadline = time.monotonic() + timeout
        while not holds():
            assert time.monotonic() < deadline, f"{what} not within {timeout:.0f} s:\n{self.log()[-3000:]}"
            time.sleep(0.1)

    def log(self) -> str:
        return (self.var / "output").read_text(errors="replace")


@pytest.fixture
def served(django_db_setup: None) -> Iterator[Served]:
    # Not below pytest's own folder: as root, the database server runs as another user, who must reach it.
    folder = Path(tempfile.mkdtemp(prefix="hilltop-serving-"))
    folder.chmod(0o755)
    port = free_port()
    environment = os.environ | {
        "HILLTOP_VAR": str(folder),
        "HILLTOP_PORT": str(port),
        "HILLTOP_WEB_WORKERS": "2",
    }
    for name in ("DATABASE_URL", "HILLTOP_EMBEDDED", "HILLTOP_HOST"):
        environment.pop(name, None)
    database.copy_to(start_embedded(folder / "postgres", keep_running=True))
    with (folder / "output").open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "serve"],
            cwd=ROOT,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    served = Served(process, f"http://127.0.0.1:{port}", folder)
    served.wait_until(lambda: answers(served.url), "an answer")
    yield served
    if process.poll() is None:
        process.kill()
        process.wait()
    stop_embedded(folder / "postgres")
    shutil.rmtree(folder, ignore_errors=True)


def test_whatever_is_killed_comes_back_and_ctrl_c_stops_everything(served: Served) -> None:
    [web] = served.children("granian")
    served.wait_until(lambda: bool(served.children("worker")), "the job worker")

    os.kill(web.children()[0].pid, signal.SIGKILL)
    served.wait_until(lambda: len(web.children()) == 2 and answers(served.url), "both web processes again")

    os.kill(web.pid, signal.SIGKILL)
    served.wait_until(
        lambda: any(child.pid != web.pid for child in served.children("granian")), "a new web server"
    )
    served.wait_until(lambda: answers(served.url), "an answer after the web server was killed")

    [worker] = served.children("worker")
    os.kill(worker.pid, signal.SIGKILL)
    served.wait_until(
        lambda: any(child.pid != worker.pid for child in served.children("worker")), "a new job worker"
    )

    before = served.postmaster()
    os.kill(before, signal.SIGKILL)
    served.wait_until(
        lambda: served.postmaster() not in {0, before} and answers(served.url),
        "an answer after the database was killed",
    )

    family = [process.pid for process in psutil.Process(served.process.pid).children(recursive=True)]
    database = served.postmaster()
    served.process.send_signal(signal.SIGINT)
    assert served.process.wait(120) == 0, served.log()
    assert not [pid for pid in [*family, database] if not gone(pid)], "something outlived Ctrl-C"
    last_words = served.log().split("stopping …")[-1]
    assert last_words.strip().endswith("the database is stopped"), last_words
    assert "Traceback" not in last_words
