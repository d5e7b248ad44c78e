"""The pages of what is done with all that a search finds: what it would do, how far it is, what stayed as it was."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from labeling.catalog.models import Project
from labeling.catalog.pages import project_context
from labeling.catalog.permissions import Action, may, project_for
from labeling.catalog.selectors import class_names_by_key, current_guideline
from labeling.explorer import services
from labeling.explorer.bulk import selectors
from labeling.explorer.bulk.deeds import NEEDS
from labeling.explorer.bulk.working import MOST_FIRST
from labeling.explorer.chips import said
from labeling.explorer.models import Bulk, Deed
from labeling.http.safe_methods import only_looked_at
from labeling.people.signed_in import signed_in
from labeling.refusals import Refused

SHOWN = 30


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def bulks(request: HttpRequest, slug: str) -> HttpResponse:
    """What was done with whole results; a POST looks what one would do."""
    project = project_for(request.user, slug, Action.REVIEW)
    if request.method == "POST":
        query = request.POST.get("search", "")
        try:
            made = services.look(
                project=project,
                by=signed_in(request),
                deed=request.POST.get("deed", ""),
                search=query,
                comment=request.POST.get("comment", ""),
                class_key=request.POST.get("class_key", ""),
            )
        except Refused as refused:
            messages.error(request, refused.message)
            return redirect(f"{reverse('photos', args=[slug])}?{query}")
        return redirect("photos-bulk", slug=slug, bulk_id=made.pk)
    made_so_far = [_shown(each) for each in selectors.bulks_of(project)[:SHOWN]]
    return render(
        request, "explorer/bulks.html", project_context(request, project, "photos", made=made_so_far)
    )


@login_required
@only_looked_at
def bulk(request: HttpRequest, slug: str, bulk_id: UUID) -> HttpResponse:
    project = project_for(request.user, slug, Action.REVIEW)
    context = project_context(request, project, "photos", **_context(request, project, bulk_id))
    return render(request, "explorer/bulk.html", context)


@login_required
@only_looked_at
def state(request: HttpRequest, slug: str, bulk_id: UUID) -> HttpResponse:
    project = project_for(request.user, slug, Action.REVIEW)
    return render(request, "explorer/_bulk.html", {"project": project, **_context(request, project, bulk_id)})


@login_required
@require_POST
def go_on(request: HttpRequest, slug: str, bulk_id: UUID) -> HttpResponse:
    return _step(request, slug, bulk_id, services.go_on)


@login_required
@require_POST
def stop(request: HttpRequest, slug: str, bulk_id: UUID) -> HttpResponse:
    return _step(request, slug, bulk_id, services.stop)


@login_required
@require_POST
def take_back(request: HttpRequest, slug: str, bulk_id: UUID) -> HttpResponse:
    return _step(request, slug, bulk_id, services.take_back)


def _step(request: HttpRequest, slug: str, bulk_id: UUID, step: Callable[..., Bulk]) -> HttpResponse:
    project = project_for(request.user, slug, Action.REVIEW)
    try:
        step(project=project, bulk_id=bulk_id, by=signed_in(request))
    except Refused as refused:
        messages.error(request, refused.message)
    return redirect("photos-bulk", slug=slug, bulk_id=bulk_id)


def _context(request: HttpRequest, project: Project, bulk_id: UUID) -> dict[str, Any]:
    found = selectors.bulk_of(project, bulk_id)
    mine = found.created_by_id == signed_in(request).pk
    return {
        **_shown(found),
        "reasons": selectors.reasons(found.counted),
        "flood": selectors.flood(found),
        "too_many": MOST_FIRST
        if found.deed == Deed.FIRST and found.photos_done(found.foreseen) > MOST_FIRST
        else None,
        "may_act": may(request.user, project, NEEDS[found.deed]),
        "mine": mine,
    }


def _shown(bulk: Bulk) -> dict[str, Any]:
    names = class_names_by_key(current_guideline(bulk.project))
    return {
        "bulk": bulk,
        "said": said(bulk.project, bulk.query, names=names),
        "n": bulk.photos_done(bulk.counted),
        "called": names.get(bulk.class_key, bulk.class_key),
    }
