"""Which jobs count as left behind."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from labeling.jobs import rescue
from labeling.jobs.models import Job, JobState
from labeling.jobs.services import enqueue

pytestmark = pytest.mark.django_db


def _fetch(worker_silent_for_s: float) -> None:
    """Let a worker that last beat so long ago fetch the next job."""
    with connection.cursor() as cursor:
        # Only the newest job: other tests' workers may have left some behind.
        cursor.execute("DELETE FROM procrastinate_jobs WHERE id < (SELECT max(id) FROM procrastinate_jobs)")
        cursor.execute(
            "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - make_interval(secs => %s)) "
            "RETURNING id",
            [worker_silent_for_s],
        )
        worker = cursor.fetchone()[0]
        cursor.execute("SELECT id FROM procrastinate_fetch_job_v2(NULL, %s)", [worker])
        assert cursor.fetchone()[0] is not None


def _status(job: Job) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT status FROM procrastinate_jobs WHERE id = %s", [job.procrastinate_id])
        return str(cursor.fetchone()[0])


def test_the_job_of_a_beating_worker_is_left_alone() -> None:
    job = enqueue(kind="anything")
    _fetch(worker_silent_for_s=1)
    assert rescue.hand_back_stalled(silent_for_s=10) == 0
    assert _status(job) == "doing"


def test_the_job_of_a_silent_worker_is_handed_back_once() -> None:
    job = enqueue(kind="anything")
    _fetch(worker_silent_for_s=11)
    assert rescue.hand_back_stalled(silent_for_s=10) == 1
    assert _status(job) == "todo"
    assert rescue.hand_back_stalled(silent_for_s=10) == 0


def test_a_job_that_nothing_will_run_is_said_to_be_lost() -> None:
    lost, waiting = enqueue(kind="anything"), enqueue(kind="anything")
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_jobs WHERE id = %s", [lost.procrastinate_id])
    assert rescue.fail_lost() == 0, "it may be on its way"
    Job.objects.update(updated_at=timezone.now() - timedelta(minutes=2))
    assert rescue.fail_lost() == 1
    lost.refresh_from_db()
    waiting.refresh_from_db()
    assert (lost.state, waiting.state) == (JobState.FAILED, JobState.QUEUED)
