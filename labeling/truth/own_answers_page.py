"""The page of one's own last answers."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache

from labeling.catalog.pages import project_context
from labeling.catalog.permissions import Action, project_for
from labeling.http.safe_methods import only_looked_at
from labeling.people.signed_in import signed_in
from labeling.truth.own_answers import own_answers


@login_required
@only_looked_at
@never_cache
def mine(request: HttpRequest, slug: str) -> HttpResponse:
    """What a person answered of late, and what became of it."""
    project = project_for(request.user, slug, Action.LABEL)
    answers = own_answers(project, signed_in(request))
    shown = {"answers": answers, "overruled": sum(each.overruled for each in answers)}
    return render(request, "truth/mine.html", project_context(request, project, "mine", **shown))
