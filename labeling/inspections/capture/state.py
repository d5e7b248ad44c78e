"""How an inspection stands for whoever photographs it: which shots are there, and what to do better. Nothing else of it."""

from __future__ import annotations

from typing import Any

from labeling.inspections.judging import advice_on
from labeling.inspections.models import CaptureLink, InspectionPhoto, ProtocolVersion
from labeling.learning.selectors import champion


def version_of(link: CaptureLink) -> ProtocolVersion:
    """The version that the photos are taken under: the one in force when the first came."""
    return link.inspection.version if link.inspection else link.protocol.current


def state_of(link: CaptureLink) -> dict[str, Any]:
    """``{"expires_at", "submitted_at", "recognising", "shots": [{"key", "accepted", "advice": [text]}]}``.

    ``recognising``: some seconds later a photo may turn out to show another shot. ``advice``: on the newest photo of a shot
    that none is taken for.
    """
    inspection = link.inspection
    by_shot: dict[str, list[InspectionPhoto]] = {}
    if inspection is not None:
        for photo in inspection.photos.select_related("shot").order_by("number"):
            by_shot.setdefault(photo.shot.key, []).append(photo)
    taken = [photo for photos in by_shot.values() for photo in photos if is_taken(photo)]
    return {
        "expires_at": link.expires_at,
        "submitted_at": inspection.submitted_at if inspection else None,
        "recognising": any(not photo.seen_as for photo in taken) and _recognises(link),
        "shots": [_shot(shot.key, by_shot.get(shot.key, [])) for shot in version_of(link).shots.all()],
    }


def is_taken(photo: InspectionPhoto) -> bool:
    return not photo.faults and photo.image_id is not None


def _shot(key: str, photos: list[InspectionPhoto]) -> dict[str, Any]:
    accepted = any(is_taken(photo) for photo in photos)
    newest = photos[-1] if photos and not accepted else None
    return {
        "key": key,
        "accepted": accepted,
        "advice": [each["advice"] for each in advice_on(newest)] if newest else [],
    }


def _recognises(link: CaptureLink) -> bool:
    project = link.protocol.shots_project
    return project is not None and champion(project) is not None
