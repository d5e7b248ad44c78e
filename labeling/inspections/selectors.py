"""What is known of inspections, read. No writes, and no permissions: views ask those first."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from labeling.inspections.models import Inspection, InspectionPhoto, Protocol, Shot


def inspections_of(
    protocol: Protocol,
    *,
    outcome: str | None = None,
    site: str | None = None,
    asset: str | None = None,
    event: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> QuerySet[Inspection]:
    """The newest first, with version, asset and verdict at hand. ``asset``: its identifier; ``until``: before it."""
    wanted: dict[str, Any] = {
        "outcome": outcome,
        "site": site,
        "asset__identifier": asset,
        "event": event,
        "happened_at__gte": since,
        "happened_at__lt": until,
    }
    rows = Inspection.objects.filter(
        protocol=protocol, **{name: value for name, value in wanted.items() if value is not None}
    )
    return rows.select_related("protocol", "version", "asset", "verdict__by", "verdict__version")


def photos_of(inspection: Inspection) -> list[InspectionPhoto]:
    """All of them, in the order of the shots."""
    return list(
        inspection.photos.select_related("shot", "image").order_by("shot__position", "shot", "number")
    )


def missing_among(photos: Collection[InspectionPhoto], shots: Collection[Shot]) -> list[str]:
    """Keys of the required ``shots`` of which none of the ``photos`` serves, in order."""
    there = {photo.shot_id for photo in photos if photo.image_id and not photo.faults}
    return [shot.key for shot in shots if shot.required and shot.pk not in there]
