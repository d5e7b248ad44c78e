"""The strategy lab's pages."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from labeling.catalog.models import Project
from labeling.catalog.permissions import Action, project_for, role_in
from labeling.catalog.strategies import STRATEGIES
from labeling.jobs.models import Job
from labeling.learning import job_lines
from labeling.learning.lab import services as lab
from labeling.learning.lab.chart import lab_figure
from labeling.refusals import Refused
from labeling.typed_numbers import whole

RUNS_SHOWN = 20
#: So much of a number field comes back when it is refused.
MOST_TYPED = 20
#: Ticked when the page is opened: the question that most admins have.
USUAL = ("inward", "random", "uncertain")


@login_required
@require_GET
def page(request: HttpRequest, slug: str) -> HttpResponse:
    project = project_for(request.user, slug, Action.ADMIN)
    return _page(request, project)


@login_required
@require_GET
def earlier(request: HttpRequest, slug: str, job_id: UUID) -> HttpResponse:
    project = project_for(request.user, slug, Action.ADMIN)
    run = lab.finished(project, job_id)
    if run is None:
        raise Http404(_("There is no such run, or it has no result."))
    return render(request, "learning/lab_run.html", _head(request, project) | _shown(project, run))


@login_required
@require_GET
def result(request: HttpRequest, slug: str) -> HttpResponse:
    project = project_for(request.user, slug, Action.ADMIN)
    return render(request, "learning/_lab_result.html", {"project": project} | _state(project))


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
            project=project, by=_user(request), **(chosen | {"seeds": whole(chosen["seeds"], digits=4) or 0})
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
    try:
        lab.adopt(project=project, by=_user(request), strategy=strategy)
    except Refused as refusal:
        messages.error(request, refusal.message)
    else:
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
    given = chosen or {
        "strategies": list(dict.fromkeys([*USUAL, project.strategy])),
        "labelers": "strict",
        "seeds": 5,
    }
    context = {
        "given": given,
        "errors": fields or {},
        "strategies": [(name, STRATEGIES[name], name in given["strategies"]) for name in STRATEGIES],
        "labelers": [(name, lab.LABELER_NAMES[name]) for name in lab.LABELERS],
        "most_seeds": lab.MOST_SEEDS,
    }
    return render(
        request,
        "learning/lab.html",
        _head(request, project) | context | _state(project),
        status=status,
    )


def _head(request: HttpRequest, project: Project) -> dict[str, Any]:
    # A page below “Models”, whose tab is the current one.
    return {"project": project, "role": role_in(request.user, project), "page": "model"}


def _state(project: Project) -> dict[str, Any]:
    """What is under way, the newest result, and the earlier ones."""
    found = list(lab.runs(project)[: RUNS_SHOWN + 1])
    newest = found[0] if found else None
    shown = lab.finished(project)
    lines = [job_lines.line(each) for each in found[:RUNS_SHOWN]]
    return {
        "ready": lab.lab_readiness(project),
        "least": lab.LEAST,
        "live": [line for line in lines if line.job.is_live],
        "failed": job_lines.line(newest) if newest and not newest.is_live and newest.result is None else None,
        "runs": [
            {
                "line": line,
                "strategies": [STRATEGIES.get(name, name) for name in line.job.args.get("strategies", [])],
            }
            for line in lines
            if not line.job.is_live and (shown is None or line.job.pk != shown.pk)
        ],
        **(_shown(project, shown) if shown else {"run": None}),
    }


def _shown(project: Project, run: Job) -> dict[str, Any]:
    result: dict[str, Any] = run.result or {}
    names = STRATEGIES
    told = lab.advice(result, project.strategy)
    at = {row["name"]: row for row in result["at"]["strategies"]}
    bands = result["seeds"] >= lab.LEAST_SEEDS_FOR_BANDS
    return {
        "run": run,
        "result": result,
        "advice": told,
        "best_name": names.get(told.best, told.best),
        "labelers_name": lab.LABELER_NAMES[result["labelers"]],
        "bands": bands,
        "least_for_bands": lab.LEAST_SEEDS_FOR_BANDS,
        "figure": lab_figure(
            result["curves"], names, result["at"]["decisions"], title=told.headline, bands=bands
        ),
        "at_rows": [
            {"look": index, "label": names.get(curve["name"], curve["name"]), **at[curve["name"]]}
            for index, curve in enumerate(result["curves"])
        ],
        "curve_rows": [
            {"look": index, "label": names.get(curve["name"], curve["name"]), "points": curve["points"]}
            for index, curve in enumerate(result["curves"])
        ],
        "pairs": [
            {
                "left": names.get(pair["left"], pair["left"]),
                "right": names.get(pair["right"], pair["right"]),
                "difference": lab.points(pair["difference"]),
                "half": lab.points(pair["half_interval"]),
                "clear": pair["clear"],
            }
            for pair in result["at"]["pairs"]
            if pair["difference"] > 0 or (pair["difference"] == 0 and pair["left"] < pair["right"])
        ],
    }


def _user(request: HttpRequest) -> Any:
    return request.user
