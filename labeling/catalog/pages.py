"""What all pages of a project share: who may use them, and what their frame shows."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from labeling.catalog.models import Project
from labeling.catalog.navigation import navigation
from labeling.catalog.permissions import ALLOWED, project_for, role_in
from labeling.http.who_may import pages

#: ``@open_to(get=Action.REVIEW, post=Action.ADMIN)``: the view gets the ``project`` of its address.
open_to = pages({"slug": ("project", project_for)})


def project_context(request: HttpRequest, project: Project, page: str, **more: Any) -> dict[str, Any]:
    """What project.html needs, and ``more``. ``page`` is the current one of :mod:`~labeling.catalog.navigation`.

    ``can`` holds the actions of :class:`~labeling.catalog.permissions.Action` that the person may do here.
    """
    role = role_in(request.user, project)
    can = {str(action) for action in ALLOWED[role]} if role else set()
    return {"project": project, "role": role, "can": can, "navigation": navigation(can, page), **more}
