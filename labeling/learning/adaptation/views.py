"""The page on which an admin has the backbone adapted to the project's photos, and reads what came of it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from labeling.catalog.models import Project
from labeling.catalog.pages import open_to, project_context
from labeling.catalog.permissions import Action
from labeling.learning import domain_backbones
from labeling.learning.adaptation import page as adaptation_page
from labeling.learning.adaptation import services as adaptation
from labeling.learning.models import DomainBackbone
from labeling.people.signed_in import signed_in
from labeling.refusals import Refused


@open_to(get=Action.ADMIN)
def page(request: HttpRequest, project: Project) -> HttpResponse:
    return _page(request, project)


@open_to(get=Action.ADMIN)
def result(request: HttpRequest, project: Project) -> HttpResponse:
    return render(
        request, "learning/_adaptation_result.html", {"project": project} | adaptation_page.state(project)
    )


@open_to(post=Action.ADMIN)
def run(request: HttpRequest, project: Project) -> HttpResponse:
    chosen: dict[str, Any] = {
        "method": request.POST.get("method", DomainBackbone.Method.STATISTICS.value),
        "flips": request.POST.get("flips", ""),
        "base": request.POST.get("base", ""),
        "on_cpu": request.POST.get("on_cpu") == "on",
    }
    try:
        if chosen["method"] == domain_backbones.FINE_TUNED:
            adaptation.request_fine_tuning(project=project, by=signed_in(request), flips=chosen["flips"])
        else:
            adaptation.request_adaptations(
                project=project,
                by=signed_in(request),
                method=chosen["method"],
                flips=chosen["flips"],
                on_cpu=chosen["on_cpu"],
                bases=[chosen["base"]] if chosen["base"] else [],
            )
    except Refused as refusal:
        messages.error(request, refusal.message)
        return _page(request, project, chosen=chosen, fields=refusal.fields, status=refusal.status)
    messages.success(request, _("It is on its way. This page shows how far it is."))
    return redirect("adaptation", slug=project.slug)


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
        "model",  # a page below “Models”, which is the current one
        given=chosen or {"method": DomainBackbone.Method.STATISTICS.value, "flips": "", "base": ""},
        bases=project.backbone_names,
        errors=fields or {},
        methods=[
            *((str(name), label) for name, label in adaptation.METHODS.items()),
            (domain_backbones.FINE_TUNED, adaptation.FINE_TUNING_NAME),
        ],
        flips=list(adaptation.FLIPS.items()),
        **adaptation_page.state(project),
    )
    return render(request, "learning/adaptation.html", context, status=status)
