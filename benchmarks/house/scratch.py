"""A scratch copy of the working tree, in which an example change is made, counted and tested."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.house.measures import ROOT


@dataclass(frozen=True)
class After:
    """Put ``text`` behind the first line that contains ``line``."""

    line: str
    text: str


@dataclass(frozen=True)
class Example:
    """A change of one kind.

    ``edits``: by path, a whole new file or what is put into one that stands; ``commands``: arguments of manage.py that
    write files too (a migration); ``tests``: arguments of pytest, the contract of this kind; ``most``: files it may touch.
    """

    name: str
    most: int
    edits: Mapping[str, str | Sequence[After]]
    tests: Sequence[str]
    commands: Sequence[Sequence[str]] = field(default_factory=list)


@dataclass(frozen=True)
class Touched:
    """``tests`` is what the test runner said last."""

    paths: list[str]
    passed: bool
    tests: str

    @property
    def files(self) -> int:
        return len(self.paths)


def touched(example: Example) -> Touched:
    """Make the change in a scratch copy and run its contract test there.

    Raises :class:`LookupError` where a line to put something behind is gone: the example is to be brought up to date.
    """
    folder = Path(tempfile.mkdtemp(prefix="hilltop-house-"))
    folder.chmod(0o755)  # as root, the database server runs as another user
    try:
        copy = folder / "house"
        _copy_to(copy)
        for path, edit in example.edits.items():
            _edit(copy / path, edit)
        environment = {**os.environ, "HILLTOP_VAR": str(folder / "var")}
        environment.pop("DATABASE_URL", None)
        for command in example.commands:
            _run(copy, [sys.executable, "manage.py", *command], environment).check_returncode()
        # git names the files before the tests run: what they leave behind is no part of the change.
        paths = sorted(line[3:] for line in _git(copy, "status", "--porcelain", "-uall").splitlines())
        tested = _run(
            copy,
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *example.tests],
            environment,
        )
        said = [line for line in tested.stdout.splitlines() if line.strip()]
        if tested.returncode:
            print("\n".join([*said[-30:], tested.stderr[-2000:]]), flush=True)
        return Touched(paths, tested.returncode == 0, said[-1] if said else "no test ran")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _copy_to(copy: Path) -> None:
    for path in _git(ROOT, "ls-files", "-co", "--exclude-standard").splitlines():
        if (ROOT / path).is_file():
            (copy / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / path, copy / path)
    _git(copy, "init", "--quiet")
    _git(copy, "add", "--all")
    _git(
        copy,
        "-c",
        "user.name=house",
        "-c",
        "user.email=house@localhost",
        "commit",
        "--quiet",
        "-m",
        "as it is",
    )


def _edit(file: Path, edit: str | Sequence[After]) -> None:
    if isinstance(edit, str):
        if file.exists():
            raise LookupError(f"{file} is there already")
        file.write_text(edit)
        return
    text = file.read_text()
    for each in edit:
        at = text.find(each.line)
        if at < 0:
            raise LookupError(f"{file} has no line {each.line!r}")
        end = text.index("\n", at) + 1
        text = text[:end] + each.text + text[end:]
    file.write_text(text)


def _git(folder: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=True).stdout


def _run(folder: Path, command: list[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
