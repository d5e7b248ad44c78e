"""What a worker makes of a job, and what people see of it."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from django.db import connection, transaction
from procrastinate.contrib.django.models import ProcrastinateJob

from labeling.jobs import runner
from labeling.jobs.models import Job, JobState
from labeling.jobs.progress import Interrupted, Progress
from labeling.jobs.services import LAST, cancel, enqueue, retry
from tests.jobs.conftest import StartWorker, wait_for


def test_a_real_worker_runs_reports_refuses_breaks_and_stops(
    start_worker: StartWorker, tmp_path: Path
) -> None:
    start_worker()
    whole = enqueue(kind="test-steps", args={"log": str(tmp_path / "a"), "steps": 3})
    refused = enqueue(kind="test-refuses")
    broken = enqueue(kind="test-breaks", queue="gpu")
    endless = enqueue(kind="test-steps", args={"log": str(tmp_path / "b"), "steps": 100_000})
    unknown = enqueue(kind="nobody-knows")

    wait_for(whole, lambda job: job.state == JobState.SUCCEEDED)
    assert (whole.done, whole.total, whole.message) == (3, 3, "step 3")
    assert whole.finished_at is not None

    wait_for(refused, lambda job: job.state == JobState.FAILED)
    assert refused.error == "There is only one class. Label photos of another class first."
    assert refused.trace == ""

    wait_for(broken, lambda job: job.state == JobState.FAILED)
    assert "ZeroDivisionError" in broken.error
    assert "a bug" not in broken.error
    assert "a bug" in broken.trace

    wait_for(unknown, lambda job: job.state == JobState.FAILED)
    assert "nobody-knows" in unknown.error

    wait_for(endless, lambda job: job.done >= 1)
    cancel(job=endless)
    wait_for(endless, lambda job: job.state == JobState.CANCELLED)


@pytest.mark.django_db
def test_a_job_cancelled_while_queued_never_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[str] = []
    monkeypatch.setattr(runner, "handler_for", lambda kind: lambda progress: ran.append(kind) or {})
    job = enqueue(kind="anything")
    cancelled = cancel(job=job)
    assert cancelled.state == JobState.CANCELLED
    assert cancelled.finished_at is not None
    runner.run(job.pk)
    assert ran == []
    job.refresh_from_db()
    assert job.state == JobState.CANCELLED


@pytest.mark.django_db
def test_cancelling_a_finished_job_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "handler_for", lambda kind: lambda progress: {"answer": 42})
    job = enqueue(kind="anything")
    runner.run(job.pk)
    cancel(job=job)
    job.refresh_from_db()
    assert job.state == JobState.SUCCEEDED
    assert job.cancel_requested_at is None
    assert job.result == {"answer": 42}


@pytest.mark.django_db
def test_a_worker_believed_dead_cannot_touch_the_job_that_another_took_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    job = enqueue(kind="anything")

    def slow(progress: Progress) -> dict[str, int]:
        # Meanwhile the job was handed to another worker.
        Job.objects.filter(pk=progress.job.pk).update(attempts=2, done=7)
        progress.report(1, 10)
        return {"from": 1}

    monkeypatch.setattr(runner, "handler_for", lambda kind: slow)
    runner.run(job.pk)
    job.refresh_from_db()
    assert (job.state, job.attempts, job.done, job.result) == (JobState.RUNNING, 2, 7, None)


@pytest.mark.django_db
def test_a_job_that_keeps_killing_its_workers_is_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    class Killed(BaseException):
        """As a worker's death: nothing is written any more."""

    def deadly(progress: Progress) -> None:
        raise Killed

    monkeypatch.setattr(runner, "handler_for", lambda kind: deadly)
    job = enqueue(kind="anything")
    for _ in range(runner.MAX_CRASHES):
        with pytest.raises(Killed):
            runner.run(job.pk)
    runner.run(job.pk)
    job.refresh_from_db()
    assert job.state == JobState.FAILED
    assert f"worker ended {runner.MAX_CRASHES} times" in job.error


@pytest.mark.django_db
def test_orderly_stops_are_no_crashes_however_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "handler_for", lambda kind: lambda progress: progress.report(1, 2) or {})
    stopping = threading.Event()
    monkeypatch.setattr("labeling.jobs.progress.stopping", stopping)
    job = enqueue(kind="anything")
    stopping.set()
    stops = runner.MAX_CRASHES + 5
    for _ in range(stops):
        with pytest.raises(Interrupted):
            runner.run(job.pk)
    stopping.clear()
    runner.run(job.pk)
    job.refresh_from_db()
    assert (job.state, job.attempts, job.crashes) == (JobState.SUCCEEDED, stops + 1, 0)


@pytest.mark.django_db(transaction=True)
def test_no_commit_no_job() -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        enqueue(kind="anything")
        raise RuntimeError("roll back")
    assert not Job.objects.exists()


@pytest.mark.django_db
def test_a_live_job_with_the_same_key_is_returned_and_a_finished_one_makes_room(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(runner, "handler_for", lambda kind: lambda progress: {})
    first = enqueue(kind="anything", dedupe="rank:1")
    assert enqueue(kind="anything", dedupe="rank:1").pk == first.pk
    runner.run(first.pk)
    assert enqueue(kind="anything", dedupe="rank:1").pk != first.pk


def test_long_work_of_many_projects_holds_one_place_of_a_worker_and_others_pass_it(
    start_worker: StartWorker, tmp_path: Path
) -> None:
    long = [
        enqueue(
            kind="test-steps",
            args={"log": str(tmp_path / f"long-{number}"), "steps": 100_000},
            lock="adapt",
            priority=LAST,
        )
        for number in range(4)
    ]
    start_worker()
    wait_for(long[0], lambda job: job.state == JobState.RUNNING)
    short = [
        enqueue(kind="test-steps", args={"log": str(tmp_path / f"short-{number}"), "steps": 1})
        for number in range(3)
    ]
    for job in short:
        wait_for(job, lambda job: job.state == JobState.SUCCEEDED)
    states = [Job.objects.get(pk=job.pk).state for job in long]
    assert states == [JobState.RUNNING, *[JobState.QUEUED] * 3]


def _next() -> int:
    """The task that a worker that is free now would take."""
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO procrastinate_workers DEFAULT VALUES RETURNING id")
        (worker,) = cursor.fetchone()
        cursor.execute("SELECT id FROM procrastinate_fetch_job_v2(NULL, %s)", [worker])
        (task,) = cursor.fetchone()
    return int(task)


@pytest.mark.django_db
def test_of_jobs_that_wait_those_with_low_priority_go_last_also_when_tried_again() -> None:
    with connection.cursor() as cursor:
        # Tests that commit leave jobs behind that nobody took; they are not for this one's worker.
        cursor.execute(
            "UPDATE procrastinate_jobs SET scheduled_at = now() + interval '1 day' WHERE status = 'todo'"
        )
    low, usual = enqueue(kind="adapt", priority=LAST), enqueue(kind="train")
    assert [_next(), _next()] == [usual.procrastinate_id, low.procrastinate_id]
    Job.objects.filter(pk=low.pk).update(state=JobState.FAILED)
    again = retry(job=low, by=None)
    assert ProcrastinateJob.objects.get(pk=again.procrastinate_id).priority == LAST
