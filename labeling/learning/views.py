"""The pages of models and jobs. Reading is selectors' work, writing is services'."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from labeling.catalog.models import Project
from labeling.catalog.permissions import Action, project_for, role_in
from labeling.catalog.selectors import class_names_by_key, current_guideline
from labeling.jobs import services as job_services
from labeling.learning import job_lines, selectors, services, version_charts, version_page, words
from labeling.learning.models import ModelVersion
from labeling.learning.training_set import readiness
from labeling.refusals import Refused
from labeling.typed_numbers import whole

JOBS_SHOWN = 100


@login_required
@require_GET
def models(request: HttpRequest, slug: str) -> HttpResponse:
    project = project_for(request.user, slug, Action.ADMIN)
    return render(
        request,
        "learning/models.html",
        _page(request, project, "models") | _training(project) | _versions(project),
    )


@login_required
@require_GET
def training(request: HttpRequest, slug: str) -> HttpResponse:
    project = project_for(request.user, slug, Action.ADMIN)
    return render(request, "learning/_training.html", {"project": project} | _training(project))


@login_required
@require_GET
def versions(request: HttpRequest, slug: str) -> HttpResponse:
    project = project_for(request.user, slug, Action.ADMIN)
    return render(request, "learning/_versions.html", {"project": project} | _versions(project))


@login_required
@require_POST
def train(request: HttpRequest, slug: str) -> HttpResponse:
    project = project_for(request.user, slug, Action.ADMIN)
    try:
        services.request_training(project=project, by=_user(request))
    except Refused as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, _("Training is on its way. This page shows how far it is."))
    return redirect("models", slug=slug)


@login_required
@require_GET
def model(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    project = project_for(request.user, slug, Action.ADMIN)
    return _model_page(request, project, number)


@login_required
@require_GET
def cell(request: HttpRequest, slug: str, number: int, truth: str, said: str) -> HttpResponse:
    """The photos behind one cell of the confusion table."""
    project = project_for(request.user, slug, Action.ADMIN)
    version = _version(project, number)
    # Seven digits lie beyond any last page, which is where more of them lead as well.
    page = whole(request.GET.get("page", "1").strip()[:7]) or 1
    found = version_page.cell_page(version, _class_names(project), truth=truth, predicted=said, page=page)
    if found is None:
        raise Http404(_("This version does not know such a class."))
    context = {"version": version, "has_diagnostics": selectors.diagnostics(version) is not None} | found
    return render(request, "learning/cell.html", _page(request, project, "model") | context)


@login_required
@require_POST
def review_suspicious(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Send one doubted label, or all, to review."""
    project = project_for(request.user, slug, Action.ADMIN)
    version = _version(project, number)
    asked = request.POST.get("item", "")
    if asked == "all":
        items = [each["item"] for each in selectors.suspicious(version)]
    else:
        item = whole(asked, digits=18)
        items = [] if item is None else [item]
    try:
        sent = services.send_to_review(model_version=version, item_ids=items, by=_user(request))
    except Refused as refusal:
        messages.error(request, refusal.message)
    else:
        if sent:
            messages.success(
                request,
                ngettext(
                    "%(n)d photo went to review. Its ground truth stays until a reviewer rules.",
                    "%(n)d photos went to review. Their ground truths stay until a reviewer rules.",
                    sent,
                )
                % {"n": sent},
            )
        else:
            messages.info(request, _("Nothing to send: these photos are in review, or were ruled on since."))
    return redirect(f"{reverse('model', args=[slug, number])}#suspicious")


@login_required
@require_POST
def retry_job(request: HttpRequest, slug: str, job_id: UUID) -> HttpResponse:
    project = project_for(request.user, slug, Action.ADMIN)
    job = selectors.jobs(project).filter(pk=job_id).first()
    if job is None:
        raise Http404(_("There is no such job."))
    if job_services.retry(job=job, by=_user(request)).pk == job.pk:
        messages.info(request, _("That job did not fail, so there is nothing to try again."))
    else:
        messages.success(request, _("It is tried again, as a new job."))
    return redirect("jobs", slug=slug)


@login_required
@require_POST
def promote(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    project = project_for(request.user, slug, Action.ADMIN)
    version = _version(project, number)
    reason = request.POST.get("reason", "")
    try:
        services.promote(model_version=version, by=_user(request), reason=reason)
    except Refused as refusal:
        # The page again, with what was typed, instead of a redirect that would lose it.
        messages.error(request, refusal.message)
        return _model_page(request, project, number, status=refusal.status, reason=reason)
    messages.success(
        request,
        _("Version %(number)d is the champion now. The queue is being ordered anew.") % {"number": number},
    )
    return redirect("model", slug=slug, number=number)


@login_required
@require_GET
def jobs(request: HttpRequest, slug: str) -> HttpResponse:
    project = project_for(request.user, slug, Action.ADMIN)
    return render(request, "learning/jobs.html", _page(request, project, "jobs") | _jobs(project))


@login_required
@require_GET
def jobs_list(request: HttpRequest, slug: str) -> HttpResponse:
    project = project_for(request.user, slug, Action.ADMIN)
    return render(request, "learning/_jobs.html", {"project": project} | _jobs(project))


@login_required
@require_POST
def cancel_job(request: HttpRequest, slug: str, job_id: UUID) -> HttpResponse:
    project = project_for(request.user, slug, Action.ADMIN)
    job = selectors.jobs(project).filter(pk=job_id).first()
    if job is None:
        raise Http404(_("There is no such job."))
    if job.is_live:
        job_services.cancel(job=job)
        messages.success(request, _("The job is being cancelled. What it has done so far is kept."))
    else:
        messages.info(request, _("That job had ended already."))
    back = request.POST.get("next", "")
    if url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()}):
        return redirect(back)
    return redirect("jobs", slug=slug)


