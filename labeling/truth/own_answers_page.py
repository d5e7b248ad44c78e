"""The page of one's own last answers."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache

from labeling.catalog.models import Project
from labeling.catalog.pages import open_to, project_context
from labeling.catalog.permissions import Action
from labeling.people.signed_in import signed_in
from labeling.truth.own_answers import own_answers


@open_to(get=Action.LABEL)
@never_cache
def mine(request: HttpRequest, project: Project) -> HttpResponse:
    """What a person answered of late, and what became of it."""
    answers = own_answers(project, signed_in(request))
    shown = {"answers": answers, "overruled": sum(each.overruled for each in answers)}
    return render(request, "truth/mine.html", project_context(request, project, "mine", **shown))
