"""Somebody who reads the docs at a terminal: a checkout, a shell, programs that run until Ctrl-C, questions."""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

from config.database import ROOT

#: No command takes that long, on whatever machine; who hangs is ended.
PATIENCE_S = 600.0
#: Ctrl-C at `make` is its own end, too.
ENDED = {0, 2, 130, -signal.SIGINT}
_AT_A_TERMINAL = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))"


def checkout(folder: Path) -> Path:
    """All of this one, by links, with an environment of its own: what is installed into it goes nowhere else."""
    for each in ROOT.iterdir():
        if each.name not in {".git", ".venv", "var", "client"}:
            (folder / each.name).symlink_to(each)
    shutil.copytree(ROOT / "client", folder / "client", ignore=shutil.ignore_patterns("*.egg-info", "build"))
    programs = folder / ".venv" / "bin"
    subprocess.run(
        [sys.executable, "-m", "venv", "--without-pip", folder / ".venv"],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    (packages,) = (folder / ".venv" / "lib").glob("python*/site-packages")
    ours = [path for path in sys.path if path.endswith("site-packages")]
    (packages / "ours.pth").write_text("".join(f"import site; site.addsitedir({path!r})\n" for path in ours))
    (programs / "pip").write_text('#!/bin/sh\nexec "$(dirname "$0")/python" -m pip "$@"\n')
    (programs / "pip").chmod(0o755)
    stamp = Path(sys.prefix) / ".installed"
    if stamp.exists():
        shutil.copy(stamp, folder / ".venv")
    return folder


class Shell:
    """One bash: what a command sets, the next one has. A variable that nothing set is an error."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self._bash = subprocess.Popen(
            ["bash", "--norc", "-u", "-o", "pipefail"], cwd=folder, env=environment, start_new_session=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip

    def run(self, command: str) -> tuple[int, str]:
        """Its status, -1 where the shell ended over it, and what it printed."""
        assert self._bash.stdin is not None and self._bash.stdout is not None
        mark = uuid.uuid4().hex
        watch = threading.Timer(PATIENCE_S, _end, [self._bash, signal.SIGKILL])
        watch.start()
        with contextlib.suppress(BrokenPipeError):
            self._bash.stdin.write(f"{{\n{command}\n}} </dev/null 2>&1; echo {mark} $?\n")
            self._bash.stdin.flush()
        told = ""
        for line in self._bash.stdout:
            before, marked, status = line.partition(mark)
            told += before
            if marked:
                watch.cancel()
                return int(status), told
        watch.cancel()
        return -1, told

    def close(self) -> None:
        with self._bash:  # its pipes, too
            _end(self._bash, signal.SIGKILL)


def typed(
    command: str, folder: Path, environment: dict[str, str], answers: dict[str, str]
) -> tuple[int, str]:
    """At a terminal that asks: each prompt is answered when it is there, in their order."""
    process = subprocess.Popen(
        [sys.executable, "-c", _AT_A_TERMINAL, "bash", "-c", command], cwd=folder, env=environment,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True, bufsize=0,
    )  # fmt: skip
    with process:
        assert process.stdin is not None and process.stdout is not None
        told, seen, waiting = "", 0, list(answers.items())
        deadline = time.monotonic() + PATIENCE_S
        while select.select([process.stdout], [], [], max(0.0, deadline - time.monotonic()))[0]:
            read = os.read(process.stdout.fileno(), 4096)
            if not read:
                return process.wait(), told
            told += read.decode(errors="replace")
            if waiting and waiting[0][0] in told[seen:]:
                seen = len(told)
                process.stdin.write(f"{waiting.pop(0)[1]}\n".encode())
        _end(process, signal.SIGKILL)
        return -1, told


class Program:
    """What runs until Ctrl-C."""

    def __init__(self, command: str, folder: Path, environment: dict[str, str], log: Path) -> None:
        self.command = command
        self._log = log
        with log.open("wb") as file:
            self._process = subprocess.Popen(
                ["bash", "-c", command], cwd=folder, env=environment, start_new_session=True,
                stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT,
            )  # fmt: skip

    @property
    def told(self) -> str:
        return self._log.read_text(errors="replace")

    def wait_for(self, text: str) -> bool:
        deadline = time.monotonic() + PATIENCE_S
        while text not in self.told:
            if self._process.poll() is not None or time.monotonic() > deadline:
                return False
            time.sleep(0.05)
        return True

    def press_ctrl_c(self) -> int:
        _end(self._process, signal.SIGINT)
        try:
            return self._process.wait(PATIENCE_S)
        finally:
            _end(self._process, signal.SIGKILL)


def _end(process: subprocess.Popen[str] | subprocess.Popen[bytes], how: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, how)
    if how == signal.SIGKILL:
        process.wait()


@contextlib.contextmanager
def programs() -> Iterator[list[Program]]:
    """Whatever is put there is over in the end."""
    running: list[Program] = []
    try:
        yield running
    finally:
        for each in running:
            each.press_ctrl_c()
