"""What all pages of a project share: who may use them, what their frame shows, and a refusal beside what was typed."""

from __future__ import annotations

from typing import Any

from django.forms import BaseForm
from django.http import HttpRequest

from labeling.catalog.models import Project
from labeling.catalog.navigation import navigation
from labeling.catalog.permissions import ALLOWED, project_for, role_in
from labeling.http.who_may import pages
from labeling.refusals import Refused

#: ``@open_to(get=Action.REVIEW, post=Action.ADMIN)``: the view gets the ``project`` of its address.
open_to = pages({"slug": ("project", project_for)})


def project_context(request: HttpRequest, project: Project, page: str, **more: Any) -> dict[str, Any]:
    """What project.html needs, and ``more``. ``page`` is the current one of :mod:`~labeling.catalog.navigation`.

    ``can`` holds the actions of :class:`~labeling.catalog.permissions.Action` that the person may do here.
    """
    role = role_in(request.user, project)
    can = {str(action) for action in ALLOWED[role]} if role else set()
    return {"project": project, "role": role, "can": can, "navigation": navigation(can, page), **more}


def show_refusal(form: BaseForm, refusal: Refused) -> None:
    """Put the refusal's messages beside the fields that they are about, else above the form."""
    placed = False
    for name, message in refusal.fields.items():
        if name in form.fields:
            form.add_error(name, message)
            placed = True
    if not placed:
        form.add_error(None, refusal.message)
