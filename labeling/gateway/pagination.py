"""Cursor pages: each page costs the same, however far in, and rows added meanwhile shift nothing.

Two orders: by primary key (tables that only grow), and by time with the id as tie-breaker.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from typing import Any, TypeVar
from uuid import UUID

from django.db.models import Model, Q, QuerySet, UUIDField
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.utils.urls import replace_query_param

from labeling.refusals import Refused

Row = TypeVar("Row", bound=Model)
Present = Callable[[Any], dict[str, Any]]
DEFAULT, LARGEST = 100, 1000
_BIGGEST_ID = 2**63 - 1
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TIMED = re.compile(r"(\d{1,18})-([0-9a-f]{32})")

PAGE_PARAMETERS = [
    OpenApiParameter("cursor", str, description="Where the page starts: taken from `next`."),
    OpenApiParameter(
        "limit",
        {"type": "integer", "minimum": 1, "maximum": LARGEST, "default": DEFAULT},
        description="Rows a page.",
    ),
]


def page_by_id(rows: QuerySet[Row], request: Request, present: Present, *, key: str = "pk") -> dict[str, Any]:
    """``{"results": [...], "next": url or None}``, oldest first, for tables with a counting key."""
    rows = rows.filter(**{f"{key}__gt": _counting_cursor(request)}).order_by(key)
    return _page(rows, request, present, lambda row: str(getattr(row, key)))


def page_of_rows(request: Request, fetch: Callable[[int, int], list[dict[str, Any]]]) -> dict[str, Any]:
    """The same for rows that ``fetch(after, limit)`` reads; each has an ``id``."""
    limit = _limit(request)
    found = fetch(_counting_cursor(request), limit + 1)
    following = None
    if len(found) > limit:
        found.pop()
        following = _next(request, str(found[-1]["id"]))
    return {"results": found, "next": following}


def page_behind(
    request: Request, fetch: Callable[[int], tuple[list[Any], Any]], *, present: Present
) -> dict[str, Any]:
    """The same where ``fetch(limit)`` says by itself what the next page's cursor is; ``None``: there is none."""
    found, place = fetch(_limit(request))
    following = None if place is None else _next(request, str(place))
    return {"results": [present(row) for row in found], "next": following}


def page_searched(
    request: Request, fetch: Callable[[int, int], tuple[list[Any], int | None]], *, present: Present
) -> dict[str, Any]:
    """The same where ``fetch(after, limit)`` goes on from a counting key, and may say so before its page is full."""
    after = _counting_cursor(request)
    return page_behind(request, lambda limit: fetch(after, limit), present=present)


def _counting_cursor(request: Request) -> int:
    cursor = request.query_params.get("cursor")
    if cursor is None:
        return 0
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) < 20 and int(cursor) <= _BIGGEST_ID):
        raise _bad_cursor()
    return int(cursor)


def page_by_time(
    rows: QuerySet[Row],
    request: Request,
    present: Present,
    *,
    newest_first: bool = False,
    by: tuple[str, str] = ("created_at", "pk"),
) -> dict[str, Any]:
    """The same by a time; ``by``: the time (since 1970) and the key that an index has both of."""
    time, key = by
    at_of = attrgetter(time.replace("__", "."))
    counts = not isinstance(rows.model._meta.pk, UUIDField)
    cursor = request.query_params.get("cursor")
    if cursor is not None:
        match = _TIMED.fullmatch(cursor)
        if match is None:
            raise _bad_cursor()
        try:
            at = _EPOCH + timedelta(microseconds=int(match[1]))
        except OverflowError:
            raise _bad_cursor() from None
        than = "lt" if newest_first else "gt"
        last = min(int(match[2], 16), _BIGGEST_ID) if counts else UUID(match[2])
        rows = rows.filter(Q(**{f"{time}__{than}": at}) | Q(**{time: at, f"{key}__{than}": last}))
    sign = "-" if newest_first else ""

    def cursor_of(row: Any) -> str:
        last = f"{row.pk:032x}" if counts else row.pk.hex
        return f"{(at_of(row) - _EPOCH) // timedelta(microseconds=1)}-{last}"

    return _page(rows.order_by(f"{sign}{time}", f"{sign}{key}"), request, present, cursor_of)


def _page(
    rows: QuerySet[Row], request: Request, present: Present, cursor_of: Callable[[Any], str]
) -> dict[str, Any]:
    limit = _limit(request)
    found = list(rows[: limit + 1])
    following = None
    if len(found) > limit:
        found.pop()
        following = _next(request, cursor_of(found[-1]))
    return {"results": [present(row) for row in found], "next": following}


def _next(request: Request, cursor: str) -> str:
    return str(replace_query_param(request.build_absolute_uri(), "cursor", cursor))


def _limit(request: Request) -> int:
    text = request.query_params.get("limit", str(DEFAULT))
    if not (text.isascii() and text.isdigit() and len(text) < 6 and 1 <= int(text) <= LARGEST):
        message = _("Send a whole number from 1 to %(largest)s.") % {"largest": LARGEST}
        raise Refused.invalid("limit", message, short=[message])
    return int(text)


def _bad_cursor() -> Refused:
    message = _("This cursor is not one of ours. Start without one, then follow “next”.")
    return Refused.invalid("cursor", message, short=[message])
