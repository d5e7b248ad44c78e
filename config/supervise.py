"""Keeps the web server and the job workers running, and stops everything together.

One supervisor a checkout of ``var/``. A child that ends is started again (at once, then with growing pauses when
it keeps ending); SIGINT or SIGTERM stops all children and, where it is ours, the embedded database.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from config.database import ROOT, start_embedded, stop_embedded, var_dir

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0
#: A child that ran for so long is not one that keeps ending.
STEADY_S = 10.0
GRACE_S = 15.0
#: For what an earlier supervisor left, which was told to end when that one died.
LEFT_GRACE_S = 5.0
CHECK_DATABASE_EVERY_S = 2.0

#: Of everything that a supervisor starts, and all that this starts: whose it is.
OWNER = "HILLTOP_SUPERVISED_IN"
_SET_PARENT_DEATH_SIGNAL = 1  # prctl(2)
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


class CannotStart(Exception):
    """Why the processes cannot be started, and what to do."""


@dataclass
class Program:
    """A process to keep running, and how it has been doing. ``once``: until it ends by itself, in good order."""

    name: str
    command: list[str]
    once: bool = False
    process: subprocess.Popen[str] | None = None
    started_at: float = 0.0
    start_at: float = 0.0
    pause: float = FIRST_PAUSE_S
    starts: int = field(default=0)


def web(*, host: str, port: int, workers: int) -> Program:
    """The web server: granian with ``workers`` processes, which it replaces by itself when they die."""
    return Program(
        "web",
        [
            sys.executable, "-m", "granian", "--interface", "asginl", "--host", host, "--port", str(port),
            "--workers", str(workers), "--respawn-failed-workers", "--respawn-interval", "0.5",
            "--workers-kill-timeout", "5", "--no-ws", "--log-level", "warning", "config.asgi:application",
        ],
    )  # fmt: skip


def predictions() -> Program:
    """The prediction service of this machine's web server."""
    return Program("predict", [sys.executable, "-m", "config.predict"])


def worker(number: int = 1) -> Program:
    """A job worker."""
    return Program("worker" if number == 1 else f"worker{number}", [sys.executable, "manage.py", "worker"])


class Supervisor:
    """Runs programs until it is told to stop. ``say`` prints a line; children's lines carry their name."""

    def __init__(self, programs: Sequence[Program], say: Callable[[str], None] | None = None) -> None:
        self.programs = list(programs)
        self.stopping = threading.Event()
        self._say = say or _print
        self._embedded = os.environ.get("HILLTOP_EMBEDDED") == "1"
        self._database_checked = 0.0

    def run(self, *, ready: Callable[[], None] | None = None, ready_url: str = "") -> None:
        """Start everything and keep it running; return when it was stopped.

        ``ready`` is called once, in a thread, when ``ready_url`` first answers.
        """
        lock = hold_var()
        try:
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, lambda *_: self.stopping.set())
            if ready is not None:
                threading.Thread(target=self._announce, args=(ready, ready_url), daemon=True).start()
            while not self.stopping.is_set():
                self._keep_database()
                for program in list(self.programs):
                    self._keep(program)
                self.stopping.wait(0.2)
        finally:
            self._stop_all()
            lock.close()

    def _keep(self, program: Program) -> None:
        now = time.monotonic()
        if program.process is not None:
            code = program.process.poll()
            if code is None:
                return
            _kill_group(program.process.pid)  # whatever it started must not outlive it
            program.process = None
            if program.once and code == 0:
                self.programs.remove(program)
                return
            if now - program.started_at >= STEADY_S:
                program.pause = FIRST_PAUSE_S
            program.start_at = now + program.pause
            self._say(f"{program.name} ended ({_why(code)}); starting it again in {program.pause:.1f} s")
            program.pause = min(program.pause * 2, LONGEST_PAUSE_S)
        if now >= program.start_at:
            self._start(program)

    def _start(self, program: Program) -> None:
        program.process = subprocess.Popen(
            program.command,
            cwd=ROOT,
            env={**os.environ, "PYTHONUNBUFFERED": "1", OWNER: str(var_dir())},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,  # Ctrl-C reaches the supervisor only, which stops its children in order
            preexec_fn=_end_with_parent if _libc else None,
        )
        program.started_at = time.monotonic()
        program.starts += 1
        assert program.process.stdout is not None
        threading.Thread(target=self._relay, args=(program.name, program.process.stdout), daemon=True).start()

    def _relay(self, name: str, output: IO[str]) -> None:
        for line in output:
            if text := line.rstrip():
                self._say(f"{name:<7}| {text}")

    def _keep_database(self) -> None:
        now = time.monotonic()
        if not self._embedded or now - self._database_checked < CHECK_DATABASE_EVERY_S:
            return
        self._database_checked = now
        if _database_runs():
            return
        self._say("the database ended; starting it again")
        try:
            start_embedded(var_dir() / "postgres", keep_running=True)
        except Exception as error:  # what it left behind may still be ending
            self._say(f"the database does not start yet ({type(error).__name__}); trying again")

    def _stop_all(self) -> None:
        running = [program for program in self.programs if program.process is not None]
        if running:
            self._say("stopping …")
        for program in running:
            assert program.process is not None
            if program.process.poll() is None:
                program.process.terminate()
        deadline = time.monotonic() + GRACE_S
        for program in running:
            assert program.process is not None
            try:
                program.process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                self._say(f"{program.name} does not end; killing it")
            _kill_group(program.process.pid)
            program.process.wait()
        if self._embedded and stop_embedded(var_dir() / "postgres"):
            self._say("the database is stopped")

    def _announce(self, ready: Callable[[], None], url: str) -> None:
        while not self.stopping.is_set():
            if answers(url):
                ready()
                return
            time.sleep(0.1)


