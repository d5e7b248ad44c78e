"""That a week is over is told by the clock, for no row says it."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from django.conf import settings
from django.utils import timezone

from labeling.catalog.models import Project
from labeling.notify.kinds.weeks import OVER
from labeling.notify.models import Endpoint, Event
from labeling.overview.dashboard.history import start_of
from labeling.overview.week.figures import Span
from labeling.overview.week.report import NoSuchWeek, report


def tell_weeks() -> int:
    """Write an event for each project that somebody listens to, of the week before this one, if there is none yet.

    Returns how many. Weeks are those of the server's time zone. To be called by one at a time. Once events of the week's end
    are not kept any more, nothing says whether it was told.
    """
    this_one = start_of(timezone.localdate(), "week")
    over_at = timezone.make_aware(datetime.combine(this_one, time.min))
    if timezone.now() - over_at >= settings.EVENTS_KEPT:
        return 0
    week = Span(this_one - timedelta(days=7), timezone.get_current_timezone_name()).name
    listening = Endpoint.objects.filter(events__contains=[OVER])
    projects = Project.objects.filter(archived_at=None)
    if not listening.filter(project=None).exists():
        projects = projects.filter(pk__in=listening.values("project"))
    rows = {f"{project.pk}/{week}": project for project in projects.order_by("pk")}
    there = set(Event.objects.filter(at__gte=over_at, kind=OVER).values_list("row", flat=True))
    return sum(_tell(project, week, row) for row, project in rows.items() if row not in there)


def _tell(project: Project, week: str, row: str) -> bool:
    try:
        report(project, week)
    except NoSuchWeek:  # it began after it
        return False
    Event.objects.create(kind=OVER, project=project, subject=f"week/{row}", source="catalog_project", row=row)
    return True
