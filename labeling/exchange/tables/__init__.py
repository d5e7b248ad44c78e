"""Rows as a streamed file. Memory stays flat.

A format is one file here with a ``Format``, and one line in ``FORMATS``; the contract test covers it from then on.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.db import connection
from django.http import HttpRequest, StreamingHttpResponse

from labeling.exchange.tables import csv, jsonl
from labeling.exchange.tables.format import Format, Rows

#: By the ending of the file's name.
FORMATS: dict[str, Format] = {"csv": csv.FORMAT, "jsonl": jsonl.FORMAT}
#: Seconds in which a reader must take a piece: sooner than the database ends what it is read from.
STALLED_S = 240.0


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


class ReaderStalled(Exception):
    """It took nothing for too long. Raised, so that what it has does not end like a whole file."""


async def _off_the_loop(body: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Each chunk is read in the request's own thread, the one that holds its database connection. It is given back while a
    reader stalls, who must begin anew (:class:`ReaderStalled`)."""
    take = sync_to_async(lambda: next(body, None), thread_sensitive=True)
    give_back = sync_to_async(_give_back, thread_sensitive=True)
    stalled = False

    async def give_up() -> None:
        nonlocal stalled
        await asyncio.sleep(STALLED_S)
        stalled = True
        await give_back(body)

    try:
        while (chunk := await take()) is not None:
            watch = asyncio.create_task(give_up())
            try:
                yield chunk
            finally:
                watch.cancel()
            if stalled:
                raise ReaderStalled
    finally:
        await give_back(body)


def _give_back(body: Iterator[bytes]) -> None:
    body.close()  # type: ignore[attr-defined]
    if not connection.in_atomic_block:
        connection.close()
