"""``metadata.csv`` among uploads: the web process stages it and the worker reads it, which may take seconds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from labeling.catalog.metadata.tables import Tables
from labeling.catalog.models import IntakeBatch, IntakeFile, IntakeOutcome
from labeling.catalog.photos import PhotoRefused, advice
from labeling.catalog.sources.source import StagedFiles
from labeling.store.folders import STAGING

#: In a job's args: [name, path] of each table; and, under the other, that they tell of files of other uploads, too.
TABLES, PARTIAL = "tables", "partial"
CHUNK = 2_000


def read_uploaded(batch: IntakeBatch, source: StagedFiles, args: Mapping[str, Any]) -> None:
    """Tell the photos of an upload what its tables say of them, and list the rows that cannot be taken.

    Before any of them is looked at, and once: a table that was read is removed.
    """
    waiting = [(name, path) for name, path in args.get(TABLES, []) if (source.folder / path).exists()]
    if not waiting:
        return
    tables = Tables()
    for name, path in waiting:
        try:
            tables.add(name, path, source.read(path))
        except PhotoRefused as refusal:
            tables.refuse(name, path, refusal.code)
    _tell(batch, tables, is_partial=bool(args.get(PARTIAL)))
    for _name, path in waiting:
        STAGING.drop_file(str(batch.pk), path)


@transaction.atomic
def _tell(batch: IntakeBatch, tables: Tables, *, is_partial: bool) -> None:
    last = 0
    while some := list(batch.files.filter(pk__gt=last).order_by("pk")[:CHUNK]):
        last = some[-1].pk
        for row in some:
            row.metadata = tables.of(row.name)
        IntakeFile.objects.bulk_update([row for row in some if row.metadata is not None], ["metadata"])
    IntakeFile.objects.bulk_create(
        [
            IntakeFile(
                batch=batch,
                name=line.name,
                path=line.path,
                outcome=IntakeOutcome.REFUSED,
                reason=line.refused,
                detail=advice(line.refused),
            )
            for line in tables.bad
            if not (is_partial and line.refused == "metadata_of_nothing")
        ],
        batch_size=CHUNK,
        ignore_conflicts=True,  # a worker ended right behind this
    )
