"""Enqueue and cancel jobs. Enqueuing joins the caller's transaction: no commit, no job."""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from procrastinate.contrib.django import app as procrastinate_app

from labeling.jobs.models import Job, JobState
from labeling.people.models import User


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
) -> Job:
    """Put one job into the queue, and return its row.

    ``dedupe``: while a job with this key is queued or running, that one is returned instead of a new one.
    ``lock``: jobs with the same lock run one at a time, in order.
    """
    try:
        with transaction.atomic():
            job = Job.objects.create(
                kind=kind,
                queue=queue,
                project_id=project_id,
                args=args or {},
                requested_by=requested_by,
                dedupe_key=dedupe,
            )
    except IntegrityError:
        existing = Job.objects.live().filter(dedupe_key=dedupe).first()
        if existing is None:  # it ended between the two statements: now there is room for ours
            return enqueue(
                kind=kind,
                queue=queue,
                project_id=project_id,
                args=args,
                requested_by=requested_by,
                dedupe=dedupe,
                lock=lock,
            )
        return existing
    deferrer = procrastinate_app.configure_task("hilltop.run_job", queue=queue, lock=lock, allow_unknown=True)
    job.procrastinate_id = deferrer.defer(job_id=str(job.id))
    job.save(update_fields=["procrastinate_id"])
    return job


@transaction.atomic
def cancel(*, job: Job) -> Job:
    """Ask a job to stop. A queued one never starts; a running one stops at its next progress report."""
    job = Job.objects.select_for_update().get(pk=job.pk)
    if job.state == JobState.QUEUED:
        job.state = JobState.CANCELLED
        job.finished_at = timezone.now()
    if job.cancel_requested_at is None:
        job.cancel_requested_at = timezone.now()
    job.save()
    return job
