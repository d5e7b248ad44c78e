"""The project's diary, for its admins."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from labeling.catalog.models import Activity, Project
from labeling.people.models import User


def log_activity(*, project: Project, kind: str, actor: User | None = None, **data: Any) -> Activity:
    """Append one line to the project's activity. ``data`` must be JSON."""
    return Activity.objects.create(project=project, kind=kind, actor=actor, data=data)


def log_activities(
    *, project: Project, kind: str, actor: User | None, data: Iterable[dict[str, Any]]
) -> None:
    """The same of several, a line each."""
    Activity.objects.bulk_create(
        Activity(project=project, kind=kind, actor=actor, data=each) for each in data
    )
