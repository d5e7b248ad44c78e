"""What the page of a project's backbones says: which look at its photos, how far each is, and what another would cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from labeling.catalog import backbones
from labeling.catalog.models import Project
from labeling.jobs.models import JobState
from labeling.learning import domain_backbones, gate, job_lines, selectors
from labeling.learning.backbone_names import said
from labeling.learning.backbones.costs import Cost, paces
from labeling.learning.models import BROUGHT_IN_FAMILY
from labeling.truth import tallies


@dataclass(frozen=True)
class Used:
    """A backbone that photos are embedded with. ``embedded`` of ``photos``: as the last job counted; None before one."""

    name: str
    label: str
    role: str
    embedded: int | None
    photos: int
    error: str
    cost: Cost
    droppable: str


@dataclass(frozen=True)
class Offered:
    """One that could be added: ``name`` as the setting takes it."""

    name: str
    cost: Cost


def state(project: Project) -> dict[str, Any]:
    photos = tallies.photos(project)
    known = paces()
    live = selectors.jobs(project).live().filter(kind__in=("embed", "measure"))
    failed = selectors.jobs(project).filter(kind__in=("embed", "measure")).first()
    made = list(domain_backbones.made(project))
    result = gate.gate_result(project, made)
    taken = {project.backbone, *project.further_backbones}
    return {
        "photos": photos,
        "used": _used(project, photos, known),
        "live": job_lines.lines(live),
        "failed": job_lines.line(failed) if failed and failed.state == JobState.FAILED else None,
        "offered": [
            Offered(name, Cost(photos, known.get(project.as_registered(name))))
            for name in backbones.choices()
            if name not in taken
        ],
        "is_full": len(project.further_backbones) >= backbones.MOST_FURTHER,
        "most": backbones.MOST_FURTHER,
        "gate": result,
        "not_compared": _not_compared(project, result),
    }


def _used(project: Project, photos: int, known: dict[str, Any]) -> list[Used]:
    told = selectors.counted_by_backbone(project)
    further = dict(zip(project.backbone_names[1:], project.further_backbones, strict=True))
    rows = []
    for name in domain_backbones.to_embed(project):
        counted = told.get(name, {})
        embedded = counted["embedded"] + counted["already"] if "embedded" in counted else None
        rows.append(
            Used(
                name=name,
                label=said(name),
                role=_role(project, name),
                embedded=embedded,
                photos=photos,
                error=counted.get("error", ""),
                cost=Cost(photos, known.get(name)),
                droppable=further.get(name, ""),
            )
        )
    return rows


def _role(project: Project, name: str) -> str:
    if name == project.backbone_name:
        return _("the project's own: it orders the photos before the first model")
    if name in project.backbone_names:
        return _("looks beside it")
    if name.startswith(BROUGHT_IN_FAMILY):
        return _("brought in, trained elsewhere")
    if name.startswith("domain:"):
        return _("adapted to the project's photos")
    return _("dropped; a version in use stands on it")


def _not_compared(project: Project, result: gate.GateResult | None) -> list[str]:
    """Further backbones that no training has seen yet."""
    version = result.version if result else None
    seen = {each["name"] for each in version.metrics["backbones"]["candidates"]} if version else set()
    return [name for name in project.backbone_names[1:] if name not in seen]
