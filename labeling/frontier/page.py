"""What the frontier's page shows of a project, part by part. Who may change it is not known here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy, pgettext_lazy

from labeling.catalog.models import Project
from labeling.catalog.selectors import class_names, current_guideline
from labeling.frontier.bands import band_table
from labeling.frontier.decisions.listed import decision_list
from labeling.frontier.forms import PolicyForm
from labeling.frontier.models import Certificate, PromiseKind
from labeling.frontier.one_answer import one_answer
from labeling.frontier.picture import Picture, picture
from labeling.frontier.policy import FIRST_DECISIONS, first_share
from labeling.frontier.saying import not_promised, promised, why
from labeling.frontier.status import FrontierStatus, frontier_status

#: Certificates that ended, the newest first.
ENDED_SHOWN = 20


@dataclass(frozen=True)
class Seen:
    """What stands above every part: one sentence, and the frontier picture. ``asked``: the address's query."""

    project: Project
    now: FrontierStatus
    picture: Picture
    asked: Mapping[str, str]


def _certified(seen: Seen) -> dict[str, Any]:
    now = seen.now
    return {
        "promised": promised(now.policy),
        "not_promised": not_promised(now.policy),
        "has_ring": any(each.parts for each in now.classes),
        "first_decisions": FIRST_DECISIONS,
        "first_share": first_share(now.policy),
        "ended": _ended(seen.project),
    }


def _bands(seen: Seen) -> dict[str, Any]:
    return {
        "bands": band_table(seen.project, seen.picture),
        "passed": [gate.number for gate in seen.picture.gates if gate.passed],
    }


def _decisions(seen: Seen) -> dict[str, Any]:
    return {"decisions": decision_list(seen.project, seen.asked)}


def _policy(seen: Seen) -> dict[str, Any]:
    return {
        "form": PolicyForm(in_force=seen.now.policy),
        "promises": [(kind, kind.label, PolicyForm.MEANINGS[kind]) for kind in PromiseKind],
        "one_answer": one_answer(seen.project, seen.now.model),
    }


@dataclass(frozen=True)
class Part:
    """A part of the page, with an address of its own: ``name``. ``template``: what of it changes by itself, if anything.
    ``builds`` reads what it shows, and nothing else."""

    name: str
    title: Promise
    icon: str
    template: str
    builds: Callable[[Seen], dict[str, Any]]


CERTIFIED = Part(
    "frontier", gettext_lazy("Certified"), "shield-check", "frontier/_certified.html", _certified
)
BANDS = Part(
    "frontier-bands", pgettext_lazy("part of the frontier", "Bands"), "layers", "frontier/_bands.html", _bands
)
DECISIONS = Part(
    "frontier-decisions", gettext_lazy("Decisions"), "bot", "frontier/_decisions.html", _decisions
)
POLICY = Part("frontier-policy", gettext_lazy("Policy"), "sliders-horizontal", "", _policy)
PARTS = (CERTIFIED, BANDS, DECISIONS, POLICY)


def page(project: Project, part: Part, asked: Mapping[str, str], *, live: bool = False) -> dict[str, Any]:
    """The page with one of its parts; ``live``: only what changes by itself. ``asked``: the address's query."""
    seen = Seen(project, frontier_status(project), picture(project), asked)
    shown = part.builds(seen) if part.template or not live else {}
    return {"now": seen.now, "picture": seen.picture, "parts": PARTS, "part": part} | shown


def _ended(project: Project) -> list[tuple[Certificate, str, list[Any]]]:
    ended = list(
        Certificate.objects.filter(project=project, ends__isnull=False)
        .select_related("label_class", "model_version", "guideline")
        .prefetch_related("ends__by")
        .distinct()[:ENDED_SHOWN]
    )
    names = class_names(current_guideline(project)) if ended else {}
    return [
        (
            each,
            names.get(each.label_class_id, each.label_class.key),
            [(end, why(end)) for end in each.ends.all()],
        )
        for each in ended
    ]
