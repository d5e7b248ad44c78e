"""The asset's earlier photo of the same shot, beside the one that somebody is asked about, or rules on
(docs/decisions/0057-an-earlier-photo-beside.md)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from labeling.catalog.models import Image, Item, Project
from labeling.catalog.permissions import Action, may
from labeling.frontier.told import standing
from labeling.inspections.models import Inspection, InspectionPhoto
from labeling.people.models import User
from labeling.queue import services as queue
from labeling.truth import services as truth

#: Earlier inspections that are looked at for a photo which may be shown.
MOST = 10


@dataclass(frozen=True, slots=True)
class Earlier:
    """``happened_at``, ``event``: of the inspection that it belongs to."""

    image: Image
    happened_at: datetime
    event: str


@transaction.atomic
def show_earlier(*, project: Project, labeler: User, lease: UUID) -> Earlier | None:
    """The photo to show beside the one that is on loan; that it was shown is kept, and their answers are not blind from then
    on. ``None`` where there is none that may be shown: then nothing is kept. Asking again shows the same.

    It is of the latest earlier inspection whose photo of that shot is taken, and of which nothing is asked any more in any
    project in which this person answers: they could not be asked of it, blind, any more.
    Raises :class:`Refused` ``not_allowed``, ``lease_expired`` or ``already_answered`` (409).
    """
    return _show(queue.asked_photo(project=project, labeler=labeler, lease=lease), labeler)


@transaction.atomic
def show_earlier_at_review(*, project: Project, reviewer: User, dispute_id: UUID) -> Earlier | None:
    """The same beside a photo in dispute: a ruling of this reviewer on it is not blind from then on.

    Raises :class:`Refused` ``not_found`` (404), ``not_allowed``, ``already_ruled`` or ``own_answer`` (409).
    """
    dispute = truth.dispute_to_rule_on(project=project, dispute_id=dispute_id, reviewer=reviewer)
    if not project.earlier_allowed:
        raise queue.earlier_not_allowed()
    return _show(dispute.item.image, reviewer)


def _show(image: Image, person: User) -> Earlier | None:
    """Beside a photo that the caller has locked."""
    before = _earlier_photos(image)
    shown = queue.shown_beside(image, person)
    if shown is None and before:
        free = _asked_no_more([photo.image_id for photo in before if photo.image_id], person)
        before = [photo for photo in before if photo.image_id in free]
        if before and before[0].image_id:
            queue.keep_shown(image=image, labeler=person, earlier_id=before[0].image_id)
            shown = queue.shown_beside(image, person)
    found = next((photo for photo in before if shown and photo.image_id == shown.earlier_id), None)
    if found is None or found.image is None:
        return None
    return Earlier(found.image, found.inspection.happened_at, found.inspection.event)


def _earlier_photos(image: Image) -> list[InspectionPhoto]:
    """Of the same asset and shot, the latest first."""
    mine = InspectionPhoto.objects.filter(image=image, faults=[]).select_related("inspection", "shot")
    this = mine.order_by("-pk").first()
    if this is None:
        return []
    at = this.inspection.happened_at
    before = (
        Inspection.objects.filter(asset=this.inspection.asset_id, protocol=this.inspection.protocol_id)
        .filter(Q(happened_at__lt=at) | Q(happened_at=at, pk__lt=this.inspection_id))
        .order_by("-happened_at", "-pk")[:MOST]
    )
    photos = InspectionPhoto.objects.current().filter(
        inspection__in=[each.pk for each in before], shot__key=this.shot.key
    )
    by_inspection = {photo.inspection_id: photo for photo in photos.select_related("image", "inspection")}
    return [by_inspection[each.pk] for each in before if each.pk in by_inspection]


def _asked_no_more(images: Collection[int], person: User) -> set[int]:
    """Those of these images (ids) that this person may see, and may not be asked about in any project."""
    held: dict[Project, dict[int, int]] = defaultdict(dict)
    items = Item.objects.filter(image__in=images, project__archived_at__isnull=True, project__isnull=False)
    for item in items.select_related("project"):
        if item.project is not None and may(person, item.project, Action.LABEL):
            held[item.project][item.pk] = item.image_id
    seen, asked = set[int](), set[int]()
    for project, mine in held.items():
        stands = standing(project, list(mine), person)
        seen.update(mine.values())
        asked.update(image for item, image in mine.items() if not stands[item].told)
    return seen - asked
