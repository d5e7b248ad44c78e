"""Runs one job in a worker: state, progress, cancellation, and an error that says what to do.

A job that was taken up again has a higher ``attempts``. Every write of a run names the attempt that it belongs
to, so a worker that was believed dead and wakes up again can no longer touch the job.
"""

from __future__ import annotations

import logging
import time
import traceback
from typing import Any
from uuid import UUID

from django.db import InterfaceError, OperationalError, connection, transaction
from django.utils import timezone

from config.postgres.outages import is_disk_full, is_outage
from labeling.jobs.handlers import handler_for
from labeling.jobs.models import Job, JobState
from labeling.jobs.progress import (
    Cancelled,
    Interrupted,
    JobError,
    Progress,
    Superseded,
    stopping,
    this_attempt,
)
from labeling.jobs.told import CRASHED, FULL, UNEXPECTED, UNKNOWN
from labeling.store.objects import StoreAway

logger = logging.getLogger(__name__)

#: A job whose worker ended so often in the midst of it kills its workers: it is failed instead of begun again. An orderly
#: stop is none of these, or a long job would fail by restarts alone.
MAX_CRASHES = 20
AGAIN_S = 1.0


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
            raise JobError(UNKNOWN % {"kind": job.kind})
        result = handler(Progress(job))
    except Cancelled:
        _finish(job, JobState.CANCELLED)
    except Superseded:
        logger.warning("job %s (%s) goes on in another worker", job.kind, job.pk)
    except Interrupted:
        this_attempt(job).update(state=JobState.QUEUED, updated_at=timezone.now())
        raise
    except JobError as error:
        _finish(job, JobState.FAILED, error=str(error))
    except Exception as error:
        if is_disk_full(error):
            logger.error("job %s (%s): the disk is full", job.kind, job.pk)
            _finish(job, JobState.FAILED, error=FULL)
            return
        if is_outage(error) or isinstance(error, StoreAway):
            # The row still says that it runs: whoever begins it next counts it as a job whose worker ended.
            what = "store" if isinstance(error, StoreAway) else "database"
            logger.warning("job %s (%s) lost the %s (%s); it is begun again", job.kind, job.pk, what, error)
            raise Interrupted from error
        logger.exception("job %s (%s) failed", job.kind, job.pk)
        _finish(
            job,
            JobState.FAILED,
            error=UNEXPECTED % {"error": type(error).__name__},
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
                error=CRASHED % {"times": job.crashes},
            )
            return None
        job.state = JobState.RUNNING
        job.attempts += 1
        job.started_at = timezone.now()
        job.error = ""
        job.save(update_fields=["state", "attempts", "started_at", "error", "updated_at"])
        return job


def _finish(job: Job, state: JobState, *, result: Any = None, error: str = "", trace: str = "") -> None:
    """What was worked out is told, however long the database is away."""
    now = timezone.now()
    while True:
        try:
            this_attempt(job).update(
                state=state, result=result, error=error, trace=trace, finished_at=now, updated_at=now
            )
        except (OperationalError, InterfaceError):
            if connection.in_atomic_block or stopping.is_set():
                raise
            logger.warning("job %s (%s) is over; the database is away, telling it later", job.kind, job.pk)
            connection.close()
            time.sleep(AGAIN_S)
        else:
            return
