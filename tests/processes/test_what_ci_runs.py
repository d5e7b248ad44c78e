""".ci/run says by its exit status what it found, for each part that can fail."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from config.database import ROOT

#: What the tests print when all is well: a library's test may need a GPU.
PASSED = "SKIPPED [1] tests/inference/test_embed.py:9: no CUDA device\n7 passed, 1 skipped in 1.00s"


def program(place: Path, script: str) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(f"#!/bin/sh\n{script}\n")
    place.chmod(0o755)


def ci(
    folder: Path, *, tests: str = PASSED, tested: int = 0, linted: int = 0, migrations: int = 0
) -> subprocess.CompletedProcess[str]:
    """The script in a folder where make, Python and Chromium are stand-ins that end as asked."""
    (folder / ".ci").mkdir()
    shutil.copy(ROOT / ".ci/run", folder / ".ci/run")
    program(
        folder / "bin/make",
        f'case "$1" in test) cat "{folder}/printed"; exit {tested};; lint) exit {linted};; esac',
    )
    (folder / "printed").write_text(tests + "\n")
    program(folder / "bin/chromium", "")
    program(folder / ".venv/bin/python", f"exit {migrations}")
    return subprocess.run(
        ["bash", folder / ".ci/run"],
        env={**os.environ, "PATH": f"{folder / 'bin'}:{os.environ['PATH']}", "TMPDIR": str(folder / "bin")},
        capture_output=True,
        text=True,
        timeout=300,
    )


def test_all_well_is_status_0_and_the_last_line_counts_the_tests(tmp_path: Path) -> None:
    done = ci(tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1] == "7 passed, 1 skipped in 1.00s"
    assert not list((tmp_path / "bin").glob("tmp.*")), "its own files are gone"


def test_each_part_that_fails_fails_the_whole(tmp_path: Path) -> None:
    for part in ("tested", "linted", "migrations"):
        (tmp_path / part).mkdir()
    assert ci(tmp_path / "tested", tested=2).returncode == 2
    assert ci(tmp_path / "linted", linted=3).returncode == 3
    assert ci(tmp_path / "migrations", migrations=4).returncode == 4


@pytest.mark.parametrize(
    "why", ["tests/browser/test_label.py:3: none", "tests/queue/test_x.py:3: no Chromium here"]
)
def test_a_browser_test_that_was_skipped_fails_the_whole(tmp_path: Path, why: str) -> None:
    done = ci(tmp_path, tests=f"SKIPPED [1] {why}\n6 passed, 1 skipped in 1.00s")
    assert done.returncode == 1
    assert "A browser test was skipped" in done.stderr
