"""The first page after signing in."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from labeling.catalog.permissions import may_create_projects
from labeling.overview.project_cards import project_cards
from labeling.people.models import User


@login_required
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    assert isinstance(request.user, User)
    return render(
        request,
        "overview/home.html",
        {"cards": project_cards(request.user), "may_create": may_create_projects(request.user)},
    )
