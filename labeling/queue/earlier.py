"""An earlier photo of the same asset beside the one that somebody is asked about, or rules on: to whom it was shown is kept,
for whoever saw it is not blind any more (docs/decisions/0057-an-earlier-photo-beside.md). Which photo that is, the
inspections know."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Exists, OuterRef
from django.utils.translation import gettext as _

from labeling.catalog.models import Image, Project
from labeling.people.models import User
from labeling.queue.lending import answered_already, own_slot
from labeling.queue.models import EarlierShown, Slot
from labeling.refusals import Refused


def asked_photo(*, project: Project, labeler: User, lease: UUID) -> Image:
    """The photo that is on loan to this person, beside which an earlier one may be shown: locked, so that an answer to it
    comes before that or behind it.

    Raises :class:`Refused` ``not_allowed``, ``lease_expired`` or ``already_answered`` (409).
    """
    slot = own_slot(project, labeler, lease)
    if slot is not None and slot.annotation_id is not None:
        raise answered_already()
    if slot is None or slot.skipped_at is not None:
        raise Refused(
            "lease_expired", _("This photo is not on loan to you, or no longer. Go on with the next.")
        )
    # By a question sheet the same photo is on loan in several projects, of which each must allow it.
    open_ = Slot.objects.filter(
        holder=labeler, item__image=slot.item.image_id, annotation__isnull=True, skipped_at__isnull=True
    )
    if open_.filter(project__earlier_allowed=False).exists():
        raise earlier_not_allowed()
    return slot.item.image


def earlier_not_allowed() -> Refused:
    return Refused(
        "not_allowed",
        _(
            "Earlier photos are not shown here. An admin may allow it in the settings of each project that asks."
        ),
    )


def shown_beside(image: Image, labeler: User) -> EarlierShown | None:
    """What this person was shown beside the photo, if anything was."""
    return EarlierShown.objects.filter(image=image, labeler=labeler).first()


def keep_shown(*, image: Image, labeler: User, earlier_id: int) -> None:
    """From now on this person is not blind to the photo. For a caller that holds it (:func:`asked_photo`, or a dispute)."""
    # Two leases of the same photo, by a question sheet, may ask at once: the first one stays.
    EarlierShown.objects.bulk_create(
        [EarlierShown(image=image, labeler=labeler, earlier_id=earlier_id)], ignore_conflicts=True
    )


def not_blind_to(person: User) -> Exists:
    """The condition over :class:`~labeling.catalog.models.Item` that this person was shown something beside the photo."""
    return Exists(EarlierShown.objects.filter(labeler=person, image=OuterRef("image")))
