"""A folder of Hugging Face ``datasets``: photos with ``metadata.csv``, ``.jsonl`` or ``.parquet``, a split a folder.

https://huggingface.co/docs/datasets/image_dataset: ``file_name`` is relative to the metadata, and every other column may be
the label.
"""

from __future__ import annotations

from collections.abc import Iterator

from labeling.exchange.imports import table
from labeling.exchange.imports.package import Package
from labeling.exchange.imports.reader import Columns, Fields, Reader, Said
from labeling.exchange.imports.readers import csv, jsonl, parquet

_ROWS = {"metadata.csv": csv.rows, "metadata.jsonl": jsonl.rows, "metadata.parquet": parquet.rows}


def _files(package: Package) -> list[str]:
    if not package.is_archive:
        return []
    tables = package.ending_in(".csv", ".jsonl", ".parquet")
    return [name for name in tables if name.rpartition("/")[2] in _ROWS]


def _rows(package: Package, name: str) -> table.Rows:
    return _ROWS[name.rpartition("/")[2]](package, name)


def recognises(package: Package) -> bool:
    return bool(_files(package))


def fields(package: Package) -> Fields:
    found = table.fields(_rows(package, _files(package)[0]))
    photo = found.names["photo"]
    return Fields(found.names | {"photo": sorted(photo, key=lambda name: name != "file_name")}, found.preview)


def read(package: Package, columns: Columns) -> Iterator[Said]:
    return table.said(package, _files(package), _rows, table.chosen(columns, fields(package)))


READER = Reader("Hugging Face datasets", recognises, read, fields)
