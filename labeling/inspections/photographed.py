"""Photos of an inspection: each is looked at and judged, those that serve are kept and put into the projects that ask."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from django.core.files.base import File
from django.db.models import Max

from labeling.catalog import erased, storage
from labeling.catalog.metadata import values as metadata
from labeling.catalog.models import Image, Project
from labeling.catalog.photos import PhotoRefused
from labeling.catalog.services import Looked, add_items, lay_down, look_at, rows_of
from labeling.inspections.judging import faults_of
from labeling.inspections.likeness import Shown
from labeling.inspections.models import (
    Check,
    Fault,
    Inspection,
    InspectionPhoto,
    Protocol,
    ProtocolVersion,
    Shot,
)
from labeling.people.models import User


class Sent:
    """A photo as it was sent for a shot, by its key. ``tilt``: degrees from level, as the camera said."""

    def __init__(self, shot: str, data: bytes | File[bytes], tilt: float | None = None) -> None:
        self.shot, self.tilt, self._data = shot, tilt, data
        self.sha256 = hashlib.sha256(self.read()).hexdigest()

    def read(self) -> bytes:
        """Anew each time: all photos of a request together may not fit in memory."""
        if isinstance(self._data, bytes):
            return self._data
        self._data.seek(0)
        return bytes(self._data.read())


@dataclass(slots=True)
class Taken:
    """A photo that was looked at; ``looked`` where its bytes are in the storage, for it has no ``faults``."""

    sent: Sent
    shot: Shot
    faults: list[str] = field(default_factory=list)
    looked: Looked | None = None


def take(sent: Iterable[Sent], version: ProtocolVersion, to: Inspection | None = None) -> list[Taken]:
    """Look at each photo. One that cannot be used stops no other. Every shot is one of the version's.

    ``to``: the inspection that they come to, whose name is held; ``None``: a new one.
    """
    shots = {shot.key: shot for shot in version.shots.all()}
    taken = [Taken(each, shots[each.shot]) for each in sent]
    out = _kept_out({each.sent.sha256 for each in taken}, version)
    seen: set[str] = set()
    shown = Shown(to)
    for each in taken:
        sha256 = each.sent.sha256
        if sha256 in out:
            each.faults = [erased.REASON]
        elif sha256 in seen:
            each.faults = [Fault.REPEATED]
        else:
            seen.add(sha256)
            _look_at(each, shown)
    if any(each.looked for each in taken):
        storage.flush()
    return taken


def put_in(inspection: Inspection, taken: Sequence[Taken], by: User) -> list[InspectionPhoto]:
    """Rows of the photos, in their order, and places in the projects that ask them.

    The inspection is new, or its name is held.
    """
    images = rows_of([each.looked for each in taken if each.looked])
    used = _used(inspection, images.values())
    last = dict(inspection.photos.order_by().values_list("shot").annotate(Max("number")))
    rows = []
    for each in taken:
        image = images.get(each.sent.sha256) if each.looked else None
        if image is not None and image.pk in used:
            each.faults, image = [Fault.REPEATED], None
        last[each.shot.pk] = number = last.get(each.shot.pk, 0) + 1
        rows.append(
            InspectionPhoto(
                inspection=inspection,
                shot=each.shot,
                number=number,
                image=image,
                # Of what was erased not even its hash is kept again.
                sha256="" if erased.REASON in each.faults else each.sent.sha256,
                tilt=each.sent.tilt,
                faults=each.faults,
            )
        )
    InspectionPhoto.objects.bulk_create(rows)
    _ask(inspection, rows, by)
    return rows


def _look_at(each: Taken, shown: Shown) -> None:
    try:
        looked = look_at(each.sent.read())
        each.faults = faults_of(each.shot, looked.measured, each.sent.tilt)
        if not each.faults and shown.for_another(each.shot.pk, bytes(looked.measured.fingerprint or b"")):
            each.faults = [Fault.REPEATED]
        if not each.faults:
            lay_down(looked)
            each.looked = looked
    except PhotoRefused as refusal:
        each.faults = [refusal.code]


def _kept_out(hashes: Collection[str], version: ProtocolVersion) -> set[str]:
    """Those that were erased from one of the projects that would get them."""
    projects = {project for asking in projects_by_shot(version).values() for project in asking}
    return {sha256 for project in projects for sha256 in erased.listed(project, hashes)}


def projects_by_shot(version: ProtocolVersion) -> Mapping[int, list[Project]]:
    """Shot id -> the projects that get its photos: those that ask, and the one that recognises shots."""
    found: dict[int, list[Project]] = defaultdict(list)
    for check in Check.objects.filter(shot__version=version).select_related("project"):
        found[check.shot_id].append(check.project)
    if (recognises := version.protocol.shots_project) is not None:
        for shot in version.shots.all():
            if recognises not in found[shot.pk]:
                found[shot.pk].append(recognises)
    return found


def _used(inspection: Inspection, images: Collection[Image]) -> set[int]:
    """Ids of those that serve another inspection of the protocol, or this one: no camera takes the same file twice."""
    mine = InspectionPhoto.objects.filter(inspection__protocol=inspection.protocol_id)
    rows = mine.filter(image__in=images, faults=[])
    return {image for image in rows.values_list("image", flat=True) if image is not None}


def _ask(inspection: Inspection, rows: Sequence[InspectionPhoto], by: User) -> None:
    asking = projects_by_shot(inspection.version)
    offered: dict[Project, list[InspectionPhoto]] = defaultdict(list)
    for row in rows:
        for project in asking.get(row.shot_id, []) if row.image_id else []:
            offered[project].append(row)
    # In the order of projects, so that two inspections wait for each other, and do not block.
    for project, mine in sorted(offered.items(), key=lambda each: each[0].pk):
        offer(project, inspection.protocol, mine, by)


def offer(project: Project, protocol: Protocol, photos: Sequence[InspectionPhoto], by: User) -> int:
    """Put these photos of the protocol's inspections into a project that asks them; return how many it had not."""
    images = [
        (photo.image, f"{photo.inspection.external_id} {photo.shot.key}") for photo in photos if photo.image
    ]
    items = add_items(project=project, images=images, source=protocol.slug)
    of = {photo.image_id: photo for photo in photos}
    known = {item.pk: _known_of(of[item.image_id].inspection, of[item.image_id].shot.key) for item in items}
    metadata.put(project=project, given=known, by=by, origin=protocol.slug)
    return len(items)


def _known_of(inspection: Inspection, shot: str) -> dict[str, metadata.Value | None]:
    """What a project knows of the photo: the asset by its number, for a plate is nobody's business there."""
    known: dict[str, metadata.Value | None] = {"asset": inspection.asset_id, "shot": shot}
    return known | {"event": inspection.event, "site": inspection.site or None}
