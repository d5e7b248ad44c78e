"""The labeling screen. The page is thin: photos and answers travel through the API."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from labeling.catalog.codes import BY_DIGIT
from labeling.catalog.models import Project
from labeling.catalog.pages import open_to, project_context
from labeling.catalog.permissions import Action, must_be_allowed
from labeling.catalog.selectors import current_guideline
from labeling.people.keys import keys_of, pressed_for
from labeling.people.signed_in import signed_in
from labeling.queue import screen
from labeling.queue.sweeps import screen as sweep_screen


@open_to(get=Action.LABEL)
@never_cache
def label(request: HttpRequest, project: Project) -> HttpResponse:
    context = _shared(request, project, "label", screen.settings_for)
    return render(
        request,
        "queue/label.html",
        context
        | {
            "few": len(context["classes"]) <= 3,
            "show_tour": signed_in(request).toured_at is None,
            "texts": screen.texts() | (screen.earlier_texts() if project.earlier_allowed else {}),
        },
    )


@open_to(get=Action.LABEL)
@never_cache
def criteria(request: HttpRequest, project: Project, key: str) -> HttpResponse:
    """The criteria of one class, where a screen has too many to bring all of them along."""
    classes = screen.classes_shown(current_guideline(project))
    found = next((each for each in classes if each["key"] == key), None)
    if found is None:
        raise Http404(_("There is no such class in this project now. Load the page again."))
    return render(request, "queue/_criteria.html", {"class": found, "many": True})


@open_to(get=Action.LABEL)
@never_cache
def sweep(request: HttpRequest, project: Project) -> HttpResponse:
    """Grids of one predicted class, or of what a search found. Where the project allows none now, the page says why."""
    over = request.GET.get("over", "")
    if over:
        must_be_allowed(request.user, project, Action.REVIEW)
    settings_for = partial(sweep_screen.settings_for, over=over, over_class=request.GET.get("class", ""))
    context = _shared(request, project, "sweep", settings_for)
    return render(request, "queue/sweep.html", context | {"texts": sweep_screen.texts()})


def _shared(
    request: HttpRequest, project: Project, page: str, settings_for: Callable[..., dict[str, Any]]
) -> dict[str, Any]:
    """What both screens show; ``settings_for`` says what the screen's script is told."""
    guideline = current_guideline(project)
    classes = screen.classes_shown(guideline)
    many = len(classes) > BY_DIGIT
    keys = keys_of(signed_in(request), codes=many)
    settings = settings_for(
        project,
        person=signed_in(request),
        guideline=guideline,
        classes=classes,
    )
    settings["keys"] = pressed_for(keys)
    more = {
        "classes": classes,
        "many": many,
        "reasons": screen.reasons(),
        "settings": settings,
        "own_keys": keys,
    }
    return project_context(request, project, page, **more)
