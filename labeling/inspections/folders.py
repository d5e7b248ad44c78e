"""Inspections that lie in an open folder, as ``IDENTIFIER/EXTERNALID/shot.jpg``: ``12가 3456/W-1042/front.jpg``.

A shot that was taken again is ``front-2.jpg``. Looking again changes nothing, and takes in what came since.
"""

from __future__ import annotations

import re
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from django.conf import settings
from django.db.models import Count, Max
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from labeling.catalog import photos
from labeling.catalog.intake.handing_in import open_folder
from labeling.catalog.photos import PhotoRefused
from labeling.catalog.sources.source import Listed, ServerFolder
from labeling.inspections.judging import advice_on
from labeling.inspections.models import Inspection, InspectionPhoto, Origin, Protocol
from labeling.inspections.photographed import Sent
from labeling.inspections.recording import add_photo, record_inspection
from labeling.people.models import User
from labeling.refusals import Refused

#: A file that changed so few seconds ago may still be written.
STILL_S = 60
_AGAIN = re.compile(r"-\d{1,3}$")


@dataclass(slots=True)
class _Occasion:
    identifier: str
    external_id: str
    #: (key of the shot, path), as they are to be taken in
    files: list[tuple[str, str]] = field(default_factory=list)
    #: seconds since 1970
    newest: float = 0.0


@dataclass(frozen=True, slots=True)
class Told:
    """What became of one inspection, or of one file: ``what`` says it in words."""

    name: str
    what: str
    good: bool


def take_in_folder(
    *, protocol: Protocol, by: User, folder: str, event: str, still_s: int = STILL_S
) -> Iterator[Told]:
    """Take in what is new of a folder that is open for intake; one that cannot be taken in stops no other.

    What is known already is not read again. Raises :class:`Refused` (422), and
    :class:`~labeling.catalog.sources.errors.SourceError`.
    """
    source = ServerFolder(open_folder(folder, settings.INTAKE_ROOTS), settings.INTAKE_ROOTS)
    shots = {shot.key for shot in protocol.current.shots.all()}
    found: dict[tuple[str, str], _Occasion] = {}
    for listed in source.listing():
        if wrong := _place(listed, shots, found):
            yield Told(listed.name, wrong, False)
    known = {
        row["external_id"]: row
        for row in Inspection.objects.filter(
            protocol=protocol, external_id__in={each.external_id for each in found.values()}
        )
        .values("external_id")
        .annotate(n=Count("photos"), last=Max("photos__created_at"))
    }
    for occasion in found.values():
        row = known.get(occasion.external_id)
        if row and row["n"] >= len(occasion.files) and row["last"].timestamp() > occasion.newest:
            continue
        name = f"{occasion.identifier}/{occasion.external_id}"
        if occasion.newest > time.time() - still_s:
            yield Told(name, _("Still being written: it is taken in at the next look."), True)
            continue
        try:
            yield from _take_in(protocol, by, event, occasion, source, name)
        except Refused as refused:
            yield Told(name, refused.message, False)


def _place(listed: Listed, shots: Collection[str], found: dict[tuple[str, str], _Occasion]) -> str:
    """Put a file where it belongs; returns what is wrong with it, if anything."""
    if listed.refused:
        return photos.advice(listed.refused)
    parts = listed.name.split("/")
    if len(parts) != 3:
        return _("Not in a folder of an inspection: IDENTIFIER/ID/shot.jpg.")
    stem = parts[2].rpartition(".")[0]
    shot = stem if stem in shots else _AGAIN.sub("", stem)
    if shot not in shots:
        return _("There is no such shot. Name the file after one of: %(shots)s.") % {
            "shots": ", ".join(sorted(shots))
        }
    occasion = found.setdefault((parts[0], parts[1]), _Occasion(parts[0], parts[1]))
    occasion.files.append((shot, listed.path))
    changed = listed.version.rpartition("-")[2]
    occasion.newest = max(occasion.newest, int(changed) / 1e9 if changed.isdigit() else 0.0)
    return ""


def _take_in(
    protocol: Protocol, by: User, event: str, occasion: _Occasion, source: ServerFolder, name: str
) -> Iterator[Told]:
    sent = []
    for shot, path in occasion.files:
        try:
            sent.append(Sent(shot, source.read(path)))
        except PhotoRefused as refused:
            yield Told(path, refused.message, False)
    inspection = Inspection.objects.filter(protocol=protocol, external_id=occasion.external_id).first()
    taken: list[InspectionPhoto] = []
    if inspection is None:
        recorded = record_inspection(
            protocol=protocol,
            by=by,
            external_id=occasion.external_id,
            asset={"identifier": occasion.identifier},
            event=event,
            happened_at=datetime.fromtimestamp(occasion.newest, UTC),
            origin=Origin.FOLDER,
            photos=sent,
        )
        taken = recorded.photos
    elif inspection.asset.identifier != occasion.identifier:
        raise Refused(
            "another_content", _("This id was recorded for another asset. Name the folder otherwise.")
        )
    else:
        taken = [add_photo(inspection=inspection, by=by, shot=each.shot, data=each.read()) for each in sent]
    for photo in taken:
        for fault in advice_on(photo):
            yield Told(f"{name}/{photo.shot.key}", fault["advice"], False)
    n = len(taken)
    yield Told(name, ngettext("%(n)d photo.", "%(n)d photos.", n) % {"n": n}, True)
