"""A service's refusal, raised in a page view, as a page or fragment with the right 4xx."""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from django.db import DataError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.utils.deprecation import MiddlewareMixin
from django.utils.encoding import escape_uri_path
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from labeling.gateway.authentication import TokenAuthentication
from labeling.gateway.envelope import wants_json
from labeling.gateway.errors import refused_by, troubled
from labeling.gateway.trouble import trouble_of
from labeling.refusals import Refused
from labeling.text.plain import is_plain, plain

logger = logging.getLogger(__name__)

#: Names of the addresses that show a photo's pixels.
PHOTOS = frozenset({"photo", "photo-tile", "photo-of-old"})


class PlainTextMiddleware(MiddlewareMixin):
    """What people send with a page's form comes without control characters; see :mod:`labeling.text.plain`.

    The one place for all forms of all rooms. NUL is left for the refusal below; passwords stay as they are.
    """

    def process_view(self, request: HttpRequest, *_view: Any) -> None:
        if request.method != "POST" or wants_json(request):
            return
        unwanted = [
            name
            for name, values in request.POST.lists()
            if "password" not in name and not all(is_plain(value.replace("\0", "")) for value in values)
        ]
        if unwanted:
            given = request.POST.copy()
            for name in unwanted:
                given.setlist(name, [plain(value) for value in request.POST.getlist(name)])
            given._mutable = False
            request.POST = given  # type: ignore[assignment]  # it is immutable again


class TokenOpensPhotosMiddleware(MiddlewareMixin):
    """A claim hands out the pages' own addresses of photos. The token that claimed opens them as a session does, and
    the view asks the same function whether the person may see the photo. Only photos, and only to look at."""

    def process_view(self, request: HttpRequest, *_view: Any) -> None:
        match = request.resolver_match
        if request.method not in ("GET", "HEAD") or match is None or match.url_name not in PHOTOS:
            return
        # What a wrong token may not see is not there, as for any stranger.
        with suppress(AuthenticationFailed):
            if found := TokenAuthentication().authenticate(Request(request)):
                request.user = found[0]


class RefusalMiddleware(MiddlewareMixin):
    """Views need no ``try`` around a service: what it refuses is said in its own words.

    A form's answer is a page with the status of the refusal: going back in the browser finds the form as it
    was filled. An htmx request gets the message alone, aimed at the page's ``#messages``.
    """

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if response.status_code == 403 and request.user.is_authenticated:
            address = escape_uri_path(request.path)  # no line break of it begins a line of its own
            logger.warning("refused to account %s: %s %s", request.user.pk, request.method, address)
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if wants_json(request):
            return None
        if isinstance(exception, ValueError | DataError) and _has_nul(request):
            exception = Refused(
                "malformed",
                _("The address or the form holds a character that no text has (NUL). Type it again."),
                status=400,
            )
        if trouble := trouble_of(exception):
            logger.warning("a request met trouble: %s: %s", trouble.code, exception)
            if not getattr(request, "htmx", False):
                return troubled(request, trouble)
            exception = refused_by(trouble)
        if not isinstance(exception, Refused):
            return None
        return refusal(request, exception)


def refusal(request: HttpRequest, refused: Refused) -> HttpResponse:
    """What a page or an htmx request is told."""
    context = {
        "message": refused.message,
        "code": refused.code,
        "status": refused.status,
        "fields": refused.fields,
        "back": _page_before(request),
    }
    if getattr(request, "htmx", False):
        response = render(request, "gateway/refusal.html", context, status=refused.status)
        response["HX-Retarget"] = "#messages"
        response["HX-Reswap"] = "innerHTML"
    else:
        response = render(request, "gateway/refused.html", context, status=refused.status)
    patch_vary_headers(response, ["HX-Request"])
    return response


def _has_nul(request: HttpRequest) -> bool:
    """PostgreSQL's text cannot hold the character; views need not look for it each."""
    given = [*request.GET.values(), *(request.POST.values() if request.method == "POST" else ())]
    return any("\x00" in str(text) for text in [request.path, *given])


def _page_before(request: HttpRequest) -> str:
    """Where the person came from, if that was one of our pages and not this very address."""
    referer = request.META.get("HTTP_REFERER", "")
    allowed = url_has_allowed_host_and_scheme(
        referer, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    path = urlsplit(referer).path if allowed else ""
    return referer if path and (path != request.path or request.method == "POST") else ""
