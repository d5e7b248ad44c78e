"""What was asked for is erased for good, once it cannot be undone any more. For workers only.

Each photo is gone when all that is kept of it is, and is marked so last: whoever takes the work up again does what is left.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone

from labeling.catalog import wiping
from labeling.catalog.metadata import values as metadata
from labeling.catalog.models import Image
from labeling.catalog.services import log_activity
from labeling.catalog.wiping import NotYet
from labeling.erasure.asking import choose_some
from labeling.erasure.models import ErasedPhoto, Erasure, Scope
from labeling.erasure.moving_out import CHUNK, bring_back_some, take_out_some
from labeling.exchange.choosing import forget_searches_of
from labeling.exchange.imports.forgetting import forget_imported
from labeling.explorer import services as explorer
from labeling.explorer.search.naming import KnownBy
from labeling.explorer.search.saving import forget_views_of
from labeling.frontier import erased as frontier
from labeling.inspections import forgetting as inspections
from labeling.jobs.progress import JobError, Progress
from labeling.learning.compute.forgetting import forget_vectors
from labeling.queue.sweeps.selectors import searches_swept
from labeling.queue.sweeps.services import forget_search
from labeling.refusals import Refused
from labeling.truth import services as truth

logger = logging.getLogger(__name__)


def work(progress: Progress) -> dict[str, Any]:
    """Do the job ``erase``: what is left to do of ``args["erasure"]``. Returns {found, taken_out, back, gone}.

    Raises :class:`JobError` where something stands in the way; the hourly look asks for another try.
    """
    erasure = Erasure.objects.select_related("project").filter(pk=progress.args["erasure"]).first()
    if erasure is None:
        raise JobError("This erasure is gone. There is nothing to do.")
    told = {"found": 0, "taken_out": 0, "back": 0, "gone": 0}
    while (some := _choose_some(erasure)) is not None:
        told["found"] += some
        progress.report(told["found"])
        progress.check()
    total = erasure.photos.count()
    if erasure.undone_at is None:
        while some := take_out_some(erasure, CHUNK):
            told["taken_out"] += some
            progress.report(told["taken_out"], total)
            progress.check()
    else:
        while some := bring_back_some(erasure, CHUNK):
            told["back"] += some
            progress.report(told["back"], total)
            progress.check()
        return told
    if erasure.due_at > timezone.now():
        return told
    erasure.photos.held().update(waits_for="")
    _forget_vectors(erasure)
    while rows := list(erasure.photos.held().filter(waits_for="").order_by("item_id")[:CHUNK]):
        told["gone"] += erase_some(erasure, rows)
        progress.report(told["gone"], total)
        progress.check()
    if left := erasure.photos.held().first():
        raise JobError(left.waits_for)
    _finish(erasure)
    return told


def _choose_some(erasure: Erasure) -> int | None:
    try:
        return choose_some(erasure)
    except Refused as refused:
        raise JobError(refused.message) from refused


def erase_some(erasure: Erasure, rows: Sequence[ErasedPhoto]) -> int:
    """Erase these photos for good; return how many are gone. One that cannot be says what it waits for."""
    ready = [row for row in rows if _staged_is_gone(row)]
    project, items = erasure.project, [row.item_id for row in ready]
    images = [image for row in ready for image in row.images]
    hashes = dict(Image.objects.filter(pk__in=images).values_list("pk", "sha256"))
    names = {name for row in ready for name in _names(row)}
    truth.forget_texts(items)
    wiping.wipe_words_on(project, decisions=frontier.forget(items))
    wiping.wipe_texts(project, hashes=list(hashes.values()), names=sorted(names))
    said = metadata.ever_said(items)
    wiping.wipe_metadata(items)
    explorer.forget_places(project=project, item_ids=items, hashes=list(hashes.values()))
    known_by = KnownBy(project, names=names | set(hashes.values()), said=said)
    forget_views_of(project=project, gone=known_by)
    forget_searches_of(project=project, gone=known_by)
    forget_imported(project=project, items=items, hashes=list(hashes.values()), names=names)
    for over in searches_swept(project):
        if known_by.is_meant_by(over):
            forget_search(project=project, over=over)
    stay = _that_stay(erasure, images)
    gone = 0
    left: set[int] = set()
    for row in ready:
        try:
            stays = [
                image
                for image in row.images
                if image in stay or not wiping.wipe_image(image, project=project)
            ]
        except NotYet as why:
            _wait(row, str(why))
            continue
        left.update(set(row.images).difference(stays))
        row.images, row.kept, row.stays, row.gone_at = [], {}, bool(stays), timezone.now()
        row.save(update_fields=["images", "kept", "stays", "gone_at"])
        gone += 1
    inspections.forget_photos([hashes[image] for image in left if image in hashes])
    return gone


def _staged_is_gone(row: ErasedPhoto) -> bool:
    try:
        wiping.wipe_staged(row.kept["files"])
    except NotYet as why:
        _wait(row, str(why))
        return False
    return True


def _wait(row: ErasedPhoto, why: str) -> None:
    logger.warning("photo %s is not erased yet: %s", row.item_id, why)
    ErasedPhoto.objects.filter(pk=row.pk).update(waits_for=why[:300])


def _names(row: ErasedPhoto) -> set[str]:
    """The photo's, with and without the folders in which it lay."""
    whole = {row.kept["name"], *(file["name"] for file in row.kept["files"])}
    return {name for each in whole for name in (each, each.rpartition("/")[2]) if name}


def _forget_vectors(erasure: Erasure) -> None:
    """Of all photos at once, for whole shards are written anew."""
    images = [image for mine in erasure.photos.held().values_list("images", flat=True) for image in mine]
    going = set(images) - _that_stay(erasure, images)
    forget_vectors(list(Image.objects.filter(pk__in=going).values_list("sha256", flat=True)))


def _that_stay(erasure: Erasure, images: Sequence[int]) -> set[int]:
    """Those that somebody still names, or that another request may yet bring back."""
    others = ErasedPhoto.objects.held().filter(images__overlap=list(images)).exclude(erasure=erasure)
    held = {image for mine in others.values_list("images", flat=True) for image in mine}
    return wiping.named_by(images) | (held & set(images))


@transaction.atomic
def _finish(erasure: Erasure) -> None:
    if erasure.scope == Scope.SOURCE:
        wiping.wipe_source(erasure.project, erasure.source)
    erasure.source, erasure.gone_at = "", timezone.now()
    erasure.save(update_fields=["source", "gone_at"])
    log_activity(
        project=erasure.project,
        kind="erasure_done",
        erasure=str(erasure.pk),
        photos=erasure.photos.filter(gone_at__isnull=False).count(),
    )
