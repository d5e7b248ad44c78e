"""A row as cells of a table: what a format without photos says of each."""

from __future__ import annotations

from typing import Any

from labeling.exchange.rows import Row

COLUMNS = (
    "sha256", "class", "split", "name", "source", "origin", "promise", "stated", "guideline", "settled_at",
)  # fmt: skip


def cells(row: Row) -> dict[str, Any]:
    """Of each column of :data:`COLUMNS`."""
    return {name: row.label if name == "class" else getattr(row, name) for name in COLUMNS}
