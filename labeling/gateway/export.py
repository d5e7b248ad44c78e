"""Rows as a streamed CSV or JSONL file. Memory stays flat, and a spreadsheet runs nothing that a labeler typed."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import AsyncIterator, Iterable, Iterator
from datetime import datetime
from typing import Any

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, StreamingHttpResponse

Rows = Iterable[list[dict[str, Any]]]
#: A spreadsheet takes a cell that starts with one of these for a formula, or eats the first character.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
CONTENT_TYPES = {"csv": "text/csv; charset=utf-8", "jsonl": "application/x-ndjson"}


def streamed(
    request: HttpRequest, chunks: Rows, *, columns: tuple[str, ...], format: str, filename: str
) -> StreamingHttpResponse:
    body = as_csv(chunks, columns) if format == "csv" else as_jsonl(chunks)
    response = StreamingHttpResponse(
        # An asynchronous server would read a plain iterator to its end before sending the first byte.
        _off_the_loop(body) if isinstance(request, ASGIRequest) else body,
        content_type=CONTENT_TYPES[format],
    )
    response["Content-Disposition"] = f'attachment; filename="{filename}.{format}"'
    response["Cache-Control"] = "no-store"
    return response


def as_csv(chunks: Rows, columns: tuple[str, ...]) -> Iterator[bytes]:
    buffer = io.StringIO()
    writer = csv.writer(buffer)
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
        case str() if value.startswith(_FORMULA):
            return "'" + value
    return value


def as_jsonl(chunks: Rows) -> Iterator[bytes]:
    for rows in chunks:
        yield "".join(json.dumps(row, ensure_ascii=False, default=_iso) + "\n" for row in rows).encode()


def _iso(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} in an export")


async def _off_the_loop(body: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Each chunk is read in the request's own thread, the one that holds its database connection."""
    take = sync_to_async(lambda: next(body, None), thread_sensitive=True)
    try:
        while (chunk := await take()) is not None:
            yield chunk
    finally:
        await sync_to_async(body.close, thread_sensitive=True)()  # type: ignore[attr-defined]
