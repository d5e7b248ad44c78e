"""What comes by a link: photos one by one, each repeated without harm, and that it is done."""

from __future__ import annotations

from django.core.files.base import File
from django.utils.translation import gettext as _

from labeling.inspections.models import CaptureLink, Inspection, InspectionPhoto, Origin
from labeling.inspections.recording import add_photo, record_inspection, submit
from labeling.refusals import Refused


def take_photo(
    *, link: CaptureLink, shot: str, data: bytes | File[bytes], tilt: float | None = None
) -> InspectionPhoto:
    """Look at a photo, judge it and keep it if it serves; the link's first one begins its inspection.

    Raises :class:`Refused` as :func:`~labeling.inspections.recording.add_photo`.
    """
    return add_photo(inspection=_inspection_of(link), by=link.created_by, shot=shot, data=data, tilt=tilt)


def hand_in(*, link: CaptureLink) -> Inspection:
    """The photographer is done; doing it again changes nothing. Raises :class:`Refused` ``no_photo`` (409)."""
    if link.inspection is None:
        raise Refused("no_photo", _("No photo has arrived yet. Take one first."))
    return submit(inspection=link.inspection)


def _inspection_of(link: CaptureLink) -> Inspection:
    if link.inspection is None:
        # Two first photos at once begin one inspection: it is known by the link.
        link.inspection = record_inspection(
            protocol=link.protocol,
            by=link.created_by,
            external_id=f"capture-{link.pk}",
            asset={"identifier": link.asset.identifier},
            event=link.event,
            site=link.site,
            photographer=link.photographer,
            origin=Origin.CAPTURE,
            submitted=False,
        ).inspection
        link.save(update_fields=["inspection"])
    return link.inspection
