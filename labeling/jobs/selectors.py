"""What is under way, and what was asked for last."""

from __future__ import annotations

from django.db.models import Q, Subquery

from labeling.database.read_once import read_once
from labeling.jobs.models import LIVE_STATES, Job


def live_jobs(project_id: int) -> tuple[Job, ...]:
    """A project's jobs that wait or run, oldest first, with who asked for them."""
    return tuple(each for each in _now(project_id) if each.is_live)


def newest_job(project_id: int) -> Job | None:
    """The one that was asked for last."""
    return next(reversed(_now(project_id)), None)


@read_once
def _now(project_id: int) -> tuple[Job, ...]:
    """Both, oldest first."""
    jobs = Job.objects.of_project(project_id)
    newest = jobs.order_by("-created_at").values("pk")[:1]
    shown = jobs.filter(Q(state__in=LIVE_STATES) | Q(pk=Subquery(newest)))
    return tuple(shown.select_related("requested_by").order_by("created_at"))
