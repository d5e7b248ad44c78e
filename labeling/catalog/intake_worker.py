"""Photos are taken in: the worker's side. Goes through a batch's pending files, a chunk and a transaction at a time.

After ``kill -9`` the job starts again and finds the unfinished chunk pending. Files of that chunk that had reached
the storage are written to the same names again, so doing a chunk twice changes nothing.
"""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TypeVar

from django.conf import settings
from django.db import transaction
from django.db.models import Count
from django.utils.translation import gettext_noop

from config.postgres.outages import is_disk_full, is_outage
from inference.photo import Levels
from labeling.catalog import erased, events, metadata, photos, set_aside, storage, twins
from labeling.catalog.activity import log_activity
from labeling.catalog.images import add_items, decoded, row_fields
from labeling.catalog.intake import free_staging, staging_of
from labeling.catalog.metadata_tables import Tables, is_table
from labeling.catalog.models import (
    Image,
    IntakeBatch,
    IntakeFile,
    IntakeKind,
    IntakeOutcome,
    Item,
    NearDuplicates,
    WatchedSource,
)
from labeling.catalog.name_encodings import LONGEST_NAME
from labeling.catalog.photos import PhotoRefused
from labeling.catalog.references import Place
from labeling.catalog.remote_sources import Remote, UrlTable
from labeling.catalog.source_errors import SourceError
from labeling.catalog.sources import Archive, Listed, ServerFolder, Source, StagedFiles
from labeling.catalog.taking_out import blank_files
from labeling.catalog.uploaded_tables import TABLES, read_uploaded
from labeling.jobs.progress import Cancelled, JobError, Progress
from labeling.store import objects
from labeling.store.folders import STAGING

logger = logging.getLogger(__name__)

CHUNK = 100
#: The first photos should be labelable at once, so the first chunk is a small one.
FIRST_CHUNK = 20
LISTED_AT_ONCE = 2000

Given = TypeVar("Given")
Made = TypeVar("Made")


@dataclass(slots=True)
class _Found:
    """What is known of one file: its hash or why it was refused; the photo, where it is a new image."""

    row: IntakeFile
    sha256: str = ""
    refused: str = ""
    photo: photos.Photo | None = None
    looked_at: bool = False
    put_back: bool = False


def work_through(progress: Progress) -> dict[str, int]:
    """Do the intake job; return how many files were added, were there already, and were refused."""
    args = progress.args
    batch = IntakeBatch.objects.select_related("project").filter(pk=str(args["batch"])).first()
    if batch is None:
        raise JobError(gettext_noop("The batch of this intake is gone. Send the photos again."))
    if _is_finished(batch) and TABLES not in args:
        return _finish(batch)
    try:
        source = _source(batch, args)
        try:
            if isinstance(source, StagedFiles):
                read_uploaded(batch, source, args)
            _list_once(batch, source)
            _work(batch, source, progress)
        finally:
            source.close()
    except SourceError as error:
        if batch.kind in {IntakeKind.ZIP, IntakeKind.URLS}:
            free_staging(batch.pk)  # of no use any more
        raise JobError(str(error)) from None
    return _finish(batch)


def _source(batch: IntakeBatch, args: dict[str, object]) -> Source:
    if batch.kind == IntakeKind.FOLDER:
        roots = args.get("roots")
        return ServerFolder(
            Path(str(args["folder"])),
            [Path(p) for p in roots] if isinstance(roots, list) else [],
            batch.encoding,
        )
    if batch.kind == IntakeKind.BUCKET:
        return open_watched(WatchedSource.Kind.BUCKET, str(args["address"]))
    staged = staging_of(batch.pk)
    with suppress(FileNotFoundError):  # whoever reads it says what is missing
        staged = STAGING.get(staged.name)
    if batch.kind == IntakeKind.URLS:
        return UrlTable(staged)
    return Archive(staged, batch.encoding) if batch.kind == IntakeKind.ZIP else StagedFiles(staged)


def open_watched(kind: str, address: str) -> Source:
    """The folder or bucket of a :class:`WatchedSource`. Raises :class:`SourceError`."""
    if kind == WatchedSource.Kind.FOLDER:
        return ServerFolder(Path(address), [Path(root) for root in settings.INTAKE_ROOTS])
    try:
        from labeling.catalog.bucket_source import Bucket
    except ImportError as error:
        raise SourceError("buckets_unread") from error
    return Bucket(address)


