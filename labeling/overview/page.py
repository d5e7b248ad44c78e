"""What the overview shows of a project, part by part, and what it takes to see each part."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from labeling.catalog.models import Project
from labeling.catalog.permissions import Action, may
from labeling.catalog.selectors import active_definitions
from labeling.frontier.bands import band_needs
from labeling.frontier.picture import picture
from labeling.frontier.selectors import decided_alone
from labeling.jobs.models import Job
from labeling.learning.accuracy import champion_accuracy
from labeling.overview.diary import diary
from labeling.overview.falls import falls
from labeling.overview.next_steps import next_steps
from labeling.people.models import User
from labeling.queue.selectors import labeler_progress, progress, queue_state
from labeling.truth.quality import own_figures


def overview(project: Project, user: User) -> dict[str, Any]:
    """All parts that ``user`` may see; what several of them need is read once."""
    shown = _mine(project, user) if may(user, project, Action.LABEL) else {}
    if may(user, project, Action.FIGURES):
        seen = picture(project)
        shown |= _figures(project, seen.progress) | {"picture": seen}
    if may(user, project, Action.ADMIN):
        shown |= _admin(project, shown["at"]) | _diary(project)
    return shown


def _mine(project: Project, user: User) -> dict[str, Any]:
    return {
        "mine": own_figures(project, user),
        "queue": queue_state(project, user),
        "labeler_progress": labeler_progress(project, user),
        "definitions": active_definitions(project),
    }


def _figures(project: Project, at: dict[str, Any]) -> dict[str, Any]:
    """``at``: the project's progress."""
    decided = at["ground_truths"] + at["held"] + at["unusable"] + decided_alone(project)
    return {
        "at": at,
        "falls": falls(project),
        "accuracy": champion_accuracy(project),
        "needs": band_needs(at),
        "decided": decided,
        "per_decision": decided / at["human_decisions"] if at["human_decisions"] else None,
        "class_counts": [
            (d.name, position, at["classes"].get(d.label_class.key, 0))
            for position, d in enumerate(active_definitions(project))
        ],
    }


def _admin(project: Project, at: dict[str, Any]) -> dict[str, Any]:
    jobs = Job.objects.live().of_project(project.pk).select_related("requested_by")
    return {"jobs": list(jobs.order_by("created_at")), "steps": next_steps(project, at)}


def _diary(project: Project) -> dict[str, Any]:
    return {"diary": diary(project)}


#: Live part -> the action that it takes to see it, and what it shows. A labeler sees nothing that a model or other
#: people said.
PARTS: dict[str, tuple[Action, Callable[[Project, User], dict[str, Any]]]] = {
    "mine": (Action.LABEL, _mine),
    "picture": (Action.FIGURES, lambda project, _user: {"picture": picture(project)}),
    "figures": (Action.FIGURES, lambda project, _user: _figures(project, progress(project))),
    "admin": (Action.ADMIN, lambda project, _user: _admin(project, progress(project))),
    "diary": (Action.ADMIN, lambda project, _user: _diary(project)),
}
