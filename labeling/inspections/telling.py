"""What a person may know of the photos of inspections: of one that people may still be asked about, blind, no answer."""

from __future__ import annotations

from collections.abc import Collection

from django.utils.functional import cached_property
from django.utils.translation import gettext as _

from labeling.catalog.models import Item, Project
from labeling.catalog.permissions import Action, may
from labeling.frontier.told import Standing, standing
from labeling.inspections.models import Inspection, InspectionPhoto, Verdict
from labeling.inspections.naming import asked_by
from labeling.people.models import User


class Telling:
    """Also of photos that were replaced by others. Asked for the first time it reads of all these inspections at once, by a
    number of queries that grows with their projects alone."""

    def __init__(self, inspections: Collection[Inspection], user: User) -> None:
        self._inspections, self._user = inspections, user

    @cached_property
    def _read(self) -> tuple[dict[tuple[str, int], Standing], set[tuple[int, int | None]]]:
        """How each photo stands, by the project's address and item id; ids of project and image of those that are told."""
        found: dict[tuple[str, int], Standing] = {}
        told: set[tuple[int, int | None]] = set()
        photos = InspectionPhoto.objects.filter(inspection__in=self._inspections, image__isnull=False)
        recognising = {each.protocol.shots_project_id for each in self._inspections} - {None}
        projects = {each.pk: each for each in asked_by(*{each.version for each in self._inspections})}
        if recognising - projects.keys():
            projects |= Project.objects.in_bulk(recognising)
        for project in projects.values():
            # The version in force may ask it no more, or it only recognises shots: then the person may be no member of it.
            if may(self._user, project, Action.FIGURES):
                mine = Item.objects.filter(project=project, image__in=photos.values("image"))
                items = dict(mine.values_list("pk", "image"))
                for item, how in standing(project, list(items), self._user).items():
                    found[project.slug, item] = how
                    if how.told:
                        told.add((project.pk, items[item]))
        return found, told

    def of(self, project: str, item: int | None) -> Standing | None:
        found, _told = self._read
        return found.get((project, item or 0))

    def tells(self, project: str, item: int | None) -> bool:
        how = self.of(project, item)
        return how is not None and how.told

    def tells_why(self, verdict: Verdict) -> bool:
        """Which rule decides and which answers, and the bound of them, tell what each of these answers is. What a person
        said rests on no rule."""
        return verdict.by_id is not None or all(
            self.tells(part["project"], part["item"]) for part in verdict.told.get("parts", ())
        )

    def tells_recognised(self, photo: InspectionPhoto) -> bool:
        """What the head of the protocol's project of shots took it for."""
        _found, told = self._read
        return (photo.inspection.protocol.shots_project_id, photo.image_id) in told


def why_withheld() -> str:
    return _(
        "Why is not told yet: people may be asked about one of its photos, blind. It is told once they have answered; where "
        "a photo was erased, no more."
    )
