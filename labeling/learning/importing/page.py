"""What the page of a model that was sent shows: what runs, what is proposed, what it says of photos, what it became."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from labeling.catalog.models import Item, Project
from labeling.catalog.selectors import active_classes
from labeling.jobs.models import Job, JobState
from labeling.jobs.told import told
from labeling.learning import job_lines
from labeling.learning.importing import (
    reasons,  # noqa: F401  (what a worker says is told in the language of the page)
    services,
)
from labeling.learning.models import ModelVersion

#: Jobs that are looked through: of one model, and trials of it.
_NEWEST = 20
#: Classes that are told of a photo.
_TOP = 3


@dataclass(frozen=True)
class Tried:
    """``top``: (name, place of the class for its mark, probability), the most probable first."""

    item: Item
    top: list[tuple[str, int, float]]


@dataclass(frozen=True)
class Draft:
    """The model that was sent last, while it can be tried and taken. ``asked``: what it was tried with, or is proposed."""

    look: Job
    found: Mapping[str, Any]
    asked: Mapping[str, Any]
    refused: str

    @property
    def columns(self) -> list[str]:
        names = self.found["names"]
        if self.found["columns"] == 1:
            above, below = _("its number is small"), _("its number is large")
            return [f"{names[at]}: {text}" if names else text for at, text in enumerate((above, below))]
        return list(names) or [_("Column %(n)d") % {"n": at + 1} for at in range(len(self.asked["classes"]))]

    @property
    def facts(self) -> list[tuple[str, str]]:
        columns, size = self.found["columns"], self.found["size"]
        rows = [
            (_("File"), self.look.args["file"]),
            (_("Input"), f"{self.found['layout']}, {self.found['numbers']}"),
            (_("Square"), _("%(n)d\u00a0pixels a side") % {"n": size} if size else _("of any size")),
            (_("Columns"), str(columns) if columns else _("not said")),
        ]
        return rows + ([(_("Made by"), self.found["producer"])] if self.found["producer"] else [])


def state(project: Project) -> dict[str, Any]:
    jobs = list(services.jobs(project)[:_NEWEST])
    live = [job for job in jobs if job.is_live]
    newest = jobs[0] if jobs else None
    draft = None if live else _draft(jobs)
    over = newest is not None and not live and newest.state in (JobState.FAILED, JobState.CANCELLED)
    made = None
    if newest is not None and newest.kind == services.TAKE and newest.state == JobState.SUCCEEDED:
        made = ModelVersion.objects.filter(project=project, number=(newest.result or {})["model"]).first()
    return {
        "live": job_lines.lines(live),
        "ended": job_lines.line(newest) if newest and over else None,
        "draft": draft,
        "made": made,
        **(_trial(project, draft) if draft else {}),
    }


def _draft(jobs: Sequence[Job]) -> Draft | None:
    """Of the newest look that ended well, unless what it looked at was taken, or another file was sent since."""
    taken = {
        job.args["staged"] for job in jobs if job.kind == services.TAKE and job.state == JobState.SUCCEEDED
    }
    looks = [job for job in jobs if job.kind == services.LOOK]
    staged = looks[0].args["staged"] if looks else ""
    look = next((job for job in looks if job.state == JobState.SUCCEEDED), None)
    if look is None or look.args["staged"] != staged or staged in taken:
        return None
    result: dict[str, Any] = look.result or {}
    return Draft(look, result["found"], result["asked"], told(result["refused"]))


def _trial(project: Project, draft: Draft) -> dict[str, Any]:
    tried = (draft.look.result or {})["tried"]
    if tried is None:
        return {"tried": None}
    names = {each.label_class.key: (each.name, place) for place, each in enumerate(active_classes(project))}
    said = [names.get(key, (key, 0)) for key in tried["classes"]]
    items = Item.objects.filter(project=project).select_related("image")
    found = items.in_bulk([each["item"] for each in tried["photos"]])
    photos = []
    counts = dict.fromkeys(said, 0)
    for each in tried["photos"]:
        ranked = sorted(
            ((*said[at], share) for at, share in enumerate(each["scores"])), key=lambda top: -top[2]
        )
        counts[ranked[0][:2]] += 1
        if each["item"] in found:
            photos.append(Tried(found[each["item"]], ranked[:_TOP]))
    return {
        "tried": tried,
        "photos": photos,
        "counts": [(name, place, n) for (name, place), n in counts.items()],
        "one_sided": len(tried["photos"]) > 3 and max(counts.values()) == len(tried["photos"]),
    }
