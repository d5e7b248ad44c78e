"""What an intake or a watched source holds, listed: a row a file before any of them is looked at."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path

from django.conf import settings
from django.db import transaction

from labeling.catalog import photos
from labeling.catalog.intake.handing_in import staging_of
from labeling.catalog.metadata.tables import Tables, is_table
from labeling.catalog.models import (
    IntakeBatch,
    IntakeFile,
    IntakeKind,
    IntakeOutcome,
    WatchedSource,
)
from labeling.catalog.name_encodings import LONGEST_NAME
from labeling.catalog.photos import PhotoRefused
from labeling.catalog.sources.errors import SourceError
from labeling.catalog.sources.remote import UrlTable
from labeling.catalog.sources.source import Archive, Listed, ServerFolder, Source, StagedFiles
from labeling.store.folders import STAGING

#: Rows that are written at once.
LISTED_AT_ONCE = 2000


def source_of(batch: IntakeBatch, args: dict[str, object]) -> Source:
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
        from labeling.catalog.sources.bucket import Bucket
    except ImportError as error:
        raise SourceError("buckets_unread") from error
    return Bucket(address)


@transaction.atomic
def list_once(batch: IntakeBatch, source: Source) -> None:
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
