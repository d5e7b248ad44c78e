"""The labeling screen. The page is thin: photos and answers travel through the API."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from labeling.catalog.permissions import Action, project_for, role_in
from labeling.catalog.selectors import current_guideline
from labeling.queue import screen
from labeling.queue.sweeps import screen as sweep_screen


@require_safe
@login_required
@never_cache
def label(request: HttpRequest, slug: str) -> HttpResponse:
    project = project_for(request.user, slug, Action.LABEL)
    assert request.user.is_authenticated
    guideline = current_guideline(project)
    classes = screen.classes_shown(guideline)
    return render(
        request,
        "queue/label.html",
        {
            "project": project,
            "role": role_in(request.user, project),
            "page": "label",
            "classes": classes,
            "reasons": screen.reasons(),
            "few": len(classes) <= 3,
            "show_tour": request.user.toured_at is None,
            "settings": screen.settings_for(
                project,
                user_id=request.user.pk,
                csrf=get_token(request),
                guideline=guideline,
                classes=classes,
            ),
            "texts": screen.texts(),
        },
    )


@require_safe
@login_required
@never_cache
def sweep(request: HttpRequest, slug: str) -> HttpResponse:
    """Grids of one predicted class. Where the project allows none now, the page says why."""
    project = project_for(request.user, slug, Action.LABEL)
    assert request.user.is_authenticated
    guideline = current_guideline(project)
    classes = screen.classes_shown(guideline)
    return render(
        request,
        "queue/sweep.html",
        {
            "project": project,
            "role": role_in(request.user, project),
            "page": "sweep",
            "classes": classes,
            "reasons": screen.reasons(),
            "settings": sweep_screen.settings_for(
                project,
                user_id=request.user.pk,
                csrf=get_token(request),
                guideline=guideline,
                classes=classes,
            ),
            "texts": sweep_screen.texts(),
        },
    )
