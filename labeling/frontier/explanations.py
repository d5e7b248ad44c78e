"""Explanations of automatic decisions: asked for once, looked for by a worker, then kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from labeling.catalog.models import Item, Project
from labeling.catalog.selectors import active_classes, class_resolution
from labeling.frontier.models import AutomaticDecision, DecisionExplanation
from labeling.jobs.models import Job, JobState
from labeling.jobs.services import enqueue
from labeling.learning.backbone_names import said
from labeling.people.models import User
from labeling.truth.models import GroundTruth

JOB_KIND = "explain"
#: Of a probability: what is less is none, as figures are shown with two digits.
SMALLEST_EFFECT = 0.005
#: Somebody sits before the page and waits.
SOON = 5


@transaction.atomic
def request_explanation(*, decision: AutomaticDecision, by: User | None) -> Job | None:
    """Have a worker look for the explanation; ``None`` where it is there already. Asking twice is asking once."""
    if DecisionExplanation.objects.filter(decision=decision).exists():
        return None
    return enqueue(
        kind=JOB_KIND,
        project_id=decision.project_id,
        args={"decision": decision.pk},
        requested_by=by,
        dedupe=f"{JOB_KIND}:{decision.pk}",
        priority=SOON,
    )


@transaction.atomic
def keep(
    *,
    decision: AutomaticDecision,
    nearest: list[dict[str, Any]],
    heat: bytes | None,
    figures: dict[str, Any],
) -> DecisionExplanation:
    """Keep what was found; the first one stays."""
    found, _made = DecisionExplanation.objects.get_or_create(
        decision=decision, defaults={"nearest": nearest, "heat": heat, "figures": figures}
    )
    return found


def heat_of(project: Project, decision_id: int) -> bytes | None:
    """The PNG to lay over the photo, if there is one."""
    found = DecisionExplanation.objects.filter(decision=decision_id, decision__project=project)
    heat = found.values_list("heat", flat=True).first()
    return None if heat is None else bytes(heat)


@dataclass(frozen=True)
class Neighbour:
    """A settled photo: its class as it counts today, its similarity (cosine) and whether its label still stands."""

    item: Item
    key: str
    name: str
    position: int
    similarity: float
    stands: bool


@dataclass(frozen=True)
class Explanation:
    """``state``: none (nobody asked), waiting, failed, or done; ``where``: the heat map's peak in words.

    ``backbones``: whose vectors were compared, and which were asked together for the heat map.
    """

    state: str
    job: Job | None = None
    neighbours: list[Neighbour] | None = None
    heat: bool = False
    before: float | None = None
    lowest: float | None = None
    where: str = ""
    backbones: list[str] = field(default_factory=list)

    @property
    def nothing_alone(self) -> bool:
        """Whether hiding no part alone made a difference that two digits show."""
        return (
            self.before is not None
            and self.lowest is not None
            and self.before - self.lowest < SMALLEST_EFFECT
        )


def explanation_of(project: Project, decision: AutomaticDecision) -> Explanation:
    found = DecisionExplanation.objects.filter(decision=decision).defer("heat").first()
    if found is None:
        job = (
            Job.objects.of_project(project.pk)
            .filter(kind=JOB_KIND, args__decision=decision.pk)
            .order_by("-created_at")
            .first()
        )
        if job is None or job.state == JobState.SUCCEEDED:
            return Explanation("none")
        return Explanation("waiting" if job.is_live else "failed", job)
    peak = found.figures.get("peak")
    return Explanation(
        "done",
        neighbours=_neighbours(project, found),
        heat=peak is not None,
        before=found.figures.get("before"),
        lowest=found.figures.get("lowest"),
        where=_place(*peak) if peak else "",
        backbones=[said(part.backbone) for part in decision.model_version.parts],
    )


def _neighbours(project: Project, found: DecisionExplanation) -> list[Neighbour]:
    resolution = class_resolution(project)
    shown = {
        each.label_class_id: (each.label_class.key, each.name, position)
        for position, each in enumerate(active_classes(project))
    }
    items = Item.objects.select_related("image").in_bulk([each["item"] for each in found.nearest])
    standing = set(
        GroundTruth.objects.current()
        .filter(pk__in=[each["truth"] for each in found.nearest])
        .values_list("pk", flat=True)
    )
    neighbours = []
    for each in found.nearest:
        counts_as = shown.get(resolution.get(each["class"]) or 0)
        item = items.get(each["item"])
        if counts_as is None or item is None:
            continue
        key, name, position = counts_as
        neighbours.append(
            Neighbour(
                item=item,
                key=key,
                name=name,
                position=position,
                similarity=each["alike"],
                stands=each["truth"] in standing,
            )
        )
    return neighbours


def _place(x: float, y: float) -> str:
    """Where in the photo something is, in words."""
    places = (
        (_("top left"), _("top"), _("top right")),
        (_("left"), _("middle"), pgettext("place", "right")),
        (_("bottom left"), _("bottom"), _("bottom right")),
    )
    return places[min(int(3 * y), 2)][min(int(3 * x), 2)]
