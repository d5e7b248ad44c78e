"""A project's overview: the frontier picture and figures for reviewers and admins, one's own numbers for labelers."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from labeling.catalog.models import Project
from labeling.catalog.permissions import Action, may, project_for, role_in
from labeling.catalog.selectors import active_definitions
from labeling.frontier.bands import band_needs
from labeling.frontier.picture import band_photos, picture
from labeling.frontier.selectors import decided_alone
from labeling.jobs.models import Job
from labeling.learning.selectors import accuracy, audit_accuracy, champion
from labeling.overview.diary import diary
from labeling.overview.next_steps import next_steps
from labeling.people.signed_in import signed_in
from labeling.queue.selectors import labeler_progress, progress, queue_state
from labeling.truth.quality import own_figures
from labeling.typed_numbers import whole

#: fragment -> the action that it takes to see it. A labeler sees nothing that a model or other people said.
FRAGMENTS = {
    "mine": Action.LABEL,
    "picture": Action.REVIEW,
    "figures": Action.REVIEW,
    "band": Action.REVIEW,
    "admin": Action.ADMIN,
    "diary": Action.ADMIN,
}


@login_required
@require_GET
def project(request: HttpRequest, slug: str) -> HttpResponse:
    """The overview, or one live fragment of it."""
    fragment = request.GET.get("fragment", "")
    if fragment and fragment not in FRAGMENTS:
        raise Http404(_("This page has no such part."))
    found = project_for(request.user, slug, FRAGMENTS.get(fragment, Action.VIEW))
    context: dict[str, Any] = {
        "project": found,
        "role": role_in(request.user, found),
        "page": "project",
    }
    if fragment == "band":
        return render(request, "overview/_band_photos.html", context | _band(request, found))
    if fragment:
        context |= {
            "mine": _mine,
            "picture": _picture,
            "figures": _figures,
            "admin": _admin,
            "diary": _diary,
        }[fragment](found, request)
        return render(request, f"overview/_{fragment}.html", context)
    context |= _mine(found, request)
    if may(request.user, found, Action.REVIEW):
        seen = picture(found)
        context |= _figures(found, request, seen.progress) | {"picture": seen}
    if may(request.user, found, Action.ADMIN):
        context |= _admin(found, request, context["at"]) | _diary(found, request)
    return render(request, "overview/project.html", context)


def _mine(found: Project, request: HttpRequest) -> dict[str, Any]:
    user = signed_in(request)
    return {
        "mine": own_figures(found, user),
        "queue": queue_state(found, user),
        "labeler_progress": labeler_progress(found, user),
        "definitions": active_definitions(found),
    }


def _picture(found: Project, request: HttpRequest) -> dict[str, Any]:
    return {"picture": picture(found)}


def _figures(found: Project, request: HttpRequest, at: dict[str, Any] | None = None) -> dict[str, Any]:
    at = progress(found) if at is None else at
    model = champion(found)
    decided = at["ground_truths"] + at["held"] + at["unusable"] + decided_alone(found)
    return {
        "at": at,
        "champion": model,
        "accuracy": accuracy(model) if model else None,
        "accuracy_half": _half(accuracy(model)) if model else None,
        "audit_accuracy": audit_accuracy(model) if model else None,
        "audit_half": _half(audit_accuracy(model)) if model else None,
        "needs": band_needs(at),
        "decided": decided,
        "per_decision": decided / at["human_decisions"] if at["human_decisions"] else None,
        "class_counts": [
            (d.name, position, at["classes"].get(d.label_class.key, 0))
            for position, d in enumerate(active_definitions(found))
        ],
    }


def _half(figure: dict[str, Any] | None) -> float | None:
    """Half the width of an interval, as the ± of a figure."""
    return (figure["high"] - figure["low"]) / 2 if figure else None


def _admin(found: Project, request: HttpRequest, at: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "jobs": list(
            Job.objects.live().of_project(found.pk).select_related("requested_by").order_by("created_at")
        ),
        "steps": next_steps(found, progress(found) if at is None else at),
    }


def _diary(found: Project, request: HttpRequest) -> dict[str, Any]:
    return {"diary": diary(found)}


def _band(request: HttpRequest, found: Project) -> dict[str, Any]:
    number = whole(request.GET.get("band", ""), digits=4)
    if number is None:
        raise Http404(_("A band has a number."))
    return {"photos": band_photos(found, request.GET.get("ladder", ""), number)}
