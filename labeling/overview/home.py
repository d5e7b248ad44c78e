"""The first page after signing in: across all projects, what needs the person, what decides by itself, what is red."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from labeling.catalog.models import Project
from labeling.catalog.pages import open_to
from labeling.catalog.permissions import may_create_projects
from labeling.http.who_may import Who
from labeling.inspections.permissions import protocols_of
from labeling.inspections.process.service_level import overdue
from labeling.overview.across import across
from labeling.overview.project_cards import project_cards
from labeling.people.signed_in import signed_in


@open_to(get=Who.SIGNED_IN)
def home(request: HttpRequest) -> HttpResponse:
    user = signed_in(request)
    cards = project_cards(user)
    archived = list(Project.objects.archived_by_admins_like(user).order_by("-archived_at")[:50])
    protocols = protocols_of(user)
    late = overdue(protocols)
    return render(
        request,
        "overview/home.html",
        {
            "cards": cards,
            "across": across(user, cards, {each: late[each.pk] for each in protocols if each.pk in late}),
            "may_create": may_create_projects(user),
            "archived": archived,
            "protocols": protocols,
        },
    )
