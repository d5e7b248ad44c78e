"""The map of a project's photos."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from labeling.catalog.models import Project
from labeling.catalog.pages import open_to, project_context
from labeling.catalog.permissions import Action
from labeling.catalog.selectors import class_names, current_guideline
from labeling.explorer.laying_out import JOB_KIND, request_space
from labeling.explorer.map.colouring import NONE, By, colouring
from labeling.explorer.map.points import points
from labeling.explorer.models import Space
from labeling.explorer.photo.page import item_of
from labeling.explorer.spaces import current_space
from labeling.frontier.told import standing
from labeling.jobs.selectors import live_jobs
from labeling.learning.features import embedding_failed
from labeling.people.signed_in import signed_in
from labeling.text.typed_numbers import whole


@open_to(get=Action.REVIEW)
def map_page(request: HttpRequest, project: Project) -> HttpResponse:
    space = current_space(project)
    by = _by(request)
    colours = colouring(project, by)
    context = project_context(
        request,
        project,
        "photos",
        space=space,
        photos=_photos_of(space) if space else 0,
        by=by,
        choices=By.choices,
        legend=list(enumerate(colours.legend)),
        rest=colours.rest,
        none=NONE,
        failed="" if space else embedding_failed(project),
        under_way=any(job.kind == JOB_KIND for job in live_jobs(project.pk)),
    )
    return render(request, "explorer/map.html", context)


@open_to(get=Action.REVIEW)
def map_points(request: HttpRequest, project: Project) -> HttpResponse:
    """The next of the map's points: see :meth:`~labeling.explorer.map.points.Points.to_bytes`."""
    space = current_space(project)
    if space is None:
        raise Http404(_("These photos have no map yet."))
    found = points(
        project,
        signed_in(request),
        space,
        colouring(project, _by(request)),
        after=whole(request.GET.get("after", ""), digits=18) or 0,
    )
    response = HttpResponse(found.to_bytes(), content_type="application/octet-stream")
    response["Cache-Control"] = "private, no-store"
    return response


@open_to(get=Action.REVIEW)
def map_photo(request: HttpRequest, project: Project, item_id: int) -> HttpResponse:
    """A part of the map's page: the photo of one point."""
    item = item_of(project, item_id) if item_id < 2**63 else None
    if item is None:
        raise Http404(_("This project holds no such photo."))
    stands = standing(project, [item.pk], signed_in(request))[item.pk]
    called = class_names(current_guideline(project)).get(stands.class_id or 0, "")
    return render(
        request,
        "explorer/_map_photo.html",
        {"project": project, "item": item, "stands": stands, "called": called},
    )


@open_to(post=Action.ADMIN)
def map_anew(request: HttpRequest, project: Project) -> HttpResponse:
    request_space(project=project, by=signed_in(request), anew=True)
    messages.success(request, _("The map is being laid out anew. The one that is here stays until then."))
    return redirect("map", slug=project.slug)


def _by(request: HttpRequest) -> By:
    given: Any = request.GET.get("by", "")
    return By(given) if given in By else By.CLASS


def _photos_of(space: Space) -> int:
    """As many as the planner believes: counting a million takes longer than drawing the page."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT greatest(reltuples, 0)::bigint FROM pg_class WHERE oid = %s::regclass", [space.table]
        )
        return int(cursor.fetchone()[0])
