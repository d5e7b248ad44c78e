"""A project's overview: the frontier picture and figures for reviewers and admins, one's own numbers for labelers."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from labeling.catalog.pages import project_context
from labeling.catalog.permissions import Action, project_for
from labeling.frontier.picture import band_photos
from labeling.http.safe_methods import only_looked_at
from labeling.overview.page import PARTS, overview
from labeling.people.signed_in import signed_in
from labeling.text.typed_numbers import whole


@login_required
@only_looked_at
def project(request: HttpRequest, slug: str) -> HttpResponse:
    """The overview, or one live fragment of it."""
    fragment = request.GET.get("fragment", "")
    if fragment == "band":
        return _band(request, slug)
    if fragment and fragment not in PARTS:
        raise Http404(_("This page has no such part."))
    needed, part = PARTS[fragment] if fragment else (Action.VIEW, overview)
    found = project_for(request.user, slug, needed)
    template = f"overview/_{fragment}.html" if fragment else "overview/project.html"
    context = project_context(request, found, "project", **part(found, signed_in(request)))
    return render(request, template, context)


def _band(request: HttpRequest, slug: str) -> HttpResponse:
    """Some photos of one band of a ladder."""
    found = project_for(request.user, slug, Action.REVIEW)
    number = whole(request.GET.get("band", ""), digits=4)
    if number is None:
        raise Http404(_("A band has a number."))
    photos = band_photos(found, request.GET.get("ladder", ""), number)
    context = project_context(request, found, "project", photos=photos)
    return render(request, "overview/_band_photos.html", context)
