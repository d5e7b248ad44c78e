"""What a protocol and the projects that it asks call things, for sentences and pages."""

from __future__ import annotations

from collections.abc import Collection

from labeling.catalog.models import Project
from labeling.catalog.selectors import class_names_by_key, current_guideline
from labeling.inspections.models import ProtocolVersion
from labeling.inspections.sentences import Names


def names_of(version: ProtocolVersion, projects: Collection[Project]) -> Names:
    """``projects``: those that it asks, and any others that are to be spoken of."""
    return Names(
        shots={shot.key: shot.name for shot in version.shots.all()},
        projects={project.slug: project.name for project in projects},
        classes={
            (project.slug, key): name
            for project in projects
            for key, name in class_names_by_key(current_guideline(project)).items()
        },
        outcomes=dict(version.names),
    )


def asked_by(*versions: ProtocolVersion) -> list[Project]:
    """The projects that any of these versions asks."""
    return list(Project.objects.filter(checks__shot__version__in=versions).distinct().order_by("pk"))
