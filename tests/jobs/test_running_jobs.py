"""What a worker makes of a job, and what people see of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db import transaction

from labeling.jobs import runner
from labeling.jobs.models import Job, JobState
from labeling.jobs.services import cancel, enqueue
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
    assert wait_for(endless, lambda job: job.state == JobState.CANCELLED) < 5


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

    def slow(progress: runner.Progress) -> dict[str, int]:
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
    monkeypatch.setattr(runner, "handler_for", lambda kind: lambda progress: {})
    job = enqueue(kind="anything")
    Job.objects.filter(pk=job.pk).update(state=JobState.RUNNING, attempts=runner.MAX_ATTEMPTS)
    runner.run(job.pk)
    job.refresh_from_db()
    assert job.state == JobState.FAILED
    assert "its worker ended each time" in job.error


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
