"""The groups of photos that are nearly the same, for the project's admins."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from labeling.catalog import told_twins, twins
from labeling.catalog.models import Project
from labeling.catalog.pages import open_to, project_context
from labeling.catalog.permissions import Action
from labeling.text.typed_numbers import whole


@open_to(get=Action.ADMIN)
def near_duplicates(request: HttpRequest, project: Project) -> HttpResponse:
    after = whole(request.GET.get("after", ""), digits=18) or 0
    groups, following = told_twins.page_of_groups(project, after=after)
    aside, out = told_twins.out(project)
    more = {
        "groups": groups,
        "next": following,
        "count": twins.count(project),
        "aside": [] if after else aside,
        "out": out,
    }
    return render(
        request, "catalog/near_duplicates.html", project_context(request, project, "photos", **more)
    )
