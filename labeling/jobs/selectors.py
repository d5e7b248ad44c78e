"""What is under way."""

from __future__ import annotations

from labeling.jobs.models import Job
from labeling.read_once import read_once


@read_once
def live_jobs(project_id: int) -> tuple[Job, ...]:
    """A project's jobs that wait or run, oldest first, with who asked for them."""
    jobs = Job.objects.live().of_project(project_id).select_related("requested_by")
    return tuple(jobs.order_by("created_at"))
