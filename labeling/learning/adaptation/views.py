"""The page on which an admin has the backbone adapted to the project's photos, and reads what came of it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from labeling.catalog.models import Project
from labeling.catalog.permissions import Action, project_for, role_in
from labeling.jobs.models import Job
from labeling.learning import domain_backbones, job_lines
from labeling.learning.adaptation import page as adaptation_page
from labeling.learning.adaptation import services as adaptation
from labeling.learning.models import DomainBackbone
from labeling.people.signed_in import signed_in
from labeling.refusals import Refused

MADE_SHOWN = 20


@login_required
@require_GET
def page(request: HttpRequest, slug: str) -> HttpResponse:
    project = project_for(request.user, slug, Action.ADMIN)
    return _page(request, project)


@login_required
@require_GET
def result(request: HttpRequest, slug: str) -> HttpResponse:
    project = project_for(request.user, slug, Action.ADMIN)
    return render(request, "learning/_adaptation_result.html", {"project": project} | _state(project))


@login_required
@require_POST
def run(request: HttpRequest, slug: str) -> HttpResponse:
    project = project_for(request.user, slug, Action.ADMIN)
    chosen: dict[str, Any] = {
        "method": request.POST.get("method", DomainBackbone.Method.STATISTICS.value),
        "flips": request.POST.get("flips", ""),
        "on_cpu": request.POST.get("on_cpu") == "on",
    }
    try:
        if chosen["method"] == adaptation.FINE_TUNING:
            adaptation.request_fine_tuning(project=project, by=signed_in(request), flips=chosen["flips"])
        else:
            adaptation.request_adaptation(
                project=project,
                by=signed_in(request),
                method=chosen["method"],
                flips=chosen["flips"],
                on_cpu=chosen["on_cpu"],
            )
    except Refused as refusal:
        messages.error(request, refusal.message)
        return _page(request, project, chosen=chosen, fields=refusal.fields, status=refusal.status)
    messages.success(request, _("It is on its way. This page shows how far it is."))
    return redirect("adaptation", slug=slug)


def _page(
    request: HttpRequest,
    project: Project,
    *,
    chosen: dict[str, Any] | None = None,
    fields: dict[str, Any] | None = None,
    status: int = 200,
) -> HttpResponse:
    given = chosen or {"method": DomainBackbone.Method.STATISTICS.value, "flips": ""}
    context = {
        "project": project,
        "role": role_in(request.user, project),
        "page": "model",  # a page below “Models”, whose tab is the current one
        "given": given,
        "errors": fields or {},
        "methods": [
            *((str(name), label) for name, label in adaptation.METHODS.items()),
            (adaptation.FINE_TUNING, adaptation.FINE_TUNING_NAME),
        ],
        "flips": list(adaptation.FLIPS.items()),
    }
    return render(request, "learning/adaptation.html", context | _state(project), status=status)


def _state(project: Project) -> dict[str, Any]:
    """What is under way, what the gate said last, and all that was made."""
    jobs = list(adaptation.jobs(project)[:MADE_SHOWN])
    newest = jobs[0] if jobs else None
    lines = [job_lines.line(each) for each in jobs]
    made = list(domain_backbones.made(project)[:MADE_SHOWN])
    verdict = adaptation_page.verdict(project, made)
    return {
        "ready": adaptation.readiness(project),
        "live": [line for line in [*lines, *_fine_tuning(project)] if line.job.is_live],
        "failed": job_lines.line(newest)
        if newest and not newest.is_live and newest.state != "succeeded"
        else None,
        "skipped": (newest.result or {}).get("skipped") if newest and newest.state == "succeeded" else None,
        "verdict": verdict,
        "made": [adaptation_page.described(each, verdict) for each in made],
    }


def _fine_tuning(project: Project) -> list[job_lines.JobLine]:
    """The training that fine-tunes, if one is under way."""
    trainings = Job.objects.of_project(project.pk).live().filter(kind="train", args__finetune=True)
    return job_lines.lines(trainings.select_related("requested_by"))
