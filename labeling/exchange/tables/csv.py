"""CSV that a spreadsheet opens rightly: it knows the letters, and runs nothing that a labeler typed."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from labeling.exchange.tables.format import Format, Rows

#: A spreadsheet takes a cell that starts with one of these for a formula, or eats the first character.
#: The wide ones are the same to an Excel that is set to an East Asian language.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def written(chunks: Rows, columns: tuple[str, ...]) -> Iterator[bytes]:
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    buffer.write("\ufeff")  # without it Excel takes the file for the Windows code page: in Korea 앞면 is 쎻硫
    writer.writerow(columns)
    for rows in chunks:
        writer.writerows([_cell(row[name]) for name in columns] for row in rows)
        yield _drain(buffer)
    if rest := _drain(buffer):
        yield rest


def _drain(buffer: io.StringIO) -> bytes:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text.encode()


def _cell(value: Any) -> Any:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case datetime():
            return value.isoformat()
        case dict() | list():
            return json.dumps(value, ensure_ascii=False)
        case str() if value.startswith(FORMULA):
            return "'" + value
    return value


FORMAT = Format("text/csv; charset=utf-8", "with a header row", written)