def _is_finished(batch: IntakeBatch) -> bool:
    return batch.files.exists() and not batch.files.filter(outcome=IntakeOutcome.PENDING).exists()


@transaction.atomic
def _list_once(batch: IntakeBatch, source: Source) -> None:
    """Write a row a file, all or none: a job killed while listing lists again."""
    if batch.watched_id or batch.files.exists():  # a look has listed what is new
        return
    rows = _rows(batch, source)
    empty = True
    while some := list(islice(rows, LISTED_AT_ONCE)):
        empty = False
        IntakeFile.objects.bulk_create(some)
    if empty:
        raise SourceError("empty")
    reading = source.reading
    batch.encoding, batch.encoding_guessed = (reading.encoding, reading.guessed) if reading else ("", False)
    batch.save(update_fields=["encoding", "encoding_guessed"])


def _rows(batch: IntakeBatch, source: Source) -> Iterator[IntakeFile]:
    tables = Tables()
    for listed in source.listing():
        if is_table(listed.name) and not listed.refused:
            read_table(tables, listed.name, listed.path, source)
    for listed in source.listing():
        if listed.refused or not is_table(listed.name):
            yield as_row(batch, listed, tables)
    for line in tables.bad:
        yield as_row(batch, Listed(line.name, line.path, line.refused))


def read_table(tables: Tables, name: str, path: str, source: Source) -> None:
    try:
        tables.add(name, path, source.read(path))
    except PhotoRefused as refusal:
        tables.refuse(name, path, refusal.code)


def as_row(batch: IntakeBatch, listed: Listed, tables: Tables | None = None) -> IntakeFile:
    return IntakeFile(
        batch=batch,
        name=listed.name or listed.path[-LONGEST_NAME:],
        name_bytes=listed.raw,
        path=listed.path,
        outcome=IntakeOutcome.REFUSED if listed.refused else IntakeOutcome.PENDING,
        reason=listed.refused,
        detail=photos.advice(listed.refused) if listed.refused else "",
        metadata=listed.metadata or (tables.of(listed.name) if tables else None),
    )


def _work(batch: IntakeBatch, source: Source, progress: Progress) -> None:
    total = batch.files.count()
    done = total - batch.files.filter(outcome=IntakeOutcome.PENDING).count()
    progress.report(done, total, "Looking at the photos")
    # While some wait for what is elsewhere, others decode.
    waits = objects.is_remote() or isinstance(source, Remote)
    threads = objects.AT_ONCE if waits else max(2, os.cpu_count() or 1)
    with ThreadPoolExecutor(max_workers=threads, thread_name_prefix="intake") as pool:
        size = FIRST_CHUNK
        while rows := list(batch.files.filter(outcome=IntakeOutcome.PENDING).order_by("id")[:size]):
            stopped = False
            found: list[_Found] = []
            before = done

            def look(finished: int, before: int = before) -> None:
                progress.report(before + finished, total)

            try:
                found = _hash(pool, source, rows)
                _keep_out(batch, found)
                _look_at(pool, source, found, look, batch.project.decoded_with, _stays_at(batch, source))
            except Cancelled:
                stopped = True  # first keep what was done, then stop
            done += _settle(batch, [one for one in found if one.refused or one.looked_at])
            if isinstance(source, Remote):
                source.let_go()
            if stopped:
                raise Cancelled
            progress.report(done, total)
            progress.check()
            size = CHUNK
    progress.report(total, total, "")


def _hash(pool: ThreadPoolExecutor, source: Source, rows: Sequence[IntakeFile]) -> list[_Found]:
    def hash_one(row: IntakeFile) -> _Found:
        try:
            sha256 = hashlib.sha256(source.read(row.path)).hexdigest()
            if row.sha256 not in ("", sha256):  # the hash that the web process took of what was sent
                return _Found(row, refused="truncated")
            return _Found(row, sha256=sha256)
        except PhotoRefused as refusal:
            return _Found(row, refused=refusal.code)
        except Exception:
            logger.exception("a file of an intake could not be read")
            return _Found(row, refused="unreadable")

    return list(pool.map(hash_one, rows))


