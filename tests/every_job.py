"""All that a worker would do, done by whoever asks: each job that waits, and what follows from it, the oldest first."""

from __future__ import annotations

import labeling.catalog.tasks
import labeling.explorer.tasks
import labeling.frontier.tasks
import labeling.gateway.tasks
import labeling.inspections.tasks
import labeling.learning.tasks
import labeling.monitors.tasks
import labeling.queue.tasks  # noqa: F401  (registers the handlers)
from labeling.jobs import runner
from labeling.jobs.models import Job, JobState


def work() -> list[Job]:
    """Returns them; none may fail."""
    done = []
    while job := Job.objects.filter(state=JobState.QUEUED).order_by("created_at").first():
        runner.run(job.pk)
        job.refresh_from_db()
        assert job.state == JobState.SUCCEEDED, f"{job.kind}: {job.error}\n{job.trace}"
        done.append(job)
    return done
