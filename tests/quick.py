"""``--quick``: the tests that concern what changed since ``main``, and all that are fast.

A test concerns a changed file when its own module or one of the tests' helpers imports it, when it stands in the folder of
the same room, or when it changed itself; a changed template or script concerns its room and the browser's tests. Slow is
what trains, starts processes or commits. Slow tests come last, and those that cannot begin in time are skipped and say so.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path

import pytest

from config.database import ROOT

#: A test that begins then has some seconds left of two minutes.
LIMIT_S = 100
SLOW_FOLDERS = {"browser", "inference", "jobs", "learning", "processes"}
_CONCERNED, _BEGAN = "HILLTOP_TESTS_CONCERNED", "HILLTOP_TESTS_BEGAN"


def begin() -> None:
    """In the first process; those that run the tests inherit what it found."""
    os.environ[_BEGAN] = str(time.monotonic())
    os.environ[_CONCERNED] = "\n".join(sorted(concerned(changed_files())))


def changed_files() -> list[str]:
    """Since ``main`` was left: committed, uncommitted and new."""

    def git(*words: str) -> list[str]:
        return subprocess.run(
            ["git", *words], cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout.splitlines()

    (since,) = git("merge-base", "main", "HEAD")
    return [*git("diff", "--name-only", since), *git("ls-files", "--others", "--exclude-standard")]


def concerned(files: Iterable[str]) -> set[str]:
    """Files and folders of tests, relative to the repository."""
    import grimp

    graph = grimp.build_graph("tests", "labeling", "inference", "config", cache_dir=None)
    found: set[str] = set()
    for file in map(Path, files):
        room = next((part for part in file.parts[1:-1] if (ROOT / "tests" / part).is_dir()), None)
        if file.parts[0] in {"labeling", "templates", "static"} and room:
            found.add(f"tests/{room}")
        if file.parts[0] in {"templates", "static"}:
            found.add("tests/browser")
        if file.parts[0] == "inference":
            found.add("tests/inference")
        if file.suffix != ".py":
            continue
        module = ".".join(file.with_suffix("").parts).removesuffix(".__init__")
        if module not in graph.modules:
            continue
        here = {module} | set(graph.find_modules_that_directly_import(module))
        ours = {name for name in here if name.startswith("tests.")}
        for name in list(ours):
            ours |= {each for each in graph.find_downstream_modules(name) if each.startswith("tests.")}
        found |= {name.replace(".", "/") + ".py" for name in ours}
    return found


def is_slow(item: pytest.Item) -> bool:
    folder = item.path.relative_to(ROOT / "tests").parts[0]
    return folder in SLOW_FOLDERS or "transactional_db" in item.fixturenames


def choose(items: list[pytest.Item]) -> list[pytest.Item]:
    """The items to be left out; ``items`` keeps the others, the slow ones last."""
    near = {ROOT / name for name in os.environ[_CONCERNED].splitlines()}
    slow = [item for item in items if is_slow(item)]
    wanted = [item for item in slow if item.path in near or item.path.parent in near]
    left_out = [item for item in slow if item.path not in near and item.path.parent not in near]
    fast = [item for item in items if not is_slow(item)]
    items[:] = [*fast, *wanted]
    return left_out


def skip_when_late(item: pytest.Item) -> None:
    if is_slow(item) and time.monotonic() - float(os.environ[_BEGAN]) > LIMIT_S:
        pytest.skip("it concerns what changed, but there was no time for it: make test runs it")
