"""An answer that leans on nothing that may be away: no session, no database, no hashed names of files."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils.translation import get_language

from labeling.gateway.envelope import envelope, wants_json


def calm(
    request: HttpRequest, *, title: str, message: str, code: str, status: int, retry_after: int | None = None
) -> HttpResponse:
    """``message`` as JSON for programs, as a quiet page for people, in the language that is active.

    ``retry_after``: seconds after which it is worth another try.
    """
    response: HttpResponse
    if wants_json(request):
        response = JsonResponse(envelope(code, message), status=status)
    else:
        page = render_to_string(
            "gateway/broken.html",
            {
                "title": title,
                "message": message,
                "status": status,
                "language": get_language() or "en",
                "prefix": settings.PREFIX,
                "retry": request.get_full_path() if retry_after and request.method == "GET" else "",
            },
        )
        response = HttpResponse(page, status=status)
    response["Cache-Control"] = "no-store"
    if retry_after is not None:
        response["Retry-After"] = str(retry_after)
    return response
