"""One slash too many, or too few: the address that was meant is named."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.urls import Resolver404, get_script_prefix, resolve
from django.utils.deprecation import MiddlewareMixin
from django.utils.encoding import escape_uri_path, iri_to_uri
from django.utils.http import escape_leading_slashes

#: It takes every address below ``/api/`` that is none of ours.
UNMATCHED = "api-unmatched"


class SlashMiddleware(MiddlewareMixin):
    """An address that leads nowhere, but would with one slash more or less at its end, is answered with that one.

    308 keeps the method and has the body sent again, so a program's POST arrives as it was meant. Django's own
    ``APPEND_SLASH`` knows one direction only, and makes a GET of a POST.
    """

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        if response.status_code != 404 or not _led_nowhere(request):
            return response
        path = request.path_info
        meant = path[:-1] if path.endswith("/") else f"{path}/"
        if not _leads_somewhere(meant):
            return response
        address = escape_leading_slashes(escape_uri_path(get_script_prefix().rstrip("/") + meant))
        query = request.META.get("QUERY_STRING", "")
        return HttpResponsePermanentRedirect(
            address + (f"?{iri_to_uri(query)}" if query else ""), preserve_request=True
        )


def _led_nowhere(request: HttpRequest) -> bool:
    """Views say 404 too, of things that are not there: those addresses are right."""
    match = request.resolver_match
    return match is None or match.url_name == UNMATCHED


def _leads_somewhere(path: str) -> bool:
    try:
        return resolve(path).url_name != UNMATCHED
    except Resolver404:
        return False
