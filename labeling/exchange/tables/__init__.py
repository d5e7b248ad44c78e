"""Rows as a streamed file. Memory stays flat.

A format is one file here with a ``Format``, and one line in ``FORMATS``; the contract test covers it from then on.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, StreamingHttpResponse

from labeling.exchange.tables import csv, jsonl
from labeling.exchange.tables.format import Format, Rows

#: By the ending of the file's name.
FORMATS: dict[str, Format] = {"csv": csv.FORMAT, "jsonl": jsonl.FORMAT}


def streamed(
    request: HttpRequest, chunks: Rows, *, columns: tuple[str, ...], format: str, filename: str
) -> StreamingHttpResponse:
    """The rows as a download ``filename.format``."""
    body = FORMATS[format].written(chunks, columns)
    return sent(request, body, content_type=FORMATS[format].content_type, filename=f"{filename}.{format}")


def sent(
    request: HttpRequest, body: Iterator[bytes], *, content_type: str, filename: str
) -> StreamingHttpResponse:
    """A generator's pieces as a download, each made when the one before it was taken."""
    response = StreamingHttpResponse(
        # An asynchronous server would read a plain iterator to its end before sending the first byte.
        _off_the_loop(body) if isinstance(request, ASGIRequest) else body,
        content_type=content_type,
    )
    response["Content-Disposition"] = f'attachment; filename="{filename}"'
    response["Cache-Control"] = "no-store"
    return response


async def _off_the_loop(body: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Each chunk is read in the request's own thread, the one that holds its database connection."""
    take = sync_to_async(lambda: next(body, None), thread_sensitive=True)
    try:
        while (chunk := await take()) is not None:
            yield chunk
    finally:
        await sync_to_async(body.close, thread_sensitive=True)()  # type: ignore[attr-defined]
