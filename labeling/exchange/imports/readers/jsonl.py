"""One JSON object a line."""

from __future__ import annotations

import json
from collections.abc import Iterator

from labeling.exchange.imports import table
from labeling.exchange.imports.package import Package
from labeling.exchange.imports.reader import Columns, Fields, Reader, Said

_LONGEST_LINE = 2**20
_ENDINGS = (".jsonl", ".ndjson")


def rows(package: Package, name: str) -> table.Rows:
    with package.open(name) as file:
        number = 0
        while line := file.readline(_LONGEST_LINE):
            number += 1
            whole = line.endswith(b"\n") or len(line) < _LONGEST_LINE
            while not whole:  # the rest of a line that nobody wrote by hand
                rest = file.readline(_LONGEST_LINE)
                whole = not rest or rest.endswith(b"\n")
                line = b"?"
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except (ValueError, RecursionError):
                row = None
            yield f"line {number}", row if isinstance(row, dict) else None


def recognises(package: Package) -> bool:
    return bool(package.ending_in(*_ENDINGS))


def fields(package: Package) -> Fields:
    return table.fields(rows(package, package.ending_in(*_ENDINGS)[0]))


def read(package: Package, columns: Columns) -> Iterator[Said]:
    files = package.ending_in(*_ENDINGS)
    return table.said(package, files, rows, table.chosen(columns, fields(package)))


READER = Reader("JSONL", recognises, read, fields)
