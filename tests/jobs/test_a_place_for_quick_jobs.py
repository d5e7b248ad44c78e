"""What ends within seconds does not wait for what takes hours: a worker keeps a place for it."""

from __future__ import annotations

from pathlib import Path

from labeling.jobs.models import JobState
from labeling.jobs.services import QUICK, enqueue
from tests.jobs.conftest import StartWorker, wait_for


def test_a_quick_job_is_done_while_long_ones_fill_the_worker(
    start_worker: StartWorker, tmp_path: Path
) -> None:
    over = str(tmp_path / "over")
    long = [
        enqueue(
            kind="test-steps", queue=queue, args={"log": str(tmp_path / "long"), "steps": 1, "until": over}
        )
        for queue in ("gpu", "gpu", "cpu")
    ]
    behind = enqueue(kind="test-steps", args={"log": str(tmp_path / "behind"), "steps": 1})
    start_worker()
    for job in long:
        wait_for(job, lambda job: job.done == 1)

    for _ in range(2):
        quick = enqueue(kind="test-steps", queue=QUICK, args={"log": str(tmp_path / "quick"), "steps": 1})
        wait_for(quick, lambda job: job.state == JobState.SUCCEEDED)
    behind.refresh_from_db()
    assert behind.state == JobState.QUEUED, "the place is for quick jobs alone"

    Path(over).touch()
    for job in (*long, behind):
        wait_for(job, lambda job: job.state == JobState.SUCCEEDED)
