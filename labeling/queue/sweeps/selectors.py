"""Reads of the sweep: what is in a grid, and why there is (or is not) one for this person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Max
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from labeling.catalog.models import Project
from labeling.catalog.selectors import active_classes, class_resolution
from labeling.people.models import User
from labeling.queue import pace
from labeling.queue.models import Slot, Sweep, SweepPhoto
from labeling.queue.placing import current_ranking
from labeling.queue.selectors import paused_state
from labeling.queue.sweeps.claiming import RECENTLY, opposites, plant
from labeling.truth.models import Draw, Gold


@dataclass(frozen=True)
class Grid:
    """A sweep with its photos in their places: planted ones, and those that are still on loan to its labeler."""

    sweep: Sweep
    photos: Sequence[SweepPhoto]
    slots: Sequence[Slot]

    @property
    def expires_at(self) -> datetime:
        return min(slot.expires_at for slot in self.slots)


def grid_of(sweep: Sweep) -> Grid:
    photos = list(sweep.photos.select_related("item__image").order_by("place"))
    slots = list(
        Slot.objects.filter(
            project=sweep.project_id,
            holder=sweep.labeler_id,
            draw=Draw.SWEEP,
            annotation__isnull=True,
            skipped_at__isnull=True,
            item__in=[photo.item_id for photo in photos],
        )
    )
    held = {slot.item_id for slot in slots}
    return Grid(sweep, [photo for photo in photos if photo.known_id or photo.item_id in held], slots)


def sweepable_bands(project: Project) -> list[int]:
    """Bands that are open or settled, outermost first; never the innermost, where photos are not clear-cut."""
    ranking = current_ranking(project)
    if ranking is None or ranking.model_version_id is None:
        return []
    return list(range(min(pace.current_band(project), ranking.bands - 2) + 1))


def why_not(project: Project) -> tuple[str, str] | None:
    """(code, what to do) where the project allows no sweep now; ``None`` where it does. Says nothing of the person."""
    if not project.sweep_allowed:
        return "off", _("This project does not allow sweeps. An admin can allow them under Settings.")
    if project.checklist_required:
        return "checklist", _(
            "This project asks for a ticked checklist with each answer, which a grid cannot give. Label one photo at a "
            "time, or ask an admin to change it under Settings."
        )
    ranking = current_ranking(project)
    if ranking is None or ranking.model_version_id is None:
        return "no_model", _(
            "A sweep shows photos that the model predicts as one class, and there is no model yet. Label one photo "
            "at a time; an admin can train and promote the first model under Models."
        )
    if not sweepable_bands(project):
        return "no_band", _(
            "There is one band only, the boundary, and its photos are not clear-cut. Label one photo at a time."
        )
    if not _golds_can_be_planted(project):
        return "no_gold", _(
            "Each grid holds a photo that is known to be of another class, and this project has no such gold photos. "
            "An admin can add some under Labelers."
        )
    return None


def _golds_can_be_planted(project: Project) -> bool:
    resolution = class_resolution(project)
    known = {
        resolution.get(each)
        for each in Gold.objects.filter(project=project, retired_at__isnull=True)
        .values_list("label_class", flat=True)
        .distinct()
    } - {None}
    active = {each.label_class_id for each in active_classes(project)}
    return len(known) > 1 or bool(known and active - known)


def searches_swept(project: Project) -> list[str]:
    """All that grids were made over."""
    swept = Sweep.objects.filter(project=project).exclude(over="")
    return list(swept.order_by("over").values_list("over", flat=True).distinct())


def last_offered(labeler: User, project: Project, over: str) -> int:
    """Id of the last photo that their newest grid over this search held; 0 without any."""
    sweep = Sweep.objects.filter(project=project, labeler=labeler, over=over).order_by("-created_at").first()
    if sweep is None:
        return 0
    return sweep.photos.filter(known__isnull=True).aggregate(last=Max("item"))["last"] or 0


def sweep_state(project: Project, labeler: User, *, over: bool = False) -> dict[str, str]:
    """Why there is no grid for this person; ``over``: of photos that they chose.

    ``state``: off, checklist, no_model, no_band, no_gold, paused, gold_seen or empty; ``message``: it, and what to do.
    """
    refusal = why_not(project)
    if refusal is not None:
        return {"state": refusal[0], "message": refusal[1]}
    paused = paused_state(project, labeler)
    if paused is not None:
        return paused
    resolution = class_resolution(project)
    if not any(
        plant(project, labeler, among=opposites(resolution, each), most=1) for each in active_classes(project)
    ):
        return {
            "state": "gold_seen",
            "message": ngettext(
                "You have met every check photo within the last %(days)d day, and would know them again. Label one photo "
                "at a time for now; an admin can add gold photos under Labelers.",
                "You have met every check photo within the last %(days)d days, and would know them again. Label one photo "
                "at a time for now; an admin can add gold photos under Labelers.",
                RECENTLY.days,
            )
            % {"days": RECENTLY.days},
        }
    if over:
        return {
            "state": "empty",
            "message": _(
                "No grid can be filled from these photos: too few of them are open, clear-cut by the model, and not yet "
                "answered by you. Settled ones, the boundary, and what is drawn at random or asked first never enter a grid."
            ),
        }
    return {
        "state": "empty",
        "message": _(
            "No grid can be filled for you now: the clear photos of the bands that are open are answered, or with other "
            "people. Go on one at a time; more come as the queue moves inward."
        ),
    }
