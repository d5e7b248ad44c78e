"""Parquet: columns with types, also of Hugging Face ``datasets``, whose class numbers have names in the file's own notes.

https://huggingface.co/docs/datasets/about_dataset_features: an Image column is ``{bytes, path}``, a ClassLabel a number.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

from labeling.exchange.imports import table
from labeling.exchange.imports.package import Package
from labeling.exchange.imports.reader import Columns, Fields, Reader, Said, Unreadable

_AT_ONCE = 256


def rows(package: Package, name: str) -> table.Rows:
    import pyarrow as pa
    import pyarrow.parquet as pq

    with package.seekable(name) as file:
        try:
            parquet = pq.ParquetFile(file)
            names = _class_names(parquet.schema_arrow.metadata)
            number = 0
            for batch in parquet.iter_batches(batch_size=_AT_ONCE):
                for row in batch.to_pylist():
                    number += 1
                    yield (
                        f"row {number}",
                        {column: _value(value, names.get(column)) for column, value in row.items()},
                    )
        except (pa.ArrowException, OSError, ValueError) as error:
            raise Unreadable(f"{name} is no whole Parquet file ({error}). Write it again.") from None


def _class_names(metadata: dict[bytes, bytes] | None) -> dict[str, list[str]]:
    try:
        features = json.loads((metadata or {}).get(b"huggingface", b"{}"))["info"]["features"]
        return {
            name: [str(each) for each in feature["names"]]
            for name, feature in features.items()
            if isinstance(feature, dict) and feature.get("_type") == "ClassLabel"
        }
    except (KeyError, TypeError, ValueError, AttributeError):
        return {}


def _value(value: Any, names: list[str] | None) -> Any:
    if isinstance(value, dict) and isinstance(value.get("bytes"), bytes):
        return hashlib.sha256(value["bytes"]).hexdigest()
    if isinstance(value, dict) and "path" in value:
        return value["path"]
    if isinstance(value, bytes):
        return hashlib.sha256(value).hexdigest()
    if names is not None and isinstance(value, int):
        return names[value] if 0 <= value < len(names) else None
    return value


def recognises(package: Package) -> bool:
    return bool(package.ending_in(".parquet"))


def fields(package: Package) -> Fields:
    return table.fields(rows(package, package.ending_in(".parquet")[0]))


def read(package: Package, columns: Columns) -> Iterator[Said]:
    files = package.ending_in(".parquet")
    return table.said(package, files, rows, table.chosen(columns, fields(package)))


READER = Reader("Parquet", recognises, read, fields)
