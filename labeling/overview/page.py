"""What the overview shows of a project, part by part, and what it takes to see each part."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.utils.translation import gettext as _

from labeling.catalog.models import Project
from labeling.catalog.permissions import Action, may
from labeling.catalog.selectors import active_classes, active_definitions
from labeling.frontier.at_a_glance import Glance, glance
from labeling.frontier.bands import band_needs
from labeling.frontier.picture import picture
from labeling.jobs.selectors import live_jobs
from labeling.learning import job_lines
from labeling.learning.accuracy import Accuracy, champion_accuracy
from labeling.overview.diary import diary
from labeling.overview.falls import Fall, falls
from labeling.overview.next_steps import Step, next_steps
from labeling.overview.sentence import sentence, standing
from labeling.people.models import User
from labeling.queue.selectors import labeler_progress, progress, queue_state
from labeling.truth.quality.labelers import own_figures

#: Lines of the diary in sight; the others are folded.
NEWEST = 5


def overview(project: Project, user: User) -> dict[str, Any]:
    """All parts that ``user`` may see; what several of them need is read once. Admins see no work of their own here."""
    is_admin = may(user, project, Action.ADMIN)
    shown = _mine(project, user) if may(user, project, Action.LABEL) and not is_admin else {}
    if may(user, project, Action.FIGURES):
        drawn, seen = picture(project), glance([project])
        at = progress(project)
        accuracy = champion_accuracy(project)
        steps = next_steps(project, at, certified=bool(seen.standing))
        shown |= _says(project, at, seen, accuracy, steps) | {"picture": drawn} | _needs(steps)
        shown |= _figures(project, at, seen, accuracy)
    if is_admin:
        shown |= _running(project) | _diary(project)
    return shown


def _mine(project: Project, user: User) -> dict[str, Any]:
    return {
        "mine": own_figures(project, user),
        "queue": queue_state(project, user),
        "labeler_progress": labeler_progress(project, user),
        "definitions": active_definitions(project),
    }


def _settled(at: dict[str, Any]) -> int:
    """Photos that people settled, whatever as. ``at``: the project's progress."""
    return int(at["ground_truths"] + at["held"] + at["unusable"])


def _says(
    project: Project, at: dict[str, Any], seen: Glance, accuracy: Accuracy | None, steps: Sequence[Step]
) -> dict[str, Any]:
    fell = falls(project, seen)
    now = standing(project, seen, pool=at["pool"], people=_settled(at), accuracy=accuracy)
    pressing: list[Fall | Step] = [*fell, *steps]
    return {"says": sentence(now, pressing[0].within if pressing else ""), "falls": fell}


def _needs(steps: Sequence[Step]) -> dict[str, Any]:
    """Who is needed, and for what. What takes neither an answer nor a ruling is for admins."""
    groups: dict[str, list[Step]] = {_("Labelers"): [], _("Reviewers"): [], _("Admins"): []}
    labelers, reviewers, admins = groups.values()
    for each in steps:
        {Action.LABEL: labelers, Action.REVIEW: reviewers}.get(each.needs, admins).append(each)
    return {"needs": groups}


def _figures(project: Project, at: dict[str, Any], seen: Glance, accuracy: Accuracy | None) -> dict[str, Any]:
    decided = _settled(at) + seen.decided[project.pk]
    return {
        "at": at,
        "accuracy": accuracy,
        "needed_by_band": band_needs(at),
        "decided": decided,
        "per_decision": decided / at["human_decisions"] if at["human_decisions"] else None,
        "class_counts": [
            (d.name, position, at["classes"].get(d.label_class.key, 0))
            for position, d in enumerate(active_classes(project))
        ],
    }


def _running(project: Project) -> dict[str, Any]:
    return {"jobs": job_lines.lines(live_jobs(project.pk))}


def _diary(project: Project) -> dict[str, Any]:
    lines = diary(project)
    return {"newest": lines[:NEWEST], "earlier": lines[NEWEST:]}


def _says_alone(project: Project, _user: User) -> dict[str, Any]:
    at, seen = progress(project), glance([project])
    return _says(
        project, at, seen, champion_accuracy(project), next_steps(project, at, certified=bool(seen.standing))
    )


def _needs_alone(project: Project, _user: User) -> dict[str, Any]:
    seen = glance([project])
    return _needs(next_steps(project, progress(project), certified=bool(seen.standing)))


def _figures_alone(project: Project, _user: User) -> dict[str, Any]:
    return _figures(project, progress(project), glance([project]), champion_accuracy(project))


#: Live part -> the action that it takes to see it, and what it shows. A labeler sees nothing that a model or other
#: people said.
PARTS: dict[str, tuple[Action, Callable[[Project, User], dict[str, Any]]]] = {
    "mine": (Action.LABEL, _mine),
    "says": (Action.FIGURES, _says_alone),
    "picture": (Action.FIGURES, lambda project, _user: {"picture": picture(project)}),
    "needs": (Action.FIGURES, _needs_alone),
    "figures": (Action.FIGURES, _figures_alone),
    "running": (Action.ADMIN, lambda project, _user: _running(project)),
    "diary": (Action.ADMIN, lambda project, _user: _diary(project)),
}
