"""Whose day it is: pages tell days and hours in the person's time zone, which their browser names in a cookie.

Programs, and browsers that name none, get the server's (``TZ``). What is stored is a moment and knows no zone.
"""

from __future__ import annotations

import zoneinfo
from collections.abc import Callable
from functools import cache

from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone
from django.utils.decorators import sync_only_middleware

COOKIE = "hilltop-zone"


@cache
def _zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones() - {"Factory", "localtime"})


@sync_only_middleware
def own_day(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    def middleware(request: HttpRequest) -> HttpResponseBase:
        named = request.COOKIES.get(COOKIE, "")
        with timezone.override(zoneinfo.ZoneInfo(named) if named in _zones() else None):
            return get_response(request)

    return middleware
