"""The page where an admin takes the champion out."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from labeling.catalog.models import Project
from labeling.catalog.pages import open_to, project_context
from labeling.catalog.permissions import Action
from labeling.http.refused import refusals_said
from labeling.learning import job_lines
from labeling.learning.selectors import champion
from labeling.people.signed_in import signed_in
from labeling.serving.bundles import services


@open_to(get=Action.ADMIN)
def page(request: HttpRequest, project: Project) -> HttpResponse:
    return render(
        request, "serving/bundle.html", project_context(request, project, "bundle", **_state(project))
    )


@open_to(get=Action.ADMIN)
def state(request: HttpRequest, project: Project) -> HttpResponse:
    return render(request, "serving/_bundle.html", {"project": project, **_state(project)})


@open_to(post=Action.ADMIN)
def make(request: HttpRequest, project: Project) -> HttpResponse:
    with refusals_said(request):
        services.request_bundle(project=project, by=signed_in(request))
        messages.success(request, _("A worker writes it. This page shows how far it is."))
    return redirect("bundle", slug=project.slug)


def _state(project: Project) -> dict[str, Any]:
    last = services.jobs(project).first()
    line = job_lines.line(last) if last is not None else None
    return {
        "champion": champion(project),
        "made": services.newest(project),
        "live": line if line and line.job.is_live else None,
        "failed": line if line and line.can_retry else None,
    }
