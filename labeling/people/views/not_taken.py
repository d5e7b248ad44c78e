"""The status of a form that was not taken: it is no success for whatever reads it, as browsers' password managers do."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse

from labeling.people.throttle import WINDOW_SECONDS


def not_taken(response: HttpResponse, form: Any, field: str, *, wait_s: int = WINDOW_SECONDS) -> HttpResponse:
    """429 with ``Retry-After`` where ``field`` was tried too often, to be tried again after ``wait_s`` seconds; else 422."""
    response.status_code = 422
    if form.has_error(field, "throttled"):
        response.status_code = 429
        response["Retry-After"] = str(wait_s)
    return response
