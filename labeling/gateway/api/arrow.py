"""A page of rows as an Arrow IPC stream: columns with types, read without being parsed."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from labeling.gateway.api.endpoint import one_of

if TYPE_CHECKING:
    import pyarrow as pa

CONTENT_TYPE = "application/vnd.apache.arrow.stream"

FORMAT_PARAMETER = OpenApiParameter(
    "format",
    enum=["json", "arrow"],
    description="`arrow`: an Arrow IPC stream; the next page's address stands in the header `Link` (rel=next).",
)


def asks_for_arrow(request: Request) -> bool:
    return one_of(request, "format", ["json", "arrow"]) == "arrow"


def sent(table: pa.Table, following: str | None) -> HttpResponse:
    """``table`` as the answer. ``following``: the next page's address, told as RFC 8288 has it."""
    import pyarrow as pa

    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    response = HttpResponse(sink.getvalue(), content_type=CONTENT_TYPE)
    response["Cache-Control"] = "no-store"
    if following is not None:
        response["Link"] = f'<{following}>; rel="next"'
    return response
