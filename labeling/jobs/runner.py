"""Runs one job in a worker: state, progress, cancellation, and an error that says what to do.

A job that was taken up again has a higher ``attempts``. Every write of a run names the attempt that it belongs
to, so a worker that was believed dead and wakes up again can no longer touch the job.
"""

from __future__ import annotations

import logging
import threading
import time
import traceback
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from labeling.jobs.handlers import handler_for
from labeling.jobs.models import Job, JobState

logger = logging.getLogger(__name__)

REPORT_EVERY_S = 0.5
#: A job whose worker ended so often in the midst of it kills its workers: it is failed instead of begun again. An orderly
#: stop is none of these, or a long job would fail by restarts alone.
MAX_CRASHES = 20

#: Set when this worker is to end: jobs stop at their next progress report and go back to the queue.
stopping = threading.Event()


class Cancelled(Exception):
    """Raised inside a handler, by its own progress report, when somebody cancelled the job."""


class Interrupted(Exception):
    """Raised inside a handler, by its own progress report, when its worker ends. The job is queued again."""


class Superseded(Exception):
    """Raised inside a handler, by its own progress report, when another worker has taken the job up."""


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
        """Record progress, at most twice a second, and check whether the job is to stop.

        Raises what :meth:`check` raises.
        """
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
        _this_attempt(self.job).update(**changes)
        self.check()

    def check(self) -> None:
        """Raise :class:`Cancelled`, :class:`Interrupted` or :class:`Superseded` if the job is to stop."""
        if stopping.is_set():
            raise Interrupted
        row = _this_attempt(self.job).values_list("cancel_requested_at").first()
        if row is None:
            raise Superseded
        if row[0] is not None:
            raise Cancelled


def run(job_id: UUID | str) -> None:
    """Do the job. Expected failures and bugs end in the row; only a killed process leaves it ``running``.

    Raises :class:`Interrupted` when the worker ends first; the job is ``queued`` again.
    """
    job = _begin(job_id)
    if job is None:
        return
    handler = handler_for(job.kind)
    try:
        if handler is None:
            raise JobError(
                f"No worker knows jobs of kind “{job.kind}”. Update the workers, then start it again."
            )
        result = handler(Progress(job))
    except Cancelled:
        _finish(job, JobState.CANCELLED)
    except Superseded:
        logger.warning("job %s (%s) goes on in another worker", job.kind, job.pk)
    except Interrupted:
        _this_attempt(job).update(state=JobState.QUEUED, updated_at=timezone.now())
        raise
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


def _begin(job_id: UUID | str) -> Job | None:
    """Mark the job as running in this attempt; ``None`` when there is nothing (more) to do."""
    with transaction.atomic():
        job = Job.objects.select_for_update().filter(pk=job_id).first()
        if job is None or not job.is_live:
            return None
        if job.cancel_requested_at is not None:
            _finish(job, JobState.CANCELLED)
            return None
        if job.state == JobState.RUNNING:  # nobody put it back
            job.crashes += 1
            job.save(update_fields=["crashes"])
        if job.crashes >= MAX_CRASHES:
            _finish(
                job,
                JobState.FAILED,
                error=f"The job's worker ended {job.crashes} times in the midst of it, perhaps for want of memory. "
                "Look at the worker's log, then start the job again.",
            )
            return None
        job.state = JobState.RUNNING
        job.attempts += 1
        job.started_at = timezone.now()
        job.error = ""
        job.save(update_fields=["state", "attempts", "started_at", "error", "updated_at"])
        return job


def _this_attempt(job: Job) -> Any:
    return Job.objects.filter(pk=job.pk, attempts=job.attempts)


def _finish(job: Job, state: JobState, *, result: Any = None, error: str = "", trace: str = "") -> None:
    now = timezone.now()
    _this_attempt(job).update(
        state=state, result=result, error=error, trace=trace, finished_at=now, updated_at=now
    )
