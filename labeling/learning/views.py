"""The pages of models and jobs. Reading is selectors' work, writing is services'."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from labeling.catalog.models import Project
from labeling.catalog.pages import open_to, project_context
from labeling.catalog.permissions import Action
from labeling.catalog.selectors import class_names_by_key, current_guideline
from labeling.http.refused import refusals_said
from labeling.jobs import services as job_services
from labeling.learning import models_page, selectors, services, version_page
from labeling.learning.job_purposes import by_purpose
from labeling.learning.models import ModelVersion
from labeling.people.signed_in import signed_in
from labeling.refusals import Refused
from labeling.text.typed_numbers import whole


@open_to(get=Action.ADMIN)
def models(request: HttpRequest, project: Project) -> HttpResponse:
    return render(
        request,
        "learning/models.html",
        project_context(
            request,
            project,
            "models",
            **models_page.training(project),
            **models_page.versions(project),
        ),
    )


@open_to(get=Action.ADMIN)
def training(request: HttpRequest, project: Project) -> HttpResponse:
    return render(request, "learning/_training.html", {"project": project} | models_page.training(project))


@open_to(get=Action.ADMIN)
def versions(request: HttpRequest, project: Project) -> HttpResponse:
    return render(request, "learning/_versions.html", {"project": project} | models_page.versions(project))


@open_to(post=Action.ADMIN)
def train(request: HttpRequest, project: Project) -> HttpResponse:
    with refusals_said(request):
        services.request_training(project=project, by=signed_in(request))
        messages.success(request, _("Training is on its way. This page shows how far it is."))
    return redirect("models", slug=project.slug)


@open_to(get=Action.ADMIN)
def model(request: HttpRequest, project: Project, number: int) -> HttpResponse:
    return _model_page(request, project, number)


@open_to(get=Action.ADMIN)
def cell(request: HttpRequest, project: Project, number: int, truth: str, said: str) -> HttpResponse:
    """The photos behind one cell of the confusion table."""
    version = _version(project, number)
    # Seven digits lie beyond any last page, which is where more of them lead as well.
    page = whole(request.GET.get("page", "1").strip()[:7]) or 1
    found = version_page.cell_page(version, _class_names(project), truth=truth, predicted=said, page=page)
    if found is None:
        raise Http404(_("This version does not know such a class."))
    context = {"version": version, "has_diagnostics": selectors.diagnostics(version) is not None} | found
    return render(request, "learning/cell.html", project_context(request, project, "model", **context))


@open_to(post=Action.ADMIN)
def review_suspicious(request: HttpRequest, project: Project, number: int) -> HttpResponse:
    """Send one doubted label, or all, to review."""
    version = _version(project, number)
    asked = request.POST.get("item", "")
    if asked == "all":
        items = [each["item"] for each in selectors.suspicious(version)]
    else:
        item = whole(asked, digits=18)
        items = [] if item is None else [item]
    with refusals_said(request):
        sent = services.send_to_review(model_version=version, item_ids=items, by=signed_in(request))
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
    return redirect(f"{reverse('model', args=[project.slug, number])}#suspicious")


@open_to(post=Action.ADMIN)
def retry_job(request: HttpRequest, project: Project, job_id: UUID) -> HttpResponse:
    job = selectors.jobs(project).filter(pk=job_id).first()
    if job is None:
        raise Http404(_("There is no such job."))
    if job_services.retry(job=job, by=signed_in(request)).pk == job.pk:
        messages.info(request, _("That job did not fail, so there is nothing to try again."))
    else:
        messages.success(request, _("It is tried again, as a new job."))
    return redirect("jobs", slug=project.slug)


@open_to(post=Action.ADMIN)
def promote(request: HttpRequest, project: Project, number: int) -> HttpResponse:
    version = _version(project, number)
    reason = request.POST.get("reason", "")
    try:
        services.promote(model_version=version, by=signed_in(request), reason=reason)
    except Refused as refusal:
        # The page again, with what was typed, instead of a redirect that would lose it.
        messages.error(request, refusal.message)
        return _model_page(request, project, number, status=refusal.status, reason=reason)
    messages.success(
        request,
        _("Version %(number)d is the champion now. The queue is being ordered anew.") % {"number": number},
    )
    return redirect("model", slug=project.slug, number=number)


@open_to(get=Action.ADMIN)
def jobs(request: HttpRequest, project: Project) -> HttpResponse:
    return render(request, "learning/jobs.html", project_context(request, project, "jobs", **_jobs(project)))


@open_to(get=Action.ADMIN)
def jobs_list(request: HttpRequest, project: Project) -> HttpResponse:
    return render(request, "learning/_jobs.html", {"project": project} | _jobs(project))


@open_to(post=Action.ADMIN)
def cancel_job(request: HttpRequest, project: Project, job_id: UUID) -> HttpResponse:
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
    return redirect("jobs", slug=project.slug)


def _model_page(
    request: HttpRequest, project: Project, number: int, *, status: int = 200, reason: str = ""
) -> HttpResponse:
    version = _version(project, number)
    typed = request.GET.get("accuracy", "")
    wished, wish_error = None, ""
    try:
        wished = version_page.read_share(typed)
    except Refused as refusal:
        wish_error = refusal.message
    context = project_context(
        request,
        project,
        "model",
        reason=reason,
        wished=typed,
        wish_error=wish_error,
        **version_page.page(version, _class_names(project), wished=wished),
    )
    return render(request, "learning/model.html", context, status=status)


def _version(project: Project, number: int) -> ModelVersion:
    version = selectors.version(project, number) if number < 2**31 else None
    if version is None:
        raise Http404(_("There is no such model version."))
    return version


def _jobs(project: Project) -> dict[str, Any]:
    return {
        "purposes": by_purpose(project),
    }


def _class_names(project: Project) -> dict[str, str]:
    return class_names_by_key(current_guideline(project))
