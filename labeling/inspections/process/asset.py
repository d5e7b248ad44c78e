"""One asset over time: its inspections, shot beside shot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import Http404
from django.utils.translation import gettext as _

from labeling.catalog.models import Image
from labeling.catalog.permissions import Action
from labeling.inspections.models import Asset, Inspection, InspectionPhoto, Protocol, Shot
from labeling.inspections.permissions import protocols_of
from labeling.inspections.process.listing import place_of, place_read

#: Inspections of a page.
A_PAGE = 8


@dataclass(frozen=True)
class Visit:
    """``photos``: of each of the asset's shots, in their order; ``None`` where it has none."""

    inspection: Inspection
    says: str
    photos: list[Image | None]


@dataclass(frozen=True)
class OverTime:
    """Newest first. ``shots``: names of all that the page's inspections have, those of the newest first."""

    asset: Asset
    shots: list[str]
    visits: list[Visit]
    older: str


def over_time(user: Any, kind: str, identifier: str, before: str = "") -> OverTime:
    """The asset, as far as its inspections may be seen. Raises :class:`Http404` where none may, and
    :class:`~labeling.refusals.Refused` (422) where ``before`` is no place."""
    asset = Asset.objects.filter(kind=kind, identifier=identifier).first()
    seen = _seen(user, asset) if asset else []
    if asset is None or not seen:
        raise Http404(_("There is no such asset, or none of its inspections is yours to see."))
    rows = Inspection.objects.filter(asset=asset, protocol__in=seen).select_related(
        "protocol", "version", "verdict"
    )
    if before:
        at, pk = place_read(before)
        rows = rows.filter(Q(happened_at__lt=at) | Q(happened_at=at, pk__lt=pk), happened_at__lte=at)
    found = list(rows.order_by("-happened_at", "-pk")[: A_PAGE + 1])
    more = len(found) > A_PAGE
    found = found[:A_PAGE]
    shots, photos = _photos(found)
    visits = [
        Visit(
            each,
            each.version.name_of(each.outcome) if each.outcome else "",
            [photos.get((each.pk, key)) for key in shots],
        )
        for each in found
    ]
    return OverTime(asset, list(shots.values()), visits, place_of(found[-1]) if more else "")


def _seen(user: Any, asset: Asset) -> list[Protocol]:
    """Protocols by which it was inspected and whose inspections the user may see. Raises :class:`PermissionDenied` for
    members whose roles are enough for none of them."""
    by = set(Inspection.objects.filter(asset=asset).order_by().values_list("protocol", flat=True).distinct())
    seen = [each for each in protocols_of(user, Action.FIGURES) if each.pk in by]
    if not seen and any(each.pk in by for each in protocols_of(user, Action.VIEW)):
        raise PermissionDenied(_("Labelers do not see inspections: they answer blind. Ask a reviewer."))
    return seen


def _photos(found: Sequence[Inspection]) -> tuple[dict[str, str], dict[tuple[int, str], Image | None]]:
    """Key of a shot -> its name, and (inspection, key) -> the photo that is taken for it."""
    versions = list(dict.fromkeys(each.version_id for each in found))
    by_version: dict[int, list[tuple[str, str]]] = {version: [] for version in versions}
    for version, key, name in Shot.objects.filter(version__in=versions).values_list("version", "key", "name"):
        by_version[version].append((key, name))
    shots: dict[str, str] = {}
    for version in versions:
        for key, name in by_version[version]:
            shots.setdefault(key, name)
    current = InspectionPhoto.objects.filter(inspection__in=found).current().select_related("image", "shot")
    return shots, {(photo.inspection_id, photo.shot.key): photo.image for photo in current}
