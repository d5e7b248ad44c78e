"""Whose day it is: pages tell days and hours in the person's time zone, which their browser names in a cookie.

Programs, and browsers that name none, get the server's (``TZ``). What is stored is a moment and knows no zone.
"""

from __future__ import annotations

import zoneinfo
from collections.abc import Callable
from functools import cache

from django.db import connection
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


def zone_of_queries() -> str:
    """The name of the current zone, or UTC where the database's list of zones is older or newer than ours."""
    zone = timezone.get_current_timezone_name()
    return zone if _known_to_the_database(zone) else "UTC"


@cache
def _known_to_the_database(zone: str) -> bool:
    if zone == "UTC":
        return True
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT 1 FROM pg_timezone_names WHERE name = %s)", [zone])
        return bool((cursor.fetchone() or [False])[0])
