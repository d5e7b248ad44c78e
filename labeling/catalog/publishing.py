"""What the buttons that publish a guideline version say: what falls if its meaning changes, and who may let it fall."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from labeling.catalog.models import Project
from labeling.catalog.permissions import Action, may
from labeling.catalog.price import price_of_meaning


def publishing(request: HttpRequest, project: Project) -> dict[str, Any]:
    """Context of ``catalog/_publish.html``."""
    price = price_of_meaning(project)
    return {
        "price": price,
        "may_change_meaning": not price.certificates or may(request.user, project, Action.ADMIN),
    }
