"""Refuses what a page asks for whom it was not made: one place for all routes, before CSRF is looked at.

A sign-in changes the CSRF token, so that a form of the person before would otherwise only be told to be old.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.deprecation import MiddlewareMixin

from labeling.gateway.authentication import SCHEMES
from labeling.gateway.envelope import envelope, wants_json
from labeling.gateway.middleware import refusal
from labeling.people.whose_page import refuse_another
from labeling.refusals import Refused

#: Whoever sits at the computer may end the session that is open on it; and who photographs by a link signs in nowhere, but
#: somebody else may have on that phone.
ANYBODYS = {"logout", "account_logout", "api-capture-photos", "api-capture-submit"}


class WhosePageMiddleware(MiddlewareMixin):
    def process_view(self, request: HttpRequest, *_view: Any) -> HttpResponse | None:
        match = request.resolver_match
        if _carries_token(request) or (match is not None and match.url_name in ANYBODYS):
            return None
        try:
            refuse_another(request, by_form=not wants_json(request))
        except Refused as refused:
            if wants_json(request) or request.headers.get("Accept") == "application/json":
                return JsonResponse(envelope(refused.code, refused.message), status=refused.status)
            return refusal(request, refused)
        return None


def _carries_token(request: HttpRequest) -> bool:
    """A program says with its token who it is, whatever cookie comes along."""
    scheme = request.headers.get("Authorization", "").partition(" ")[0]
    return wants_json(request) and scheme.lower().encode() in SCHEMES
