"""A project's overview: the frontier picture and figures for reviewers and admins, one's own numbers for labelers."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from labeling.catalog.models import Project
from labeling.catalog.pages import open_to, project_context
from labeling.catalog.permissions import Action, must_be_allowed
from labeling.frontier.picture import band_photos
from labeling.overview.page import PARTS, overview
from labeling.people.signed_in import signed_in
from labeling.text.typed_numbers import whole


@open_to(get=Action.VIEW)
def project(request: HttpRequest, project: Project) -> HttpResponse:
    """The overview, or one live fragment of it."""
    fragment = request.GET.get("fragment", "")
    if fragment == "band":
        return _band(request, project)
    if fragment and fragment not in PARTS:
        raise Http404(_("This page has no such part."))
    needed, part = PARTS[fragment] if fragment else (Action.VIEW, overview)
    must_be_allowed(request.user, project, needed)
    template = f"overview/_{fragment}.html" if fragment else "overview/project.html"
    context = project_context(request, project, "project", **part(project, signed_in(request)))
    return render(request, template, context)


def _band(request: HttpRequest, project: Project) -> HttpResponse:
    """Some photos of one band of a ladder."""
    must_be_allowed(request.user, project, Action.REVIEW)
    number = whole(request.GET.get("band", ""), digits=4)
    if number is None:
        raise Http404(_("A band has a number."))
    photos = band_photos(project, request.GET.get("ladder", ""), number)
    context = project_context(request, project, "project", photos=photos)
    return render(request, "overview/_band_photos.html", context)