def _keep_out(batch: IntakeBatch, found: Sequence[_Found]) -> None:
    """What was erased is refused before its bytes are stored, and neither its name nor its hash is kept again."""
    listed = erased.listed(batch.project, {one.sha256 for one in found if one.sha256})
    gone = [one for one in found if one.sha256 in listed]
    for one in gone:
        one.refused, one.sha256 = erased.REASON, ""
    blank_files([one.row.pk for one in gone])
    erased.forget_watched([one.row.pk for one in gone])


def _stays_at(batch: IntakeBatch, source: Source) -> Callable[[str], Place] | None:
    """By a file's path, where the photo stays; ``None``: photos are copied."""
    stays = batch.watched is not None and batch.watched.referenced
    return source.place if stays else None  # type: ignore[attr-defined]


def _look_at(
    pool: ThreadPoolExecutor,
    source: Source,
    found: Sequence[_Found],
    look: Callable[[int], None],
    levels: Levels,
    stays_at: Callable[[str], Place] | None,
) -> None:
    """Decode and store what is no image yet, and what the storage has lost since, or was only referred to.

    Bytes are read a second time: a chunk of them may not fit in memory.
    """
    known = set(
        Image.objects.filter(sha256__in=[one.sha256 for one in found if one.sha256]).values_list(
            "sha256", flat=True
        )
    )
    first: dict[str, _Found] = {}
    for one in found:
        if one.sha256:
            first.setdefault(one.sha256, one)

    def keep(one: _Found, data: bytes, renditions: dict[str, bytes]) -> None:
        if stays_at is None:
            storage.keep(one.sha256, data, renditions, levels, at_once=False)
        else:
            where = stays_at(one.row.path)
            storage.refer(one.sha256, len(data), where, renditions, levels, at_once=False)

    def look_at_one(one: _Found) -> _Found:
        try:
            if one.sha256 not in known:
                data = source.read(one.row.path)
                one.photo = decoded(photos.examine, data, levels)
                # The hash of these very bytes: a folder's file may have changed since it was hashed.
                one.sha256 = hashlib.sha256(data).hexdigest()
                keep(one, data, one.photo.renditions)
                one.photo.renditions.clear()
            elif not storage.is_whole(one.sha256, levels, here=stays_at is None):
                data = source.read(one.row.path)
                one.sha256 = hashlib.sha256(data).hexdigest()
                keep(one, data, decoded(photos.render, data, levels))
                one.put_back = True
            one.looked_at = True
        except PhotoRefused as refusal:
            one.refused = refusal.code
        return one

    for finished, one in enumerate(_as_done(pool, look_at_one, first.values()), start=1):
        for twin in found:
            if twin is not one and not twin.looked_at and not twin.refused and first.get(twin.sha256) is one:
                twin.sha256, twin.refused, twin.looked_at = one.sha256, one.refused, one.looked_at
        look(finished)


def _as_done(pool: ThreadPoolExecutor, do: Callable[[Given], Made], given: Iterable[Given]) -> Iterator[Made]:
    """Results in order; what has not begun is dropped when the caller stops early."""
    futures = [pool.submit(do, one) for one in given]
    try:
        for future in futures:
            yield future.result()
    finally:
        for future in futures:
            future.cancel()


def _settle(batch: IntakeBatch, found: Sequence[_Found]) -> int:
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


def _settle_alone(batch: IntakeBatch, one: _Found) -> int:
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
def _store(batch: IntakeBatch, found: Sequence[_Found]) -> int:
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
    refused: list[_Found] = []
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


def _keep_metadata(batch: IntakeBatch, found: Sequence[_Found], images: Mapping[str, Image]) -> list[int]:
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


def _finish(batch: IntakeBatch) -> dict[str, int]:
    counts = dict.fromkeys(("added", "duplicate", "refused"), 0)
    counted = batch.files.order_by().values_list("outcome").annotate(n=Count("id"))
    counts |= {outcome: n for outcome, n in counted if outcome in counts}
    free_staging(batch.pk)
    log_activity(
        project=batch.project,
        kind="intake_finished",
        actor=batch.created_by,
        batch=str(batch.pk),
        source=batch.source,
        **counts,
    )
    return counts
