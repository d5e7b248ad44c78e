"""One JSON object a line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from labeling.exchange.tables.format import Format, Rows


def written(chunks: Rows, columns: tuple[str, ...]) -> Iterator[bytes]:
    for rows in chunks:
        yield "".join(json.dumps(row, ensure_ascii=False, default=plain) + "\n" for row in rows).encode()


def plain(value: Any) -> str:
    """What JSON has no form of, as text."""
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} in an export")


FORMAT = Format("application/x-ndjson", "one JSON object a line", written)
