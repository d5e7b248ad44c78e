"""What the catalog's pages share: the person who asks, and a refusal shown beside what they typed."""

from __future__ import annotations

from typing import Any

from django.forms import BaseForm
from django.http import HttpRequest

from labeling.catalog.models import Project
from labeling.catalog.permissions import role_in
from labeling.people.models import User
from labeling.refusals import Refused


def person(request: HttpRequest) -> User:
    """Who is signed in. The views that call this let nobody else in."""
    assert isinstance(request.user, User)  # narrows the type; login_required saw to it
    return request.user


def project_context(request: HttpRequest, project: Project, page: str, **more: Any) -> dict[str, Any]:
    """What project.html needs, and ``more``."""
    return {"project": project, "role": role_in(request.user, project), "page": page, **more}


def show_refusal(form: BaseForm, refusal: Refused) -> None:
    """Put the refusal's messages beside the fields that they are about, else above the form."""
    placed = False
    for name, message in refusal.fields.items():
        if name in form.fields:
            form.add_error(name, message)
            placed = True
    if not placed:
        form.add_error(None, refusal.message)
