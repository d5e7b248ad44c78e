"""What every handler of the API shares: authentication, strict input, and how it is described in the schema."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from django.http import Http404
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.authentication import SessionAuthentication
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.request import Request
from rest_framework.throttling import ScopedRateThrottle
from rest_framework.utils.mediatypes import media_type_matches
from rest_framework.views import APIView

from labeling.gateway.authentication import TokenAuthentication
from labeling.gateway.pagination import PAGE_PARAMETERS
from labeling.gateway.parsers import StrictJSONParser
from labeling.people.models import User

Handler = TypeVar("Handler", bound=Callable[..., Any])


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
    """Counts strangers by the address that the server sees: what a proxy header says, a guesser can make up."""

    def get_ident(self, request: Request) -> str:
        return str(request.META.get("REMOTE_ADDR", ""))


class ApiView(APIView):
    """Token or session, JSON in, JSON out. Sub-classes name a ``throttle_scope`` where work is dear."""

    content_negotiation_class = AlwaysJson

    authentication_classes = (TokenAuthentication, SessionAuthentication)
    parser_classes: Any = (StrictJSONParser,)
    throttle_classes = (Throttle,)
    throttle_scope: str = ""

    def get_throttles(self) -> list[Any]:
        return super().get_throttles() if self.throttle_scope else []


class StrictSerializer(serializers.Serializer[Any]):
    """Input with no unknown names: a misspelt field is told, not ignored."""

    def to_internal_value(self, data: Any) -> Any:
        unknown = sorted(set(data) - set(self.fields)) if isinstance(data, dict) else []
        if unknown:
            known = ", ".join(self.fields)
            raise serializers.ValidationError(
                {
                    name: [_("There is no such field. Known: %(known)s.") % {"known": known}]
                    for name in unknown
                }
            )
        return super().to_internal_value(data)


class ErrorBody(serializers.Serializer[Any]):
    code = serializers.CharField()
    message = serializers.CharField()
    fields = serializers.DictField(required=False)  # type: ignore[assignment]


class ErrorOut(serializers.Serializer[Any]):
    error = ErrorBody()


_MEANINGS = {
    400: "The request could not be read.",
    401: "`bad_token`, `bad_login` or `not_signed_in`.",
    403: "Your role does not allow it, or you are paused.",
    404: "No such thing, or it is not yours to see.",
    409: "It cannot be done in the present state; the code says why. Nothing was changed.",
    413: "Larger than one request may be.",
    415: "Send `application/json` (photos: `multipart/form-data`).",
    422: "Understood, but not valid: see `fields`. Nothing was changed.",
    429: "Too many requests of this kind: wait `Retry-After` seconds.",
}


def paged(name: str, row: type[serializers.Serializer[Any]]) -> serializers.Serializer[Any]:
    """The shape of a cursor page of ``row``."""
    return inline_serializer(
        name,
        {"results": row(many=True), "next": serializers.URLField(allow_null=True)},
    )


def documented(
    operation: str,
    summary: str,
    *,
    returns: Any,
    status: int = 200,
    also: dict[Any, Any] | None = None,
    takes: Any = None,
    errors: Sequence[int] = (),
    pages: bool = False,
    parameters: Sequence[OpenApiParameter] = (),
    tag: str,
    public: bool = False,
) -> Callable[[Handler], Handler]:
    """Describe a handler: operation id, shapes, and each error with what it means.

    401 and 404 are added to whatever is not public, 400, 415 and 422 to whatever takes a body.
    """
    codes = set(errors) | ({400, 415, 422} if takes is not None else set())
    codes |= set() if public else {401, 403, 404}
    codes |= {422} if pages else set()
    responses: dict[Any, Any] = {**({} if returns is None and also else {status: returns}), **(also or {})}
    for code in sorted(codes):
        responses[code] = OpenApiResponse(ErrorOut, description=_MEANINGS[code])
    return extend_schema(
        operation_id=operation,
        summary=summary,
        description=summary,
        request=takes,
        responses=responses,
        parameters=[*parameters, *(PAGE_PARAMETERS if pages else [])],
        tags=[tag],
        auth=[] if public else None,
    )


def user_of(request: Request) -> User:
    """The signed-in person. The default permission has already turned strangers away."""
    assert isinstance(request.user, User)
    return request.user


def person_named(username: str) -> User:
    """The account, or 404. Names come from the address, where anything can stand."""
    person = None if "\0" in username else User.objects.filter(username=username, is_active=True).first()
    if person is None:
        raise Http404(_("There is no account of that name. Ask your administrator to create it first."))
    return person
