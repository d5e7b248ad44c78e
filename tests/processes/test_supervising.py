"""The supervisor: restarts what ends, with growing pauses, and stops everything that it started."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.database import ROOT
from config.supervise import CannotStart, check_port
from tests.processes.liveness import gone, lives

#: Supervises scripts given on the command line as name=code; "once" is a program that may end. No database of its own.
SUPERVISE = """
import sys
from config.supervise import Program, Supervisor
given = (a.partition("=") for a in sys.argv[1:])
programs = [Program(name, [sys.executable, "-c", code], once=name == "once") for name, _, code in given]
Supervisor(programs).run()
"""


class Supervised:
    """A supervisor in its own process, and what it has printed."""

    def __init__(self, var: Path, *programs: str, output: Path | None = None) -> None:
        environment = os.environ | {"HILLTOP_VAR": str(var), "PYTHONUNBUFFERED": "1"}
        environment.pop("HILLTOP_EMBEDDED", None)
        var.mkdir(exist_ok=True)
        self.output = output or var / "output"
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-c", SUPERVISE, *programs],
                cwd=ROOT,
                env=environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def text(self) -> str:
        return self.output.read_text()

    def wait_for(self, pattern: str, times: int = 1, timeout: float = 60.0) -> list[str]:
        deadline = time.monotonic() + timeout
        while len(found := re.findall(pattern, self.text(), re.MULTILINE)) < times:
            assert time.monotonic() < deadline, f"no {pattern!r} in:\n{self.text()}"
            time.sleep(0.05)
        return found

    def stop(self, number: int = signal.SIGINT) -> None:
        """Send the signal, and see that all end by themselves."""
        self.process.send_signal(number)
        assert self.process.wait(60) == 0, self.text()
        assert "killing it" not in self.text()


@pytest.fixture
def started() -> Iterator[list[Supervised]]:
    all_of_them: list[Supervised] = []
    yield all_of_them
    for each in all_of_them:
        if each.process.poll() is None:
            each.process.kill()
            each.process.wait()


SLEEPER = "import os, time; print('I am', os.getpid()); time.sleep(600)"


def test_a_child_that_is_killed_is_started_again_and_says_so(
    tmp_path: Path, started: list[Supervised]
) -> None:
    supervised = Supervised(tmp_path / "var", f"web={SLEEPER}")
    started.append(supervised)
    first = supervised.wait_for(r"^web +\| I am (\d+)")[0]
    os.kill(int(first), signal.SIGKILL)
    second = supervised.wait_for(r"^web +\| I am (\d+)", times=2)[1]
    assert second != first
    assert "web ended (signal 9); starting it again in 0.5 s" in supervised.text()
    supervised.stop()
    assert gone(second)


def test_a_child_that_keeps_ending_is_started_with_growing_pauses(
    tmp_path: Path, started: list[Supervised]
) -> None:
    supervised = Supervised(tmp_path / "var", "worker=raise SystemExit(3)")
    started.append(supervised)
    pauses = supervised.wait_for(r"worker ended \(exit status 3\); starting it again in ([\d.]+) s", times=3)
    assert pauses[:3] == ["0.5", "1.0", "2.0"]
    supervised.stop()


def test_a_program_that_runs_once_is_started_again_only_while_it_fails(
    tmp_path: Path, started: list[Supervised]
) -> None:
    mark = tmp_path / "failed"
    fails_first = (
        f"import pathlib; mark = pathlib.Path({str(mark)!r}); failed = mark.exists(); mark.touch();"
        "print('run', failed); raise SystemExit(0 if failed else 3)"
    )
    supervised = Supervised(tmp_path / "var", f"once={fails_first}", f"web={SLEEPER}")
    started.append(supervised)
    supervised.wait_for(r"^once +\| run True")
    time.sleep(1.5)  # it would be started again after one second at most
    assert supervised.text().count("| run") == 2, supervised.text()
    supervised.stop()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopping_ends_children_and_their_children(
    tmp_path: Path, started: list[Supervised], number: int
) -> None:
    parent = (
        "import subprocess, sys, time;"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']);"
        "print('child', child.pid); time.sleep(600)"
    )
    supervised = Supervised(tmp_path / "var", f"web={parent}", f"worker={SLEEPER}")
    started.append(supervised)
    grandchild = supervised.wait_for(r"child (\d+)")[0]
    worker = supervised.wait_for(r"I am (\d+)")[0]
    supervised.stop(number)
    assert gone(grandchild)
    assert gone(worker)


def test_children_end_when_the_supervisor_itself_is_killed(tmp_path: Path, started: list[Supervised]) -> None:
    supervised = Supervised(tmp_path / "var", f"worker={SLEEPER}")
    started.append(supervised)
    worker = supervised.wait_for(r"I am (\d+)")[0]
    supervised.process.kill()
    supervised.process.wait()
    assert gone(worker)


def test_children_go_on_where_nothing_that_they_say_can_be_written(
    tmp_path: Path, started: list[Supervised]
) -> None:
    mark = tmp_path / "said"
    says_more_than_a_pipe_holds = (
        f"import pathlib, time; [print('x' * 1000) for _ in range(1000)]; pathlib.Path({str(mark)!r}).touch();"
        "time.sleep(600)"
    )
    supervised = Supervised(
        tmp_path / "var",
        f"web={says_more_than_a_pipe_holds}",
        "worker=raise SystemExit(3)",
        output=Path("/dev/full"),
    )
    started.append(supervised)
    deadline = time.monotonic() + 60
    while not mark.exists():
        assert time.monotonic() < deadline, "the program waits for somebody to read what it says"
        time.sleep(0.05)
    supervised.process.send_signal(signal.SIGINT)
    assert supervised.process.wait(60) in (0, 120), "120: Python could not empty its own stdout at the end"


def test_what_a_killed_supervisor_left_is_ended_by_the_next_one(
    tmp_path: Path, started: list[Supervised]
) -> None:
    """The web server's own handler of signals can wait for itself, and its port would never be free again."""
    deaf = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {SLEEPER}"
    first = Supervised(tmp_path / "var", f"web={deaf}")
    started.append(first)
    left = first.wait_for(r"I am (\d+)")[0]
    elsewhere = Supervised(tmp_path / "another", f"web={SLEEPER}")
    started.append(elsewhere)
    others = elsewhere.wait_for(r"I am (\d+)")[0]
    first.process.kill()
    first.process.wait()
    assert lives(left)
    second = Supervised(tmp_path / "var", f"web={SLEEPER}")
    started.append(second)
    second.wait_for(r"I am (\d+)", times=2)
    assert gone(left) and lives(others)
    second.stop()
    elsewhere.stop()


def test_a_second_supervisor_on_the_same_folder_is_refused(tmp_path: Path, started: list[Supervised]) -> None:
    first = Supervised(tmp_path / "var", f"worker={SLEEPER}")
    started.append(first)
    first.wait_for("I am")
    second = Supervised(tmp_path / "var", f"worker={SLEEPER}")
    started.append(second)
    assert second.process.wait(60) != 0
    assert "Hilltop is already running" in second.text()
    first.stop()


def test_a_taken_port_is_named_with_what_to_do() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(CannotStart, match=f"HILLTOP_PORT={port + 1} make demo"):
            check_port("127.0.0.1", port)
