"""That a week is over is told by the clock, for no row says it."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from labeling.catalog.models import Project
from labeling.notify.kinds.weeks import OVER
from labeling.notify.models import Endpoint, Event
from labeling.overview.dashboard.history import start_of
from labeling.overview.week.figures import Span
from labeling.overview.week.report import NoSuchWeek, report


def tell_weeks() -> int:
    """Write an event for each project that somebody listens to, of the week before this one, if there is none yet.

    Returns how many. Weeks are those of the server's time zone. To be called by one at a time.
    """
    monday = start_of(timezone.localdate(), "week") - timedelta(days=7)
    week = Span(monday, timezone.get_current_timezone_name()).name
    listening = Endpoint.objects.filter(events__contains=[OVER])
    projects = Project.objects.filter(archived_at=None)
    if not listening.filter(project=None).exists():
        projects = projects.filter(pk__in=listening.values("project"))
    return sum(_tell(project, week) for project in projects.order_by("pk"))


def _tell(project: Project, week: str) -> bool:
    row = f"{project.pk}/{week}"
    if Event.objects.filter(kind=OVER, row=row).exists():
        return False
    try:
        report(project, week)
    except NoSuchWeek:  # it began after it
        return False
    Event.objects.create(kind=OVER, project=project, subject=f"week/{row}", source="catalog_project", row=row)
    return True
