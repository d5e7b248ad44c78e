"""An inspection comes in with its photos, gets others, and is submitted. What is sent again changes nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.files.base import File
from django.db import IntegrityError, transaction
from django.db.models import prefetch_related_objects
from django.utils import timezone
from django.utils.translation import gettext as _

from labeling.database.locks import hold_name
from labeling.inspections.archiving import refuse_archived
from labeling.inspections.models import Inspection, InspectionPhoto, Origin, Protocol
from labeling.inspections.photographed import Sent, put_in, take
from labeling.inspections.said import Said
from labeling.inspections.wanting import want_look
from labeling.people.models import User
from labeling.refusals import Refused

#: Of one inspection, with all that were taken again.
MOST_PHOTOS = 200


@dataclass(frozen=True, slots=True)
class Recorded:
    """``created``: it was not there before. ``photos``: those of the call, in its order."""

    inspection: Inspection
    created: bool
    photos: list[InspectionPhoto]


def record_inspection(
    *,
    protocol: Protocol,
    by: User,
    external_id: str,
    asset: Mapping[str, str],
    event: str,
    happened_at: datetime | None = None,
    site: str = "",
    photographer: str = "",
    metadata: Mapping[str, Any] | None = None,
    origin: str = Origin.API,
    photos: Iterable[Sent] = (),
    submitted: bool = True,
) -> Recorded:
    """An inspection with its photos, by the protocol's version in force.

    ``asset``: ``identifier`` and, as one likes, ``type`` and ``site``. A photo that cannot be used stops nothing: its row
    says what is wrong. Raises :class:`Refused`: ``invalid`` (422), ``archived`` (409), ``another_content`` (409) where this
    ``external_id`` was recorded with something else, which the fields name.
    """
    said = Said(
        protocol,
        asset=asset,
        event=event,
        happened_at=happened_at,
        more=metadata,
        external_id=external_id,
        site=site or asset.get("site", ""),
        photographer=photographer,
        origin=origin,
        created_by=by,
    )
    sent = list(photos)
    if len(sent) > MOST_PHOTOS:
        raise Refused.invalid("photos", _("At most %(most)d photos.") % {"most": MOST_PHOTOS})
    before = said.recorded()
    version = before.version if before else protocol.current
    prefetch_related_objects([version], "shots")
    _refuse_unknown_shots([each.shot for each in sent], [shot.key for shot in version.shots.all()])
    if before is not None:
        return _again(before, said, sent)
    refuse_archived(protocol)
    taken = take(sent, version)
    inspection = said.inspection
    try:
        with transaction.atomic():
            inspection.version, inspection.asset = version, said.known_asset()
            inspection.submitted_at = timezone.now() if submitted else None
            inspection.save(force_insert=True)
            rows = put_in(inspection, taken, by)
            want_look([inspection.pk])
    except IntegrityError:
        if (before := said.recorded()) is None:
            raise
        return _again(before, said, sent)  # the same came twice at once
    return Recorded(inspection, True, rows)


def add_photo(
    *, inspection: Inspection, by: User, shot: str, data: bytes | File[bytes], tilt: float | None = None
) -> InspectionPhoto:
    """Another photo of an inspection; if it serves, it takes the place of an earlier one of its shot.

    The same bytes for the same shot again are the row that is there. Raises :class:`Refused` ``invalid`` (422),
    ``too_many`` or ``archived`` (409).
    """
    _refuse_unknown_shots([shot], [each.key for each in inspection.version.shots.all()])
    sent = Sent(shot, data, tilt)
    same = inspection.photos.filter(shot__key=shot, sha256=sent.sha256).select_related("shot", "image")
    if (there := same.first()) is not None:
        return there
    refuse_archived(inspection.protocol)
    with transaction.atomic():
        # By a name, not by its row: who answers one of its photos locks that photo, then the inspection's row, while a photo
        # that comes in may have to wait for that very photo, as its near-duplicate. Before it is looked at: what is like a
        # photo that comes for another shot at the same time must not be kept.
        hold_name("inspections.photos", str(inspection.pk))
        if (there := same.first()) is not None:  # the same came twice at once
            return there
        if inspection.photos.count() >= MOST_PHOTOS:
            raise Refused(
                "too_many",
                _("This inspection has %(most)d photos, and takes no more.") % {"most": MOST_PHOTOS},
            )
        (row,) = put_in(inspection, take([sent], inspection.version, inspection), by)
        want_look([inspection.pk])
    return row


@transaction.atomic
def submit(*, inspection: Inspection) -> Inspection:
    """The photographer is done. Doing it again changes nothing."""
    mine = Inspection.objects.filter(pk=inspection.pk)
    if mine.filter(submitted_at__isnull=True).update(submitted_at=timezone.now()):
        want_look([inspection.pk])
    inspection.refresh_from_db()
    return inspection


@transaction.atomic
def refuse_later(
    *, photo: InspectionPhoto, fault: str, seen_as: str = "", seen_confidence: float | None = None
) -> None:
    """A photo that was taken for its shot is not any more. It stays in its projects: what it shows is still so."""
    row = InspectionPhoto.objects.select_for_update().get(pk=photo.pk)
    row.faults = list(dict.fromkeys([*row.faults, fault]))
    row.seen_as, row.seen_confidence = seen_as, seen_confidence
    row.save(update_fields=["faults", "seen_as", "seen_confidence"])
    want_look([row.inspection_id])


def _again(before: Inspection, said: Said, sent: Sequence[Sent]) -> Recorded:
    """What is there, if this is the same. Raises :class:`Refused` ``another_content`` (409)."""
    by_shot: dict[str, list[InspectionPhoto]] = defaultdict(list)
    for row in before.photos.select_related("shot", "image").order_by("number"):
        by_shot[row.shot.key].append(row)
    different = said.differs(before)
    rows = []
    for each in sent:
        # Of one that was erased nobody knows any more which it was.
        same = [row for row in by_shot[each.shot] if row.sha256 in {each.sha256, ""}]
        rows += same[:1]
        different += [] if same else [f"photos.{each.shot}"]
    if different:
        raise Refused(
            "another_content",
            _(
                "Inspection “%(id)s” was recorded before, with something else as: %(names)s. Nothing was changed. Send "
                "another inspection under another id; a photo that was taken again goes to the inspection's photos."
            )
            % {"id": before.external_id, "names": ", ".join(different)},
            fields={name: _("It was recorded with something else.") for name in different},
        )
    return Recorded(before, False, rows)


def _refuse_unknown_shots(named: Collection[str], shots: Collection[str]) -> None:
    if unknown := sorted({*named} - {*shots}):
        raise Refused.invalid(
            unknown[0][:60],
            _("There is no shot %(names)s here. Use: %(shots)s.")
            % {
                "names": ", ".join(f"“{name[:60]}”" for name in unknown[:5]),
                "shots": ", ".join(shots),
            },
        )
