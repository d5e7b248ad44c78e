"""The weekly page: to read, to print on one sheet, to keep as one file that needs no Hilltop."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from labeling.catalog.pages import project_context
from labeling.catalog.permissions import Action, project_for
from labeling.http.safe_methods import only_looked_at
from labeling.overview.week.report import NoSuchWeek, report

STYLE = Path(settings.BASE_DIR) / "static" / "css" / "week.css"


@login_required
@only_looked_at
def page(request: HttpRequest, slug: str) -> HttpResponse:
    """``?of=2026-W47``; ``?download``: the same as a file."""
    project = project_for(request.user, slug, Action.FIGURES)
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
