"""What every address of the API shares: authentication, JSON in and out, throttles, and where it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from django.http import Http404
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.authentication import SessionAuthentication
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.request import Request
from rest_framework.throttling import ScopedRateThrottle
from rest_framework.utils.mediatypes import media_type_matches
from rest_framework.views import APIView

from labeling.gateway.authentication import TokenAuthentication
from labeling.gateway.parsers import StrictJSONParser
from labeling.people import rate_limits
from labeling.people.models import User
from labeling.people.proxies import neighbourhood


class AlwaysJson(BaseContentNegotiation):
    """There is one answer to give, so no ``Accept`` header makes a request fail."""

    def select_parser(self, request: Request, parsers: Iterable[Any]) -> Any:
        return next(
            (each for each in parsers if media_type_matches(each.media_type, request.content_type)), None
        )

    def select_renderer(
        self, request: Request, renderers: Iterable[Any], format_suffix: str | None = None
    ) -> Any:
        first = next(iter(renderers))
        return first, first.media_type


class Throttle(ScopedRateThrottle):
    """A scope's rate for all web processes together, counted in the database; nothing where a view names no scope.

    Strangers are counted by their address, as :mod:`labeling.people.proxies` found it.
    """

    left: float = 0.0

    def allow_request(self, request: Request, view: APIView) -> bool:
        self.scope = getattr(view, self.scope_attr, "")
        if not self.scope:
            return True
        most, seconds = self.parse_rate(self.get_rate())
        if most is None or seconds is None:  # the scope has no limit
            return True
        who = f"user {request.user.pk}" if request.user and request.user.is_authenticated else None
        key = rate_limits.key_of("throttle", self.scope, who or self.get_ident(request))
        count, self.left = rate_limits.count(key, seconds=seconds)
        return count <= most

    def wait(self) -> float:
        return self.left

    def get_ident(self, request: Request) -> str:
        return neighbourhood(request.META.get("REMOTE_ADDR", ""))


class ApiView(APIView):
    """Token or session, JSON in, JSON out. Sub-classes name a ``throttle_scope`` where work is dear, and the methods
    that do it: asking how it goes is never rationed."""

    content_negotiation_class = AlwaysJson

    authentication_classes = (TokenAuthentication, SessionAuthentication)
    parser_classes: Any = (StrictJSONParser,)
    throttle_classes = (Throttle,)
    throttle_scope: str = ""
    throttled_methods: Sequence[str] = ("POST",)

    def get_throttles(self) -> list[Any]:
        dear = self.throttle_scope and self.request.method in self.throttled_methods
        return super().get_throttles() if dear else []


View = TypeVar("View", bound=type[ApiView])
#: Every address of the API; :mod:`labeling.gateway.api.urls` has all files declare theirs.
routes: list[URLPattern] = []


def route(address: str, name: str, tag: str) -> Callable[[View], View]:
    """Put a view at an address below ``/api/v1/``; the schema lists it under ``tag``."""

    def declare(view: View) -> View:
        tagged: View = extend_schema(tags=[tag])(view)
        routes.append(path(address, tagged.as_view(), name=name))
        return tagged

    return declare


def signed_in(request: Request) -> User:
    """The signed-in person. The default permission has already turned strangers away."""
    assert isinstance(request.user, User)
    return request.user


def person_named(username: str) -> User:
    """The account, or 404. Names come from the address, where anything can stand."""
    person = None if "\0" in username else User.objects.filter(username=username, is_active=True).first()
    if person is None:
        raise Http404(_("There is no account of that name. Ask your administrator to create it first."))
    return person
