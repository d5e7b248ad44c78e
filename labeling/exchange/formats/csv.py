"""A table for a spreadsheet."""

from __future__ import annotations

from collections.abc import Iterator

from labeling.exchange.format import SAYS, Format
from labeling.exchange.formats.table import COLUMNS, cells
from labeling.exchange.tables import csv
from labeling.exchange.writing import Written


def write(written: Written) -> Iterator[bytes]:
    return csv.written(([cells(row) for row in rows] for rows in written.chunks()), COLUMNS)


FORMAT = Format("CSV", "csv", csv.FORMAT.content_type, frozenset(SAYS), write)