def _model_page(
    request: HttpRequest, project: Project, number: int, *, status: int = 200, reason: str = ""
) -> HttpResponse:
    version = _version(project, number)
    champion = selectors.champion(project)
    cross, audit = version.metrics["cross_validated"], version.metrics.get("audit")
    names = _class_names(project)
    keys = version.metrics["order"]
    wished, wish_error = None, ""
    try:
        wished = version_page.read_share(request.GET.get("accuracy", ""))
    except Refused as refusal:
        wish_error = refusal.message
    context = {
        "version": version,
        "champion": champion,
        "is_champion": champion is not None and champion.pk == version.pk,
        "is_rollback": champion is not None and version.number < champion.number,
        "cross": cross,
        "audit": audit,
        "class_rows": [
            {
                "name": names.get(key, key),
                "cross": cross["classes"][key],
                "audit": audit["classes"][key] if audit else None,
            }
            for key in keys
        ],
        "class_names": [names.get(key, key) for key in keys],
        "confusion": _confusion(cross["confusion"], keys, [names.get(key, key) for key in keys]),
        "reliability": version_charts.reliability(cross["reliability"]),
        "verdict": words.verdict(version.comparison) if version.comparison else None,
        "snapshot": selectors.snapshot_details(version),
        "snapshot_counts": [(names.get(key, key), version.snapshot.counts[key]) for key in keys],
        "compared": [
            (figure, names.get(figure.label_class, figure.label_class))
            for figure in selectors.compare(champion, version)
        ]
        if champion is not None and champion.pk != version.pk
        else [],
        "promotions": selectors.promotions(project).filter(model_version=version),
        "reason": reason,
        "wished": request.GET.get("accuracy", ""),
        "wish_error": wish_error,
        **version_page.explained(version, names, wished=wished),
    }
    return render(request, "learning/model.html", _page(request, project, "model") | context, status=status)


def _version(project: Project, number: int) -> ModelVersion:
    version = selectors.version(project, number) if number < 2**31 else None
    if version is None:
        raise Http404(_("There is no such model version."))
    return version


def _confusion(matrix: list[list[int]], keys: list[str], names: list[str]) -> list[dict[str, Any]]:
    """Rows of the truth, each cell with its count and a step from 0 to 4 by its share of the row."""
    rows = []
    for index, (name, counts) in enumerate(zip(names, matrix, strict=True)):
        total = sum(counts)
        rows.append(
            {
                "name": name,
                "total": total,
                "cells": [
                    {
                        "count": count,
                        "truth": keys[index],
                        "said": keys[column],
                        "said_name": names[column],
                        "right": column == index,
                        "step": round(4 * count / total) if total else 0,
                    }
                    for column, count in enumerate(counts)
                ],
            }
        )
    return rows


def _training(project: Project) -> dict[str, Any]:
    live = selectors.jobs(project).live().filter(kind__in=("train", "embed"))
    ended = selectors.jobs(project).filter(kind="train").exclude(pk__in=[job.pk for job in live]).first()
    under_way = job_lines.lines(live)
    return {
        "ready": readiness(project),
        "live": under_way,
        "is_training": any(line.job.kind == "train" for line in under_way),
        "last": job_lines.line(ended) if ended else None,
        "new": selectors.new_ground_truths(project),
    }


def _versions(project: Project) -> dict[str, Any]:
    found = list(selectors.versions(project))
    names = _class_names(project)
    champion = selectors.champion(project)
    return {
        "versions": [
            {
                "version": version,
                "recalls": [
                    (names.get(key, key), version.metrics["cross_validated"]["classes"][key]["recall"])
                    for key in version.metrics["order"]
                ],
                "never_finds": [names.get(key, key) for key in words.never_finds(version.metrics)],
            }
            for version in found
        ],
        "champion": champion,
        "curve": version_charts.learning_curve(found, champion.pk if champion else None, project.slug),
    }


def _jobs(project: Project) -> dict[str, Any]:
    return {
        "lines": job_lines.folded(job_lines.lines(selectors.jobs(project)[:JOBS_SHOWN])),
        "shown": JOBS_SHOWN,
    }


def _class_names(project: Project) -> dict[str, str]:
    return class_names_by_key(current_guideline(project))


def _page(request: HttpRequest, project: Project, page: str) -> dict[str, Any]:
    return {"project": project, "role": role_in(request.user, project), "page": page}


def _user(request: HttpRequest) -> Any:
    return request.user
