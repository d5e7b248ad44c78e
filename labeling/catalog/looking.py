"""A look at a watched source: what is new or changed there becomes an intake, what is gone is told. Nothing is deleted.

What is there is listed into a table of the transaction, and compared with what was taken in last: few statements, however
many files. All is written in this transaction, so a look that is killed begins again; the intake goes on where it was.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from labeling.catalog import events, stored
from labeling.catalog.activity import log_activity
from labeling.catalog.erased import STANDS_FOR
from labeling.catalog.intake.handing_in import enqueue
from labeling.catalog.intake.listing import LISTED_AT_ONCE, as_row, open_watched, read_table
from labeling.catalog.metadata.tables import NAME, Tables, is_table
from labeling.catalog.models import IntakeBatch, IntakeFile, WatchedFile, WatchedSource
from labeling.catalog.sources.errors import SourceError
from labeling.catalog.sources.source import Listed, Source
from labeling.catalog.watched import name_of
from labeling.database import locks
from labeling.database.rows import rows
from labeling.jobs.progress import JobError, Progress

#: Reasons of a refusal that may be gone at the next look, though the file is the same.
PASSING = ["bucket_no_answer", "missing", "not_stored"]

_COLUMNS = "path, name, refused, raw, version"
_LIST = """
CREATE TEMPORARY TABLE listed (
    path text PRIMARY KEY, name text NOT NULL, refused text NOT NULL, raw bytea, version text NOT NULL, was bigint,
    wanted boolean NOT NULL DEFAULT false
)"""
# Of what was erased neither path nor version is known, only what stands for them.
_COMPARE = f"""
UPDATE listed l SET was = coalesce(w.id, e.id), wanted = CASE
    WHEN w.id IS NULL THEN e.id IS NULL OR e.version <> {STANDS_FOR.format("l.version")}
    ELSE w.version <> l.version OR l.version <> '' AND coalesce(f.reason = ANY(%(passing)s), false) END
