"""A running job's line to the people who wait for it, and how it is told to stop."""

from __future__ import annotations

import threading
import time
from typing import Any

from django.db import InterfaceError, OperationalError, connection
from django.utils import timezone

from labeling.jobs.models import Job

REPORT_EVERY_S = 0.5


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


#: Between a message, which is translated, and what it speaks of, which has a name.
DETAIL = " · "


def of(message: str, detail: str) -> str:
    """A message of :meth:`Progress.report` about one of several: a backbone, say."""
    return f"{message}{DETAIL}{detail}"


class Progress:
    """A running job's line to the people who wait for it."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self._last = 0.0
        self._message: str | None = None
        self._since = self._called = timezone.now()

    @property
    def args(self) -> dict[str, Any]:
        return dict(self.job.args)

    def report(self, done: int, total: int | None = None, message: str | None = None) -> None:
        """Record progress, at most twice a second, and check whether the job is to stop.

        Raises what :meth:`check` raises.
        """
        now = time.monotonic()
        called = timezone.now()
        if message is not None and message != self._message:
            # What is done already was done since the last word.
            self._message, self._since = message, self._called if done else called
        self._called = called
        finished = total is not None and done >= total
        if now - self._last < REPORT_EVERY_S and not finished:
            return
        self._last = now
        changes: dict[str, Any] = {
            "done": done,
            "updated_at": timezone.now(),
            "counted_since": self._since,
        }
        if total is not None:
            changes["total"] = total
        if message is not None:
            changes["message"] = message
        try:
            this_attempt(self.job).update(**changes)
            self.check()
        except (OperationalError, InterfaceError):
            if connection.in_atomic_block:
                raise
            # The database is away. Nobody is told for a while, and the work goes on: it is what is dear.
            connection.close()

    def check(self) -> None:
        """Raise :class:`Cancelled`, :class:`Interrupted` or :class:`Superseded` if the job is to stop."""
        if stopping.is_set():
            raise Interrupted
        row = this_attempt(self.job).values_list("cancel_requested_at").first()
        if row is None:
            raise Superseded
        if row[0] is not None:
            raise Cancelled


def this_attempt(job: Job) -> Any:
    return Job.objects.filter(pk=job.pk, attempts=job.attempts)
