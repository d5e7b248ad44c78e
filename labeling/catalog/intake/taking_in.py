"""Photos are taken in: the worker's side. Goes through a batch's pending files, a chunk and a transaction at a time.

After ``kill -9`` the job starts again and finds the unfinished chunk pending. Files of that chunk that had reached
the storage are written to the same names again, so doing a chunk twice changes nothing.
"""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db.models import Count
from django.utils.translation import gettext_noop

from inference.photo import Levels
from labeling.catalog import erased, photos, storage
from labeling.catalog.activity import log_activity
from labeling.catalog.images import decoded
from labeling.catalog.intake.handing_in import free_staging
from labeling.catalog.intake.keeping import Found, settle
from labeling.catalog.intake.listing import list_once, source_of
from labeling.catalog.intake.uploaded_tables import TABLES, read_uploaded
from labeling.catalog.models import (
    Image,
    IntakeBatch,
    IntakeFile,
    IntakeKind,
    IntakeOutcome,
)
from labeling.catalog.photos import PhotoRefused
from labeling.catalog.references import Place
from labeling.catalog.sources.errors import SourceError
from labeling.catalog.sources.remote import Remote
from labeling.catalog.sources.source import Source, StagedFiles
from labeling.catalog.taking_out import blank_files
from labeling.jobs.progress import Cancelled, JobError, Progress
from labeling.store import objects

logger = logging.getLogger(__name__)

CHUNK = 100
#: The first photos should be labelable at once, so the first chunk is a small one.
FIRST_CHUNK = 20

Given = TypeVar("Given")
Made = TypeVar("Made")


def work_through(progress: Progress) -> dict[str, int]:
    """Do the intake job; return how many files were added, were there already, and were refused."""
    args = progress.args
    batch = IntakeBatch.objects.select_related("project").filter(pk=str(args["batch"])).first()
    if batch is None:
        raise JobError(gettext_noop("The batch of this intake is gone. Send the photos again."))
    if _is_finished(batch) and TABLES not in args:
        return _finish(batch)
    try:
        source = source_of(batch, args)
        try:
            if isinstance(source, StagedFiles):
                read_uploaded(batch, source, args)
            list_once(batch, source)
            _work(batch, source, progress)
        finally:
            source.close()
    except SourceError as error:
        if batch.kind in {IntakeKind.ZIP, IntakeKind.URLS}:
            free_staging(batch.pk)  # of no use any more
        raise JobError(str(error)) from None
    return _finish(batch)


def _is_finished(batch: IntakeBatch) -> bool:
    return batch.files.exists() and not batch.files.filter(outcome=IntakeOutcome.PENDING).exists()


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
            found: list[Found] = []
            before = done

            def look(finished: int, before: int = before) -> None:
                progress.report(before + finished, total)

            try:
                found = _hash(pool, source, rows)
                _keep_out(batch, found)
                _look_at(pool, source, found, look, batch.project.decoded_with, _stays_at(batch, source))
            except Cancelled:
                stopped = True  # first keep what was done, then stop
            done += settle(batch, [one for one in found if one.refused or one.looked_at])
            if isinstance(source, Remote):
                source.let_go()
            if stopped:
                raise Cancelled
            progress.report(done, total)
            progress.check()
            size = CHUNK
    progress.report(total, total, "")


def _hash(pool: ThreadPoolExecutor, source: Source, rows: Sequence[IntakeFile]) -> list[Found]:
    def hash_one(row: IntakeFile) -> Found:
        try:
            sha256 = hashlib.sha256(source.read(row.path)).hexdigest()
            if row.sha256 not in ("", sha256):  # the hash that the web process took of what was sent
                return Found(row, refused="truncated")
            return Found(row, sha256=sha256)
        except PhotoRefused as refusal:
            return Found(row, refused=refusal.code)
        except Exception:
            logger.exception("a file of an intake could not be read")
            return Found(row, refused="unreadable")

    return list(pool.map(hash_one, rows))


def _keep_out(batch: IntakeBatch, found: Sequence[Found]) -> None:
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
    found: Sequence[Found],
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
    first: dict[str, Found] = {}
    for one in found:
        if one.sha256:
            first.setdefault(one.sha256, one)

    def keep(one: Found, data: bytes, renditions: dict[str, bytes]) -> None:
        if stays_at is None:
            storage.keep(one.sha256, data, renditions, levels, at_once=False)
        else:
            where = stays_at(one.row.path)
            storage.refer(one.sha256, len(data), where, renditions, levels, at_once=False)

    def look_at_one(one: Found) -> Found:
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
