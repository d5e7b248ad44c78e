"""Enqueue and cancel jobs. Enqueuing joins the caller's transaction: no commit, no job."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import cycle
from typing import Any

from django.db import connection, transaction
from django.utils import timezone
from procrastinate.contrib.django.django_connector import DjangoConnector
from procrastinate.contrib.django.models import ProcrastinateJob
from procrastinate.manager import JobManager
from procrastinate.tasks import configure_task

from labeling.jobs.models import Job, JobState
from labeling.people.models import User

TASK = "hilltop.run_job"

#: What ends within seconds and somebody waits for. Whoever does jobs of ``cpu`` does these too, and keeps a place for them
#: (docs/decisions/0082-a-place-for-what-ends-soon.md).
QUICK = "quick"

#: Above 0 goes before everything else that waits, below goes after it.
NORMAL = 0
#: Work that nobody waits for: it goes last, however early it was asked for.
LAST = -10

_all_to: ContextVar[str] = ContextVar("all_to", default="")


@contextmanager
def all_to(queue: str) -> Iterator[None]:
    """Jobs that are asked for within wait in ``queue``, whichever they name: for who does them itself, in its own order.

    What it left undone is done by a worker of that queue. Done again (``services.retry``), they go to their own.
    """
    token = _all_to.set(queue)
    try:
        yield
    finally:
        _all_to.reset(token)


@transaction.atomic
def enqueue(
    *,
    kind: str,
    queue: str = "cpu",
    project_id: int | None = None,
    args: dict[str, Any] | None = None,
    requested_by: User | None = None,
    dedupe: str = "",
    lock: str | None = None,
    priority: int = NORMAL,
) -> Job:
    """Put one job into the queue, and return its row.

    ``dedupe``: while a job with this key is queued or running, that one is returned instead of a new one.
    ``lock``: jobs with the same lock run one at a time, in order.
    ``priority``: a worker that is free takes the waiting job with the highest; of those, the oldest. It stops nothing
    that runs.
    """
    job = Job(
        kind=kind,
        queue=queue,
        project_id=project_id,
        args=args or {},
        requested_by=requested_by,
        dedupe_key=dedupe,
    )
    while not _inserted(job):
        existing = Job.objects.live().filter(dedupe_key=dedupe).first()
        if existing is not None:
            return existing
        # That one ended between the two statements: now there is room for ours.
    # Through Django's own connection, also inside a worker: the row and its task commit together, or not at all.
    deferrer = configure_task(
        name=TASK,
        job_manager=JobManager(DjangoConnector()),
        queue=_all_to.get() or queue,
        lock=lock,
        priority=priority,
    )
    job.procrastinate_id = deferrer.defer(job_id=str(job.id))
    job.save(update_fields=["procrastinate_id"])
    return job


@transaction.atomic
def enqueue_once(*, kind: str, project_id: int, by: User | None = None, lock: str = "") -> Job:
    """Put a project's job into the queue; requests that come while one waits are one.

    Where one runs, another follows it: it may have read before what prompted this request. Unless they name a ``lock``,
    such jobs of a project run one at a time, in the order in which they were asked for.
    """
    dedupe, lock = f"{kind}:{project_id}", lock or f"project:{project_id}"
    job = enqueue(kind=kind, project_id=project_id, requested_by=by, dedupe=dedupe, lock=lock)
    if job.state == JobState.RUNNING:
        job = enqueue(kind=kind, project_id=project_id, requested_by=by, dedupe=f"{dedupe}:next", lock=lock)
    return job


def enqueue_to_wait(*, dedupe: str, **asked: Any) -> Job:
    """A job of :func:`enqueue` that begins when this transaction has ended: one that began earlier would not see what it
    writes. Requests that come meanwhile are one."""
    names = cycle((dedupe, f"{dedupe}:next"))
    while not _waits(job := enqueue(dedupe=next(names), **asked)):
        pass  # it has begun, or did so just now
    return job


def _waits(job: Job) -> bool:
    """Shared, so that many may ask at once."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM jobs_job WHERE id = %s AND state = %s FOR SHARE", [job.pk, JobState.QUEUED]
        )
        return cursor.fetchone() is not None


def _inserted(job: Job) -> bool:
    if not job.dedupe_key:
        job.save(force_insert=True)
        return True
    Job.objects.bulk_create([job], ignore_conflicts=True)
    return Job.objects.filter(pk=job.pk).exists()


@transaction.atomic
def retry(*, job: Job, by: User | None) -> Job:
    """Start a failed job's work again, as a new job; the one under way, if somebody has done so already.

    A job that did not fail is returned as it is.
    """
    job = Job.objects.select_for_update().get(pk=job.pk)
    if job.state != JobState.FAILED:
        return job
    task = ProcrastinateJob.objects.filter(pk=job.procrastinate_id).first()
    return enqueue(
        kind=job.kind,
        queue=job.queue,
        project_id=job.project_id,
        args=job.args,
        requested_by=by,
        dedupe=job.dedupe_key or f"retry:{job.pk}",
        lock=task.lock if task else None,
        priority=task.priority if task else NORMAL,
    )


@transaction.atomic
def cancel(*, job: Job) -> Job:
    """Ask a job to stop. A queued one never starts; a running one stops at its next progress report.

    A job that is over stays as it is.
    """
    job = Job.objects.select_for_update().get(pk=job.pk)
    if not job.is_live or job.cancel_requested_at is not None:
        return job
    job.cancel_requested_at = timezone.now()
    if job.state == JobState.QUEUED:
        job.state = JobState.CANCELLED
        job.finished_at = job.cancel_requested_at
    job.save(update_fields=["cancel_requested_at", "state", "finished_at", "updated_at"])
    return job
