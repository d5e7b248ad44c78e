"""Real workers, and a way to wait for what they do."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest

from config.database import ROOT
from labeling.jobs.models import Job
from tests.stack import Stack

StartWorker = Callable[[], "subprocess.Popen[bytes]"]


@pytest.fixture
def start_worker(transactional_db: None) -> Iterator[StartWorker]:
    """Start a worker process on the test's database; all are killed at the end."""
    started: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.jobs.worker_with_slow_jobs"],
            cwd=ROOT,
            env=Stack().environment(),
            start_new_session=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def wait_for(job: Job, holds: Callable[[Job], bool], timeout: float = 120.0) -> None:
    """Wait until ``holds(job)``."""
    began = time.monotonic()
    while time.monotonic() - began < timeout:
        job.refresh_from_db()
        if holds(job):
            return
        time.sleep(0.1)
    raise AssertionError(
        f"waited {timeout:.0f} s in vain; the job: {job.state}, {job.done}/{job.total}, {job.error}"
    )
