"""The weekly page: to read, to print on one sheet, to keep as one file that needs no Hilltop."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from labeling.catalog.models import Project
from labeling.catalog.pages import open_to, project_context
from labeling.catalog.permissions import Action
from labeling.overview.week.report import NoSuchWeek, report

STYLE = Path(settings.BASE_DIR) / "static" / "css" / "week.css"


@open_to(get=Action.FIGURES)
def page(request: HttpRequest, project: Project) -> HttpResponse:
    """``?of=2026-W47``; ``?download``: the same as a file."""
    try:
        week = report(project, request.GET.get("of", ""))
    except NoSuchWeek as no:
        raise Http404(no.why) from no
    context = project_context(request, project, "dashboard", week=week)
    if "download" not in request.GET:
        return render(request, "overview/week/week.html", context)
    answer = render(request, "overview/week/file.html", context | {"style": STYLE.read_text()})
    answer["Content-Disposition"] = f'attachment; filename="{project.slug}-{week.span.name}.html"'
    return answer
