"""A Hilltop of its own to disturb: database, web server, worker and supervisor, on a small disk where one can be had."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import psutil

from benchmarks.chaos.people import wait_until
from benchmarks.running import answers, free_port
from config.database import ROOT, start_embedded, stop_embedded

DISK = "1500m"
#: Makes the time of day wrong, for the processes that load it.
CLOCK = Path(__file__).with_name("clock.c")


@dataclass
class House:
    """``small``: it lies on a disk of its own, which can be filled. ``clocked``: its clock can be set wrong."""

    folder: Path
    url: str
    environment: dict[str, str]
    small: bool
    clocked: bool
    database_url: str = ""
    supervisor: subprocess.Popen[bytes] | None = None
    log: IO[bytes] = field(init=False)

    def __post_init__(self) -> None:
        self.log = (self.folder / "log").open("ab")

    @property
    def data(self) -> Path:
        return self.folder / "var" / "postgres"

    @property
    def mood(self) -> Path:
        """Of the store of photos (:mod:`benchmarks.chaos.far_store`)."""
        return self.folder / "mood.json"

    def start(self) -> None:
        """What systemd does, too, when it has ended: the old one must have let go of the port and the folder first."""
        self.supervisor = subprocess.Popen(
            [sys.executable, "manage.py", "serve"],
            cwd=ROOT,
            env=self.environment,
            stdout=self.log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def keep_running(self) -> None:
        """Start it again if it has ended."""
        if self.supervisor is None or self.supervisor.poll() is not None:
            self.start()

    def stop(self) -> None:
        if self.supervisor is not None and self.supervisor.poll() is None:
            self.supervisor.send_signal(signal.SIGTERM)
            try:
                self.supervisor.wait(60)
            except subprocess.TimeoutExpired:
                self.supervisor.kill()
        self.log.close()

    def web(self) -> list[psutil.Process]:
        """The web server's processes that answer."""
        return [process for server in self.children("granian") for process in server.children()]

    def children(self, word: str) -> list[psutil.Process]:
        """Of the supervisor, by a word of their command line."""
        assert self.supervisor is not None
        found = []
        with contextlib.suppress(psutil.Error):
            for process in psutil.Process(self.supervisor.pid).children():
                with contextlib.suppress(psutil.Error):  # it has just ended
                    if word in process.cmdline():
                        found.append(process)
        return found

    def database(self) -> list[psutil.Process]:
        """Its first process, and then the others; none while it is away."""
        with contextlib.suppress(OSError, ValueError, psutil.Error):
            first = psutil.Process(int((self.data / "postmaster.pid").read_text().split("\n", 1)[0]))
            return [first, *first.children(recursive=True)]
        return []

    def answers(self) -> bool:
        return answers(self.url)

    def tell_the_store(self, **mood: float) -> None:
        """How it is from now on; nothing: well."""
        new = self.mood.with_suffix(".new")
        new.write_text(json.dumps(mood))
        new.replace(self.mood)

    def set_clock(self, seconds: int) -> None:
        """So much ahead of the right time, in all processes at once.

        In its place: of a file that is cut short, be it for a moment, a mapped page is gone, and the kernel ends whoever
        reads it (SIGBUS). That was most often a session of PostgreSQL, which then ends all the others.
        """
        file = os.open(self.folder / "clock", os.O_WRONLY | os.O_CREAT, 0o644)
        try:
            os.pwrite(file, struct.pack("q", seconds), 0)
        finally:
            os.close(file)

    def tracebacks(self) -> list[str]:
        """What broke in which process, each once."""
        by_process: defaultdict[str, list[str]] = defaultdict(list)
        for line in self._log():
            name, _bar, text = line.partition("| ")
            by_process[name].append(text)
        found: dict[str, None] = {}
        for name, lines in by_process.items():
            for number, line in enumerate(lines):
                if line.startswith("Traceback"):
                    after = range(number + 1, len(lines))
                    end = next((n for n in after if lines[n][:1].strip()), len(lines) - 1)
                    told = "\n".join(lines[max(number - 1, 0) : end + 1])
                    found[f"{name.strip()}: {told[-3000:]}"] = None
        return list(found)

    def troubles(self) -> Counter[str]:
        """In whose words requests were told to wait, and how many."""
        told = (line.partition("a request met trouble: ")[2] for line in self._log())
        # Without the name of the file that it was about.
        return Counter(re.split(r' "| for v?\w+/', each)[0] for each in told if each)

    def _log(self) -> list[str]:
        return (self.folder / "log").read_text(errors="replace").splitlines()

    def tail(self) -> str:
        return "\n".join(self._log()[-40:])


