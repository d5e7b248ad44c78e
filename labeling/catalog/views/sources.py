"""Sources that are watched: what is looked at, how the last look went, and what may be done about it. For admins."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from labeling.catalog import services, stored
from labeling.catalog.file_counts import added_by_source
from labeling.catalog.forms.sources import SourceForm
from labeling.catalog.models import Project
from labeling.catalog.pages import open_to, project_context
from labeling.catalog.permissions import Action
from labeling.catalog.selectors import open_folders
from labeling.catalog.watched import all_sources, name_of, open_buckets, source_of
from labeling.http.refused import refusals_beside
from labeling.jobs.told import told
from labeling.people.signed_in import signed_in

MOST_NOT_THERE = 50


@open_to(get=Action.ADMIN, post=Action.ADMIN)
def sources(request: HttpRequest, project: Project) -> HttpResponse:
    buckets = open_buckets()
    form = SourceForm(request.POST if request.method == "POST" else None, buckets=bool(buckets))
    if request.method == "POST" and form.is_valid():
        with refusals_beside(form):
            services.watch(project=project, by=signed_in(request), **form.cleaned_data)
            messages.success(request, _("The source is watched from now on, and looked at right away."))
            return redirect("sources", slug=project.slug)
    every, photos = list(all_sources(project)), added_by_source(project)
    return render(
        request,
        "catalog/sources.html",
        project_context(
            request,
            project,
            "sources",
            form=form,
            watched=[each for each in every if each.removed_at is None],
            removed=[
                (each, name_of(each), photos.get(each.pk, 0)) for each in every if each.removed_at is not None
            ],
            addresses=[*open_folders(), *buckets],
            not_there=[(item, told(why)) for item, why in stored.not_there(project, most=MOST_NOT_THERE)],
        ),
        status=422 if form.errors else 200,
    )


@open_to(post=Action.ADMIN)
def source(request: HttpRequest, project: Project, source_id: int) -> HttpResponse:
    removes = request.POST.get("action") == "remove"  # twice is as once
    watched, by = source_of(project, source_id, removed=removes), signed_in(request)
    match request.POST.get("action"):
        case "look":
            services.look_now(source=watched, by=by)
            messages.success(request, _("It is being looked at. What is new comes in as an intake."))
        case "pause":
            services.change_watch(source=watched, by=by, paused=True)
        case "resume":
            services.change_watch(source=watched, by=by, paused=False)
        case "remove":
            services.unwatch(source=watched, by=by)
            messages.success(request, _("It is watched no more. Its photos stay here."))
        case _other:
            messages.error(request, _("This button is not known. Load the page again."))
    return redirect("sources", slug=project.slug)