FROM listed each
LEFT JOIN catalog_watchedfile e ON e.source_id = %(source)s AND e.path = {STANDS_FOR.format("each.path")}
LEFT JOIN catalog_watchedfile w ON w.source_id = %(source)s AND w.path = each.path
LEFT JOIN catalog_intakefile f ON f.id = w.file_id AND f.outcome = 'refused'
WHERE each.path = l.path"""
#: A folder that could not be entered hides what is in it: that is not gone.
_GONE = """
UPDATE catalog_watchedfile w SET gone_at = %(now)s
WHERE w.source_id = %(source)s AND w.gone_at IS NULL
  AND EXISTS (SELECT 1 FROM catalog_intakefile f WHERE f.id = w.file_id AND f.image_id IS NOT NULL)
  AND NOT EXISTS (SELECT 1 FROM listed l WHERE l.path = w.path)
  AND NOT EXISTS (SELECT 1 FROM listed l WHERE l.refused = 'folder_unreadable' AND starts_with(w.path, l.path || '/'))"""
_BACK = """
UPDATE catalog_watchedfile w SET gone_at = NULL
WHERE w.source_id = %(source)s AND w.gone_at IS NOT NULL AND EXISTS (SELECT 1 FROM listed l WHERE l.path = w.path)"""
#: Photos that this look has to tell something of, once what is gone is marked and before what is back is.
_AFFECTED = """
SELECT DISTINCT i.sha256 FROM catalog_watchedfile w
JOIN catalog_intakefile f ON f.id = w.file_id JOIN catalog_image i ON i.id = f.image_id
LEFT JOIN listed l ON l.path = w.path
WHERE w.source_id = %(source)s AND (w.gone_at = %(now)s OR w.gone_at IS NOT NULL AND l.path IS NOT NULL OR l.wanted)
LIMIT %(most)s"""
#: So many of them are read at once, where they stay in the bucket; each night's share of all photos finds the others.
_READ_AT_ONCE = 500


@dataclass
class Seen:
    """``counts``: fields of the source. ``batch``: the intake of what is new or changed, if something is.

    ``affected``: hashes of photos that stay there, and are gone, back or others than they were.
    """

    counts: dict[str, int] = field(default_factory=dict)
    batch: IntakeBatch | None = None
    affected: list[str] = field(default_factory=list)


def look(progress: Progress) -> dict[str, Any]:
    """Do the job; return the counts, and the intake that it began."""
    source = (
        WatchedSource.objects.select_related("project", "created_by")
        .filter(pk=progress.args["source"], removed_at__isnull=True)
        .first()
    )
    if source is None:
        raise JobError(gettext_noop("This source is not watched any more."))
    progress.report(0, 1, "Looking at what is there")
    try:
        opened = open_watched(source.kind, source.address)
        try:
            seen = _look(source, opened)
        finally:
            opened.close()
    except SourceError as error:
        WatchedSource.objects.filter(pk=source.pk).update(looked_at=timezone.now(), error=str(error)[:400])
        raise JobError(str(error)) from None
    if source.referenced:
        stored.check_some(seen.affected)
        if source.error or seen.affected:  # what could not be had meanwhile was not embedded
            with transaction.atomic():
                events.photos_put_back.send(sender=WatchedSource, project=source.project)
    progress.report(1, 1, "")
    return seen.counts | ({"intake": str(seen.batch.pk)} if seen.batch else {})


@transaction.atomic
def _look(source: WatchedSource, opened: Source) -> Seen:
    # Not the row's own lock, for which whoever pauses the source would have to wait.
    locks.hold_name("look", str(source.pk))
    seen = Seen()
    given: dict[str, Any] = {
        "source": source.pk,
        "now": timezone.now(),
        "passing": PASSING,
        "most": _READ_AT_ONCE,
    }
    with connection.cursor() as cursor:
        cursor.execute(_LIST)
        with cursor.copy(f"COPY listed ({_COLUMNS}) FROM STDIN") as copy:  # type: ignore[attr-defined]
            for each in opened.listing():
                copy.write_row((each.path, each.name, each.refused, each.raw, each.version))
        cursor.execute("ANALYZE listed")
        cursor.execute(_COMPARE, given)
        cursor.execute(_GONE, given)
        if source.referenced:
            seen.affected = [sha256 for (sha256,) in rows(_AFFECTED, given)]
        cursor.execute(_BACK, given)
    ((there, new, wanted),) = rows(
        "SELECT count(*), count(*) - count(was), count(*) FILTER (WHERE wanted) FROM listed"
    )
    gone = WatchedFile.objects.filter(source=source, gone_at__isnull=False).count()
    seen.counts = {"there": there, "new": new, "changed": wanted - new, "gone": gone}
    if wanted and WatchedSource.objects.filter(pk=source.pk, removed_at__isnull=True).exists():
        seen.batch = _begin(source, opened)
    WatchedSource.objects.filter(pk=source.pk).update(looked_at=given["now"], error="", **seen.counts)
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE listed")
    return seen


def _begin(source: WatchedSource, opened: Source) -> IntakeBatch:
    reading = opened.reading
    batch = IntakeBatch.objects.create(
        project=source.project,
        kind=source.kind,
        source=name_of(source),
        encoding=reading.encoding if reading else "",
        encoding_guessed=bool(reading and reading.guessed),
        created_by=source.created_by,
        watched=source,
    )
    tables, changed = Tables(), Tables()
    for path, table, wanted in rows(
        "SELECT path, name, wanted FROM listed WHERE lower(name) LIKE %s", [f"%{NAME}"]
    ):
        if is_table(table):
            for told in [tables, changed] if wanted else [tables]:
                read_table(told, table, path, opened)
    # What a table says anew of photos that are here is kept when their files are looked at once more.
    for (named,) in rows(
        "UPDATE listed SET wanted = true WHERE name = ANY(%s) RETURNING name", [changed.names]
    ):
        changed.of(named)
    with connection.chunked_cursor() as cursor:
        cursor.execute(f"SELECT {_COLUMNS} FROM listed WHERE wanted ORDER BY path")
        while part := cursor.fetchmany(LISTED_AT_ONCE):
            _take(source, batch, [_listed(row) for row in part], tables)
    IntakeFile.objects.bulk_create(
        as_row(batch, Listed(line.name, line.path, line.refused)) for line in changed.bad
    )
    where: dict[str, Any] = {"address": source.address}
    if source.kind == WatchedSource.Kind.FOLDER:
        where = {"folder": str(opened.folder), "roots": [str(root) for root in opened.roots]}  # type: ignore[attr-defined]
    enqueue(batch, source.created_by, {"batch": str(batch.pk), **where})
    log_activity(
        project=source.project,
        kind="intake_started",
        actor=source.created_by,
        batch=str(batch.pk),
        source=batch.source,
    )
    return batch


def _take(source: WatchedSource, batch: IntakeBatch, some: list[Listed], tables: Tables) -> None:
    rows = IntakeFile.objects.bulk_create(
        as_row(batch, each, tables) for each in some if each.refused or not is_table(each.name)
    )
    by_path = {row.path: row for row in rows}
    WatchedFile.objects.bulk_create(
        [
            WatchedFile(source=source, path=each.path, version=each.version, file=by_path.get(each.path))
            for each in some
        ],
        update_conflicts=True,
        unique_fields=["source", "path"],
        update_fields=["version", "file"],
    )


def _listed(row: tuple[Any, ...]) -> Listed:
    path, name, refused, raw, version = row
    return Listed(name, path, refused, None if raw is None else bytes(raw), version=version)
