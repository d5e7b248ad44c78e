"""Names that came as bytes are read again, in the encoding that a person chose."""

from __future__ import annotations

from django.db import connection, transaction
from django.utils.translation import gettext as _

from labeling.catalog.activity import log_activity
from labeling.catalog.intake.handing_in import latest_job
from labeling.catalog.models import IntakeBatch, IntakeFile
from labeling.catalog.name_encodings import ENCODINGS, kept_path, read
from labeling.people.models import User
from labeling.refusals import Refused

#: Names shown of each reading.
EXAMPLES = 3
_AT_ONCE = 5_000
_RENAME_FILES = """
UPDATE catalog_intakefile file SET name = new.name
FROM unnest(%s::bigint[], %s::text[]) new (id, name) WHERE file.id = new.id
"""
# A photo that came in with another intake has its name from there.
_RENAME_ITEMS = """
UPDATE catalog_item item SET name = new.name
FROM unnest(%s::bigint[], %s::text[], %s::text[]) new (image_id, old, name)
WHERE item.project_id = %s AND item.image_id = new.image_id AND item.name = new.old
"""


def readings(batch: IntakeBatch) -> dict[str, list[str]]:
    """Encoding -> a few names of this intake as they read in it; empty where no name came as bytes."""
    if not batch.encoding:
        return {}
    strange = batch.files.filter(name_bytes__isnull=False).order_by("id")
    some = [bytes(raw or b"") for raw in strange.values_list("name_bytes", flat=True)[:EXAMPLES]]
    return (
        {encoding: [kept_path(read(raw, encoding)) for raw in some] for encoding in ENCODINGS} if some else {}
    )


@transaction.atomic
def read_names_again(*, batch: IntakeBatch, by: User, encoding: str) -> int:
    """Read the names of this intake that came as bytes in ``encoding``; return how many photos have another name now.

    Refusals: ``unknown_encoding``, ``nothing_to_read`` (422), ``still_running`` (409).
    """
    if encoding not in ENCODINGS:
        raise Refused.invalid("encoding", _("This encoding of names is not known."), code="unknown_encoding")
    job = latest_job(batch)
    if job is not None and job.is_live:
        raise Refused(
            "still_running", _("The intake is still running. Wait for its end, or cancel it first.")
        )
    strange = batch.files.filter(name_bytes__isnull=False)
    if not strange.exists():
        raise Refused.invalid(
            "encoding", _("All names of this intake said how they are meant."), code="nothing_to_read"
        )
    renamed = last = 0
    while rows := list(strange.filter(pk__gt=last).order_by("pk")[:_AT_ONCE]):
        read_anew = [(row, kept_path(read(bytes(row.name_bytes or b""), encoding))) for row in rows]
        renamed += _rename(batch, read_anew)
        last = rows[-1].pk
    batch.encoding, batch.encoding_guessed = encoding, False
    batch.save(update_fields=["encoding", "encoding_guessed"])
    log_activity(
        project=batch.project,
        kind="intake_renamed",
        actor=by,
        batch=str(batch.pk),
        files=renamed,
        source=batch.source,
    )
    return renamed


def _rename(batch: IntakeBatch, rows: list[tuple[IntakeFile, str]]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_RENAME_FILES, [[row.pk for row, _new in rows], [new for _row, new in rows]])
        held = [(row, new) for row, new in rows if row.image_id and row.name != new]
        cursor.execute(
            _RENAME_ITEMS,
            [
                [row.image_id for row, _new in held],
                [row.name for row, _new in held],
                [new for _row, new in held],
                batch.project_id,
            ],
        )
        return int(cursor.rowcount)
