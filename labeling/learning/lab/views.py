"""The strategy lab's pages."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from labeling.catalog.models import Project
from labeling.catalog.pages import project_context
from labeling.catalog.permissions import Action, project_for
from labeling.catalog.strategies import STRATEGIES
from labeling.http.refused import refusals_said
from labeling.http.safe_methods import only_looked_at
from labeling.learning.lab import page as lab_page
from labeling.learning.lab import services as lab
from labeling.people.signed_in import signed_in
from labeling.refusals import Refused
from labeling.text.typed_numbers import whole

#: So much of a number field comes back when it is refused.
MOST_TYPED = 20


@login_required
@only_looked_at
def page(request: HttpRequest, slug: str) -> HttpResponse:
    project = project_for(request.user, slug, Action.ADMIN)
    return _page(request, project)


@login_required
@only_looked_at
def earlier(request: HttpRequest, slug: str, job_id: UUID) -> HttpResponse:
    project = project_for(request.user, slug, Action.ADMIN)
    run = lab.finished(project, job_id)
    if run is None:
        raise Http404(_("There is no such run, or it has no result."))
    # A page below “Models”, whose tab is the current one.
    context = project_context(request, project, "lab", **lab_page.shown(project, run))
    return render(request, "learning/lab_run.html", context)


@login_required
@only_looked_at
def result(request: HttpRequest, slug: str) -> HttpResponse:
    project = project_for(request.user, slug, Action.ADMIN)
    return render(request, "learning/_lab_result.html", {"project": project} | lab_page.state(project))


@login_required
@require_POST
def run(request: HttpRequest, slug: str) -> HttpResponse:
    project = project_for(request.user, slug, Action.ADMIN)
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
    return redirect("lab", slug=slug)


@login_required
@require_POST
def adopt(request: HttpRequest, slug: str) -> HttpResponse:
    project = project_for(request.user, slug, Action.ADMIN)
    strategy = request.POST.get("strategy", "")
    with refusals_said(request):
        lab.adopt(project=project, by=signed_in(request), strategy=strategy)
        messages.success(
            request,
            _("The queue follows “%(name)s” now. It is being ordered anew.") % {"name": STRATEGIES[strategy]},
        )
    return redirect("lab", slug=slug)


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
