"""One JSON object a line."""

from __future__ import annotations

from collections.abc import Iterator

from labeling.exchange.format import SAYS, Format
from labeling.exchange.formats.table import cells, columns_of
from labeling.exchange.tables import jsonl
from labeling.exchange.writing import Written


def write(written: Written) -> Iterator[bytes]:
    rows = ([cells(row) for row in rows] for rows in written.chunks())
    return jsonl.written(rows, columns_of(written.data_set))


FORMAT = Format("JSONL", "jsonl", jsonl.FORMAT.content_type, frozenset(SAYS), write)
