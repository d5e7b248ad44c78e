"""The dashboard's page. Its figures as files come from the API, which counts them in the same way."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from labeling.catalog.models import Project
from labeling.catalog.pages import open_to, project_context
from labeling.catalog.permissions import Action, may
from labeling.overview.dashboard.build import dashboard, says
from labeling.overview.dashboard.history import BY
from labeling.overview.dashboard.targets import lead
from labeling.overview.dashboard.topics import most_changed, topics

#: Days, weeks or months on the page at most: by day, a plot of ten years would be grey.
STEPS = 200


@open_to(get=Action.FIGURES)
def page(request: HttpRequest, project: Project) -> HttpResponse:
    """``?by=day``, ``week`` or ``month``; anything else is left to what keeps the plots readable."""
    asked = request.GET.get("by", "")
    seen = dashboard(project, by=asked if asked in BY else "", newest=STEPS)
    change = most_changed(seen.panels)
    leading = change.panel if change else seen.panel("per-decision")
    assert leading is not None  # every dashboard has it
    names = {"day": _("By day"), "week": _("By week"), "month": _("By month")}
    context = project_context(
        request,
        project,
        "dashboard",
        seen=seen,
        says=says(seen.headline),
        lead=lead(project, seen.total, seen.headline.precision),
        change=change,
        leading=leading,
        topics=topics(seen.panels, leading),
        now=seen.frames[-1] if seen.frames else None,
        choices=[(by, names[by], by == seen.by) for by in BY],
        may_open_photos=may(request.user, project, Action.ADMIN),
    )
    return render(request, "overview/dashboard/dashboard.html", context)
