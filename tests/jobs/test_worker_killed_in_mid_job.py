"""Kill -9 of a worker, or a long sleep: the job is noticed and taken up again, and whoever wakes up later harms nothing."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from procrastinate.contrib.django.models import ProcrastinateJob

from labeling.jobs.models import JobState
from labeling.jobs.services import enqueue
from labeling.jobs.worker import POLL_S, RESCUE_EVERY_S, SILENT_S
from tests.jobs.conftest import StartWorker, wait_for


def test_a_killed_workers_job_is_taken_up_again_within_15_seconds(
    start_worker: StartWorker, tmp_path: Path
) -> None:
    log = tmp_path / "steps"
    job = enqueue(kind="test-steps", args={"log": str(log), "steps": 12, "pause": 0.3}, lock="one at a time")
    behind = enqueue(
        kind="test-steps", args={"log": str(tmp_path / "other"), "steps": 1}, lock="one at a time"
    )
    victim = start_worker()
    wait_for(job, lambda job: job.done >= 2)
    start_worker()

    os.killpg(victim.pid, signal.SIGKILL)
    victim.wait()
    wait_for(job, lambda job: job.attempts == 2)
    assert SILENT_S + RESCUE_EVERY_S + POLL_S < 15
    behind.refresh_from_db()
    assert behind.state == JobState.QUEUED, "a job with the same lock overtook the one that was interrupted"

    wait_for(job, lambda job: job.state == JobState.SUCCEEDED)
    assert job.result == {"attempt": 2}
    assert log.read_text().splitlines()[-12:] == [f"2:{number}" for number in range(12)]
    wait_for(behind, lambda job: job.state == JobState.SUCCEEDED)
    assert behind.attempts == 1


def test_a_worker_that_is_told_to_end_puts_its_job_back_at_once(
    start_worker: StartWorker, tmp_path: Path
) -> None:
    job = enqueue(kind="test-steps", args={"log": str(tmp_path / "steps"), "steps": 40, "pause": 0.1})
    first = start_worker()
    wait_for(job, lambda job: job.done >= 2)
    first.terminate()
    assert first.wait(timeout=60) == 0
    job.refresh_from_db()
    assert job.state == JobState.QUEUED

    start_worker()
    wait_for(job, lambda job: job.state == JobState.SUCCEEDED)
    assert job.attempts == 2


def test_a_worker_that_slept_and_wakes_up_leaves_the_task_to_the_one_that_took_it_up(
    start_worker: StartWorker, tmp_path: Path
) -> None:
    watched = tmp_path / "watched"
    args = {"log": str(tmp_path / "steps"), "steps": 8, "until": str(watched)}
    job = enqueue(kind="test-steps", args=args, lock="one at a time")
    behind = enqueue(
        kind="test-steps", args={"log": str(tmp_path / "other"), "steps": 1}, lock="one at a time"
    )
    sleeper = start_worker()
    wait_for(job, lambda job: job.done >= 2)
    os.killpg(sleeper.pid, signal.SIGSTOP)
    start_worker()
    wait_for(job, lambda job: job.attempts == 2 and job.done >= 2)

    os.killpg(sleeper.pid, signal.SIGCONT)
    awake = time.monotonic() + 4
    while time.monotonic() < awake:
        assert ProcrastinateJob.objects.filter(pk=job.procrastinate_id, status="doing").exists()
        behind.refresh_from_db()
        assert behind.state == JobState.QUEUED, "a second task with the same lock runs beside it"
        time.sleep(0.1)
    watched.touch()
    wait_for(job, lambda job: job.state == JobState.SUCCEEDED)
    assert job.result == {"attempt": 2}
    wait_for(behind, lambda job: job.state == JobState.SUCCEEDED)
    assert behind.attempts == 1
