"""The strategy lab's pages."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from labeling.catalog.models import Project
from labeling.catalog.pages import open_to, project_context
from labeling.catalog.permissions import Action
from labeling.catalog.strategies import STRATEGIES
from labeling.http.refused import refusals_said
from labeling.learning.lab import page as lab_page
from labeling.learning.lab import services as lab
from labeling.people.signed_in import signed_in
from labeling.refusals import Refused
from labeling.text.typed_numbers import whole

#: So much of a number field comes back when it is refused.
MOST_TYPED = 20


@open_to(get=Action.ADMIN)
def page(request: HttpRequest, project: Project) -> HttpResponse:
    return _page(request, project)


@open_to(get=Action.ADMIN)
def earlier(request: HttpRequest, project: Project, job_id: UUID) -> HttpResponse:
    run = lab.finished(project, job_id)
    if run is None:
        raise Http404(_("There is no such run, or it has no result."))
    # A page below “Models”, whose tab is the current one.
    context = project_context(request, project, "lab", **lab_page.shown(project, run))
    return render(request, "learning/lab_run.html", context)


@open_to(get=Action.ADMIN)
def result(request: HttpRequest, project: Project) -> HttpResponse:
    return render(request, "learning/_lab_result.html", {"project": project} | lab_page.state(project))


@open_to(post=Action.ADMIN)
def run(request: HttpRequest, project: Project) -> HttpResponse:
    chosen: dict[str, Any] = {
        "strategies": request.POST.getlist("strategies"),
        "labelers": request.POST.get("labelers", "strict"),
        "seeds": request.POST.get("seeds", "5").strip()[:MOST_TYPED],
    }
    try:
        lab.request_lab(
            project=project,
            by=signed_in(request),
            **(chosen | {"seeds": whole(chosen["seeds"], digits=4) or 0}),
        )
    except Refused as refusal:
        messages.error(request, refusal.message)
        return _page(request, project, chosen=chosen, fields=refusal.fields, status=refusal.status)
    messages.success(request, _("The comparison is on its way. This page shows how far it is."))
    return redirect("lab", slug=project.slug)


@open_to(post=Action.ADMIN)
def adopt(request: HttpRequest, project: Project) -> HttpResponse:
    strategy = request.POST.get("strategy", "")
    with refusals_said(request):
        lab.adopt(project=project, by=signed_in(request), strategy=strategy)
        messages.success(
            request,
            _("The queue follows “%(name)s” now. It is being ordered anew.") % {"name": STRATEGIES[strategy]},
        )
    return redirect("lab", slug=project.slug)


def _page(
    request: HttpRequest,
    project: Project,
    *,
    chosen: dict[str, Any] | None = None,
    fields: dict[str, Any] | None = None,
    status: int = 200,
) -> HttpResponse:
    context = project_context(
        request,
        project,
        "lab",
        errors=fields or {},
        **lab_page.form(project, chosen),
        **lab_page.state(project),
    )
    return render(request, "learning/lab.html", context, status=status)
