"""A JSON array of flat objects: Label Studio's JSON-min, or what a data frame writes (``orient="records"``)."""

from __future__ import annotations

from collections.abc import Iterator

from labeling.exchange.imports import table
from labeling.exchange.imports.package import Package
from labeling.exchange.imports.reader import Columns, Fields, Reader, Said


def rows(package: Package, name: str) -> table.Rows:
    for number, row in enumerate(package.items(name, "item"), start=1):
        yield f"row {number}", row if isinstance(row, dict) else None


def _files(package: Package) -> list[str]:
    return [name for name in package.ending_in(".json") if package.begins(name)[0] == "array"]


def recognises(package: Package) -> bool:
    return bool(_files(package))


def fields(package: Package) -> Fields:
    return table.fields(rows(package, _files(package)[0]))


def read(package: Package, columns: Columns) -> Iterator[Said]:
    return table.said(package, _files(package), rows, table.chosen(columns, fields(package)))


READER = Reader("JSON rows, Label Studio JSON-min", recognises, read, fields)