def answers(url: str) -> bool:
    """Whether a web server answers at ``url``, whatever it says."""
    try:
        urllib.request.urlopen(url, timeout=5).close()  # noqa: S310  (our own address)
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


def check_port(host: str, port: int) -> None:
    """Raise :class:`CannotStart` when something else listens there already."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise CannotStart(
                f"Port {port} on {host} cannot be used ({error.strerror}). "
                f"Stop what is using it, or choose another one: HILLTOP_PORT={port + 1} make demo"
            ) from None


def hold_var() -> IO[str]:
    """Nobody else runs on this ``var/`` until the file is closed; raises :class:`CannotStart` where somebody does.

    What a supervisor left that was killed is ended first: it would hold the port, and write beside us.
    """
    path = var_dir() / "supervisor.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = path.open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        raise CannotStart(
            f"Hilltop is already running on {var_dir()}. Stop it first (Ctrl-C where it runs)."
        ) from None
    _end_what_was_left()
    return lock


def _end_what_was_left() -> None:
    """Linux alone tells a process's environment.

    All were sent SIGTERM when their supervisor died, once for each of its threads, and a web server that is interrupted in
    its own handler of a signal waits for itself for ever.
    """
    deadline = time.monotonic() + LEFT_GRACE_S
    for number in (signal.SIGTERM, signal.SIGKILL):
        for pid in _left():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        while _left() and time.monotonic() < deadline:
            time.sleep(0.1)


def _left() -> list[int]:
    """Processes that some supervisor of this ``var/`` started, and that run."""
    mark, found = f"{OWNER}={var_dir()}".encode(), []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it has ended, or is another user's
            if mark in (process / "environ").read_bytes().split(b"\0"):
                found.append(int(process.name))
    return found


def _database_runs() -> bool:
    pid_file = var_dir() / "postgres" / "postmaster.pid"
    try:
        os.kill(int(pid_file.read_text().split("\n", 1)[0]), 0)
    except PermissionError:
        return True
    except (OSError, ValueError):
        return False
    return True


def _end_with_parent() -> None:
    """In the child: get SIGTERM when the supervisor dies without a word."""
    assert _libc is not None
    _libc.prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGTERM)


def _kill_group(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)


def _why(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit status {code}"


def _print(line: str) -> None:
    # Onto a full disk, or to a terminal that is gone, nothing can be said. Whoever raised here would no longer read what its
    # children say, and they would wait for ever once their pipe is full.
    with contextlib.suppress(OSError):
        print(line, flush=True)
