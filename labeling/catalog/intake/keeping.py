"""What was found of an intake's files is written: images, photos of the project, and what became of each file."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db import transaction

from config.postgres.outages import is_disk_full, is_outage
from labeling.catalog import events, photos, set_aside, storage, twins
from labeling.catalog.images import add_items, row_fields
from labeling.catalog.metadata import values as metadata
from labeling.catalog.models import (
    Image,
    IntakeBatch,
    IntakeFile,
    IntakeOutcome,
    Item,
    NearDuplicates,
)

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Found:
    """What is known of one file: its hash or why it was refused; the photo, where it is a new image."""

    row: IntakeFile
    sha256: str = ""
    refused: str = ""
    photo: photos.Photo | None = None
    looked_at: bool = False
    put_back: bool = False


def settle(batch: IntakeBatch, found: Sequence[Found]) -> int:
    """Write what was found of these files; return how many files that were.

    A photo that cannot be stored, whatever the reason, is refused: it must not stop the others.
    """
    storage.flush()
    try:
        return _store(batch, found)
    except Exception as error:
        _raise_what_is_no_photos_fault(error)
        logger.exception("%d files of an intake could not be stored together; storing one by one", len(found))
    return sum(_settle_alone(batch, one) for one in found)


def _settle_alone(batch: IntakeBatch, one: Found) -> int:
    try:
        return _store(batch, [one])
    except Exception as error:
        _raise_what_is_no_photos_fault(error)
        logger.exception("the file %r of an intake could not be stored", one.row.name)
        one.refused, one.photo = "not_stored", None
        return _store(batch, [one])


def _raise_what_is_no_photos_fault(error: Exception) -> None:
    """A database or disk in trouble: the job ends, and goes on with the same files later."""
    if is_outage(error) or is_disk_full(error):
        raise error


@transaction.atomic
def _store(batch: IntakeBatch, found: Sequence[Found]) -> int:
    """Write images, items and outcomes, all or none."""
    new = {one.sha256: one.photo for one in found if one.photo is not None and not one.refused}
    # In the order of hashes, so that two intakes with the same new photos wait for each other, not deadlock.
    Image.objects.bulk_create(
        [Image(sha256=sha256, **row_fields(photo)) for sha256, photo in sorted(new.items())],
        ignore_conflicts=True,
    )
    images = {
        image.sha256: image
        for image in Image.objects.filter(sha256__in=[one.sha256 for one in found if not one.refused])
    }
    aside: set[int] = set()
    if batch.project.near_duplicates != NearDuplicates.GROUP:
        new_here = dict.fromkeys(one.sha256 for one in found if not one.refused)
        aside = twins.late(batch.project, [images[sha256] for sha256 in new_here])
    offered: dict[str, IntakeFile] = {}
    for one in found:
        if not one.refused:
            offered.setdefault(one.sha256, one.row)
    items = add_items(
        project=batch.project,
        images=[
            (images[sha256], row.name) for sha256, row in offered.items() if images[sha256].pk not in aside
        ],
        source=batch.source,
    )
    added = {item.image_id for item in items}
    set_aside.remember(batch.project, [image for image in images.values() if image.pk in aside])
    if any(one.put_back for one in found):
        events.photos_put_back.send(sender=Image, project=batch.project)
    left_out = _keep_metadata(batch, found, images)
    outcomes: dict[tuple[str, str], list[int]] = {}
    refused: list[Found] = []
    for one in found:
        outcome, reason = IntakeOutcome.REFUSED, one.refused
        if not one.refused:
            one.row.image = images[one.sha256]
            is_first = offered[one.sha256] is one.row
            if is_first and one.row.image.pk in added:
                outcome = IntakeOutcome.ADDED
            elif one.row.image.pk in aside and batch.project.near_duplicates == NearDuplicates.ASIDE:
                reason = set_aside.REASON
            else:
                outcome = IntakeOutcome.DUPLICATE
        if reason:
            refused.append(one)
        outcomes.setdefault((outcome, reason), []).append(one.row.pk)
    # Few outcomes, many rows: one update an outcome is several times cheaper than a CASE over every row and column.
    for (outcome_of_all, reason), row_ids in outcomes.items():
        detail = photos.advice(reason)[:400] if reason else ""
        IntakeFile.objects.filter(pk__in=row_ids).update(
            outcome=outcome_of_all, reason=reason, detail=detail, metadata=None
        )
    IntakeFile.objects.bulk_update([one.row for one in found if not one.refused], ["image"])
    told = [one for one in refused if one.sha256 and one.row.sha256 != one.sha256]
    for one in told:  # whoever asks by the hash hears the reason
        one.row.sha256 = one.sha256
    IntakeFile.objects.bulk_update([one.row for one in told], ["sha256"])
    IntakeFile.objects.filter(pk__in=left_out).update(detail=photos.advice("metadata_bounds")[:400])
    return len(found)


def _keep_metadata(batch: IntakeBatch, found: Sequence[Found], images: Mapping[str, Image]) -> list[int]:
    """Also of photos that are here already; ids of the files of which it is too much."""
    said = {
        images[one.sha256].pk: one.row for one in found if not one.refused and one.row.metadata is not None
    }
    if not said:
        return []
    items = dict(Item.objects.filter(project=batch.project, image__in=said).values_list("pk", "image_id"))
    left = metadata.put(
        project=batch.project,
        given={item: said[image].metadata or {} for item, image in items.items()},
        by=batch.created_by,
        origin=batch.source,
    )
    return [said[items[item]].pk for item in left]
