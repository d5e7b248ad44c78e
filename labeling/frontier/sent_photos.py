"""A photo that a program sends to be decided. One that is new is taken in first, and decided when it has been scored."""

from __future__ import annotations

from django.conf import settings
from django.core.files.base import File

from labeling.catalog import erased, storage
from labeling.catalog.intake.handing_in import is_on_its_way
from labeling.catalog.models import IntakeKind, Item, Project
from labeling.catalog.photos import PhotoRefused, judge_header
from labeling.catalog.services import start_intake
from labeling.frontier.deciding import DecidedBy, decide_one
from labeling.people.models import User
from labeling.refusals import Refused

#: Refusals that only decoding shows. The same bytes would be refused again, and the program would ask for ever.
_BROKEN = frozenset({"truncated", "bad_exif"})


def decide_sent_photo(
    *, project: Project, by: User, sha256: str, photo: File[bytes] | None = None, strict: bool = False
) -> DecidedBy | None:
    """Who decides the photo with this hash; in the queue as ``new`` where it is on its way in, or starts it with this.

    ``strict``: only what people settle counts (``decide_one``).

    ``None``: the project does not hold it, and no ``photo`` was sent. Raises :class:`Refused` where it is known to be no
    photo (422, 413), or where its intake ended before its turn came (409 ``intake_stopped``).
    """
    item = Item.objects.filter(project=project, image__sha256=sha256).first()
    if item is not None:
        # Lost since: an intake puts it back.
        if photo is not None and not storage.is_whole(sha256, project.decoded_with):
            start_intake(project=project, by=by, kind=IntakeKind.UPLOAD, files=[photo])
        return decide_one(project=project, item_id=item.pk, strict=strict)
    if erased.listed(project, [sha256]):
        raise PhotoRefused(erased.REASON)
    if photo is not None:
        _take_in(project, by, photo, sha256)
    elif not is_on_its_way(project, sha256):
        return None
    return DecidedBy("queue", "", "new")


def _take_in(project: Project, by: User, photo: File[bytes], sha256: str) -> None:
    """Start the photo's intake, unless it is on its way. Raises :class:`Refused` where it is known to be no photo."""
    if photo.size > settings.INTAKE_MAX_BYTES:
        raise PhotoRefused("too_large")
    judge_header(photo.read())
    try:
        if is_on_its_way(project, sha256):
            return
    except Refused as refusal:
        if refusal.code in _BROKEN:
            raise
    start_intake(project=project, by=by, kind=IntakeKind.UPLOAD, files=[photo])
