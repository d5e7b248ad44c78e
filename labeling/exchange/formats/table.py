"""A row as cells of a table: what a format without photos says of each."""

from __future__ import annotations

from typing import Any

from labeling.exchange.models import DataSet
from labeling.exchange.rows import Row

COLUMNS = (
    "sha256", "class", "split", "name", "source", "origin", "promise", "stated", "guideline", "settled_at",
)  # fmt: skip


def columns_of(data_set: DataSet) -> tuple[str, ...]:
    """:data:`COLUMNS`, and those of metadata."""
    return (*COLUMNS, *map(of_metadata, data_set.metadata))


def of_metadata(name: str) -> str:
    """How the column is called; no other begins so."""
    return f"metadata.{name}"


def cells(row: Row) -> dict[str, Any]:
    """Of each column of :func:`columns_of`."""
    cells = {name: row.label if name == "class" else getattr(row, name) for name in COLUMNS}
    return cells | {of_metadata(name): value for name, value in row.metadata.items()}
