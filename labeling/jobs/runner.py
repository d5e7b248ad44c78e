"""Runs one job in a worker: state, progress, cancellation, and an error that says what to do."""

from __future__ import annotations

import logging
import time
import traceback
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from labeling.jobs.handlers import handler_for
from labeling.jobs.models import Job, JobState

logger = logging.getLogger(__name__)

REPORT_EVERY_S = 0.5


class Cancelled(Exception):
    """Raised inside a handler, by its own progress report, when somebody cancelled the job."""


class JobError(Exception):
    """An expected failure. Its text is shown to people as it is: say what happened and what to do."""


class Progress:
    """A running job's line to the people who wait for it."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self._last = 0.0

    @property
    def args(self) -> dict[str, Any]:
        return dict(self.job.args)

    def report(self, done: int, total: int | None = None, message: str | None = None) -> None:
        """Record progress (at most twice a second); raise :class:`Cancelled` if the job is to stop."""
        now = time.monotonic()
        finished = total is not None and done >= total
        if now - self._last < REPORT_EVERY_S and not finished:
            return
        self._last = now
        changes: dict[str, Any] = {"done": done, "updated_at": timezone.now()}
        if total is not None:
            changes["total"] = total
        if message is not None:
            changes["message"] = message
        Job.objects.filter(pk=self.job.pk).update(**changes)
        self.check()

    def check(self) -> None:
        if Job.objects.filter(pk=self.job.pk, cancel_requested_at__isnull=False).exists():
            raise Cancelled


def run(job_id: UUID | str) -> None:
    """Do the job. Expected failures and bugs end in the row; only a killed process leaves it ``running``."""
    with transaction.atomic():
        job = Job.objects.select_for_update().filter(pk=job_id).first()
        if job is None or not job.is_live:
            return
        if job.cancel_requested_at is not None:
            _finish(job, JobState.CANCELLED)
            return
        Job.objects.filter(pk=job.pk).update(
            state=JobState.RUNNING,
            started_at=timezone.now(),
            updated_at=timezone.now(),
            attempts=F("attempts") + 1,
            error="",
        )
    job.refresh_from_db()
    try:
        result = handler_for(job.kind)(Progress(job))
    except Cancelled:
        _finish(job, JobState.CANCELLED)
    except JobError as error:
        _finish(job, JobState.FAILED, error=str(error))
    except Exception as error:
        logger.exception("job %s (%s) failed", job.kind, job.pk)
        _finish(
            job,
            JobState.FAILED,
            error=f"Something unexpected went wrong ({type(error).__name__}). What was done so far is kept; "
            "start the job again, and tell your administrator if it fails again.",
            trace=traceback.format_exc(),
        )
    else:
        _finish(job, JobState.SUCCEEDED, result=result)


def _finish(job: Job, state: JobState, *, result: Any = None, error: str = "", trace: str = "") -> None:
    now = timezone.now()
    Job.objects.filter(pk=job.pk).update(
        state=state, result=result, error=error, trace=trace, finished_at=now, updated_at=now
    )