@contextlib.contextmanager
def house(prepare: Callable[[str, str], None]) -> Iterator[House]:
    """A house that runs and answers until the block ends. ``prepare(url, var)`` fills its empty database."""
    folder = Path(tempfile.mkdtemp(prefix="hilltop-chaos-"))
    folder.chmod(0o755)  # as root, the database server runs as another user, who must reach it
    small = _on_a_small_disk(folder)
    built: House | None = None
    try:
        port = free_port()
        clock = clock_of(folder)
        built = House(
            folder, f"http://127.0.0.1:{port}", _environment(folder, port, clock), small, bool(clock)
        )
        built.set_clock(0)
        # Of the log of changes no more than the small disk has room for.
        url = start_embedded(
            built.data, keep_running=True, extra="max_wal_size = 256MB\nmin_wal_size = 64MB\n"
        )
        built.database_url = url
        prepare(url, str(folder / "var"))
        stop_embedded(built.data)  # so that it is the house's own, and has the house's clock
        built.start()
        if not wait_until(built.answers, 180):
            raise SystemExit(f"Hilltop did not start:\n{built.tail()}")
        yield built
    finally:
        if built is not None:
            built.stop()
        stop_embedded(folder / "var" / "postgres")
        if small:
            subprocess.run(["umount", "--lazy", folder], check=True)
        shutil.rmtree(folder, ignore_errors=True)


def _environment(folder: Path, port: int, clock: dict[str, str]) -> dict[str, str]:
    own = {
        "HILLTOP_VAR": str(folder / "var"),
        "HILLTOP_HOST": "127.0.0.1",
        "HILLTOP_PORT": str(port),
        "HILLTOP_WEB_WORKERS": "2",
        "HILLTOP_STORAGE": json.dumps(
            {
                "BACKEND": "benchmarks.chaos.far_store.FarStore",
                "OPTIONS": {"location": str(folder / "photos"), "mood": str(folder / "mood.json")},
            }
        ),
        "HILLTOP_ADAPT_AFTER": "0",  # minutes of computing that would leave no processor for all the others
        "PYTHONUNBUFFERED": "1",
        "TMPDIR": str(folder),  # temporary files too lie on the disk that can be full
    }
    others = {
        name: value for name, value in os.environ.items() if not name.startswith(("DATABASE_", "HILLTOP_"))
    }
    # On a machine that is busy with other things, silence is no sign of an outage: whoever knows that says so.
    patience = {name: value for name in ("HILLTOP_DB_PATIENCE",) if (value := os.environ.get(name))}
    return others | own | clock | patience


def clock_of(folder: Path) -> dict[str, str]:
    """What makes processes read the house's own clock; nothing where there is no C compiler."""
    compiler, library = shutil.which("cc"), folder / "clock.so"
    if compiler is None:
        return {}
    subprocess.run([compiler, "-shared", "-fPIC", "-O2", "-o", str(library), str(CLOCK), "-ldl"], check=True)
    return {"LD_PRELOAD": str(library), "CHAOS_CLOCK": str(folder / "clock")}


def _on_a_small_disk(folder: Path) -> bool:
    """Put a file system of its own under the folder, where this may be done (as root, outside of most sandboxes)."""
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK},mode=755", "tmpfs", str(folder)]
    return os.geteuid() == 0 and subprocess.run(mount, stderr=subprocess.DEVNULL, check=False).returncode == 0
