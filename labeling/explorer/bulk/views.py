"""The pages of what is done with all that a search finds: what it would do, how far it is, what stayed as it was."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from labeling.catalog.models import Project
from labeling.catalog.pages import open_to, project_context
from labeling.catalog.permissions import Action, may
from labeling.catalog.selectors import class_names_by_key, current_guideline
from labeling.explorer.bulk import asking, selectors
from labeling.explorer.bulk.deeds import NEEDS
from labeling.explorer.bulk.working import MOST_FIRST
from labeling.explorer.models import Bulk, Deed
from labeling.explorer.search.chips import said
from labeling.http.refused import refusals_said
from labeling.people.signed_in import signed_in

SHOWN = 30


@open_to(get=Action.REVIEW, post=Action.REVIEW)
def bulks(request: HttpRequest, project: Project) -> HttpResponse:
    """What was done with whole results; a POST looks what one would do."""
    if request.method == "POST":
        query = request.POST.get("search", "")
        with refusals_said(request):
            made = asking.look(
                project=project,
                by=signed_in(request),
                deed=request.POST.get("deed", ""),
                search=query,
                comment=request.POST.get("comment", ""),
                class_key=request.POST.get("class_key", ""),
            )
            return redirect("photos-bulk", slug=project.slug, bulk_id=made.pk)
        return redirect(f"{reverse('photos', args=[project.slug])}?{query}")
    made_so_far = [_shown(each) for each in selectors.bulks_of(project)[:SHOWN]]
    return render(
        request, "explorer/bulks.html", project_context(request, project, "photos", made=made_so_far)
    )


@open_to(get=Action.REVIEW)
def bulk(request: HttpRequest, project: Project, bulk_id: UUID) -> HttpResponse:
    context = project_context(request, project, "photos", **_context(request, project, bulk_id))
    return render(request, "explorer/bulk.html", context)


@open_to(get=Action.REVIEW)
def state(request: HttpRequest, project: Project, bulk_id: UUID) -> HttpResponse:
    return render(request, "explorer/_bulk.html", {"project": project, **_context(request, project, bulk_id)})


@open_to(post=Action.REVIEW)
def go_on(request: HttpRequest, project: Project, bulk_id: UUID) -> HttpResponse:
    return _step(request, project, bulk_id, asking.go_on)


@open_to(post=Action.REVIEW)
def stop(request: HttpRequest, project: Project, bulk_id: UUID) -> HttpResponse:
    return _step(request, project, bulk_id, asking.stop)


@open_to(post=Action.REVIEW)
def take_back(request: HttpRequest, project: Project, bulk_id: UUID) -> HttpResponse:
    return _step(request, project, bulk_id, asking.take_back)


def _step(request: HttpRequest, project: Project, bulk_id: UUID, step: Callable[..., Bulk]) -> HttpResponse:
    with refusals_said(request):
        step(project=project, bulk_id=bulk_id, by=signed_in(request))
    return redirect("photos-bulk", slug=project.slug, bulk_id=bulk_id)


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
        "photos": bulk.photos_done(bulk.counted),
        "called": names.get(bulk.class_key, bulk.class_key),
    }
