"""What a file says becomes rows, of which each names one photo and what one person said of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

from django.db import connection
from django.utils.translation import gettext_noop

from labeling.exchange.imports.package import Package
from labeling.exchange.imports.reader import ROLES, Said, Unreadable
from labeling.exchange.imports.readers import READERS
from labeling.exchange.imports.table import chosen
from labeling.exchange.models import Import, Outcome, Use
from labeling.exchange.vocabularies import MOST_TEXTS
from labeling.jobs.progress import Progress
from labeling.text.plain import composed, plain

MOST_ROWS = 1_000_000
#: Of labels, and of annotators, that one file may tell apart: a column of names or numbers is neither.
MOST_KINDS = 500
AT_ONCE = 2000
_COPY = """
COPY exchange_importrow (of_id, place, photo, sha256, labels, annotator, fault, outcome, reason, about) FROM STDIN
"""


def read(of: Import, package: Package, progress: Progress) -> dict[str, Any]:
    """Write the rows of an import anew; what of the file a page shows, for ``Import.found``. Done twice it is done once.

    Returns ``photos`` (in the archive), ``rows``, ``labels`` and ``annotators`` (each with how many rows), ``fields`` and
    ``preview`` (:class:`~labeling.exchange.imports.reader.Fields`). Raises :class:`Unreadable`.
    """
    reader = READERS[of.format]
    fields = reader.fields(package)
    of.columns = {role: name for role, name in chosen(of.columns, fields).items() if role in ROLES}
    of.rows.all().delete()
    said = reader.read(package, of.columns)
    labels: Counter[str] = Counter()
    annotators: Counter[str] = Counter()
    total = 0
    while some := [_kept(each) for each in islice(said, AT_ONCE)]:
        total += len(some)
        if total > MOST_ROWS:
            raise Unreadable(f"It has more than {MOST_ROWS:,} rows. Split it and send the parts.")
        for row in some:
            labels.update(row.labels)
            annotators[row.annotator] += bool(row.annotator)
        most = MOST_TEXTS if of.use == Use.TEXT else MOST_KINDS
        if len(labels) > most or len(annotators) > MOST_KINDS:
            raise Unreadable(
                f"It tells more than {most} classes or annotators apart. Choose other columns, or another file."
            )
        _store(of, some)
        progress.report(total, None, gettext_noop("Reading the labels"))
        progress.check()
    if not total:
        raise Unreadable("There are no labels in it. Check what you sent, and send it again.")
    with connection.cursor() as cursor:  # else what follows is planned for a table that has no such rows
        cursor.execute("ANALYZE exchange_importrow")
    return {
        "photos": package.photo_count,
        "rows": total,
        "labels": dict(labels.most_common()),
        "annotators": {name: n for name, n in annotators.most_common() if name},
        "fields": fields.names,
        "preview": fields.preview,
    }


def recognise(package: Package) -> str:
    """The name of the format. Raises :class:`Unreadable`."""
    for name, reader in READERS.items():
        if reader.recognises(package):
            return name
    raise Unreadable(
        "This is none of the formats that come in: "
        + ", ".join(reader.title for reader in READERS.values())
        + ". Check what you sent."
    )


def _kept(said: Said) -> Said:
    return replace(
        said,
        place=_text(said.place, 200),
        photo=_text(said.photo, 400),
        labels=tuple(_text(label, 200) for label in said.labels[:20]),
        annotator=_text(said.annotator, 120),
    )


def _text(text: str, longest: int) -> str:
    """As a database can keep it: the end of a path is what tells it apart."""
    kept = composed(plain(text.encode(errors="replace").decode()))
    return kept if len(kept) <= longest else kept[-longest:]


def _store(of: Import, some: Sequence[Said]) -> None:
    """Rows that nobody has looked at, by COPY: a file has a million of them."""
    with connection.cursor() as cursor, cursor.copy(_COPY) as copy:  # type: ignore[attr-defined]
        for said in some:
            whose = (
                of.pk,
                said.place,
                said.photo,
                said.sha256,
                list(said.labels),
                said.annotator,
                said.fault,
            )
            copy.write_row((*whose, Outcome.OPEN.value, "", ""))
