"""What every handler of the API shares: authentication, strict input, and how it is described in the schema."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
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
from labeling.people import rate_limits
from labeling.people.models import User
from labeling.refusals import Refused

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
    """A scope's rate for all web processes together, counted in the database; nothing where a view names no scope.

    Strangers are counted by the address that the server sees: what a proxy header says, a guesser can make up.
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

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """After who is asking: does the address ask for anything that this handler does not know?"""
        super().initial(request, *args, **kwargs)
        handler = getattr(self, str(request.method).lower(), None)
        known = getattr(handler, _QUERY_NAMES, None)
        if known is not None:
            _refuse_unknown_parameters(request, known)


#: Where :func:`documented` notes on a handler which query parameters it reads.
_QUERY_NAMES = "query_names"


def _refuse_unknown_parameters(request: Request, known: tuple[str, ...]) -> None:
    """A misspelt filter would otherwise answer with everything, and nobody would notice.

    ``format=json`` passes everywhere: programs written for other servers send it, and JSON is what they get.
    """
    given = request.query_params
    unknown = sorted(
        name for name in given if name not in known and not (name == "format" and given[name] == "json")
    )
    if unknown:
        message = (
            _("There is no such query parameter here. Known: %(known)s.") % {"known": ", ".join(known)}
            if known
            else _("There is no such query parameter: this address takes none.")
        )
        raise Refused(
            "unknown_parameter",
            f"{', '.join(name[:60] for name in unknown[:5])}: {message}",
            status=400,
            fields={name[:60]: [message] for name in unknown[:5]},
        )


class StrictSerializer(serializers.Serializer[Any]):
    """Input with no unknown names and no values of another type: a misspelt field is told, not ignored, and a number is
    not taken for a text, nor ``true`` for a number."""

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
        if isinstance(data, Mapping):
            wrong = {
                name: told
                for name, field in self.fields.items()
                if name in data and (told := _of_another_type(field, data[name]))
            }
            if wrong:
                raise serializers.ValidationError(wrong)
        return super().to_internal_value(data)


def _of_another_type(field: Any, value: Any) -> list[str] | dict[Any, Any]:
    """What is wrong with the JSON type of a value that the framework would turn into the field's; empty: nothing."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if isinstance(field, serializers.CharField | serializers.UUIDField) and is_number:
        return [_("Send a text, in double quotes.")]
    if isinstance(field, serializers.FloatField) and isinstance(value, bool):
        return [_("Send a number.")]
    if isinstance(field, serializers.ListField) and isinstance(value, list):
        return {n: wrong for n, one in enumerate(value) if (wrong := _of_another_type(field.child, one))}
    return []


class ErrorBody(serializers.Serializer[Any]):
    code = serializers.CharField()
    message = serializers.CharField()
    fields = serializers.DictField(required=False)  # type: ignore[assignment]


class ErrorOut(serializers.Serializer[Any]):
    error = ErrorBody()


_MEANINGS = {
    400: "The request could not be read, or has a query parameter that is not known here.",
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

    401, 403 and 404 are added to whatever is not public, 415 and 422 to whatever takes a body, and 400 to all:
    query parameters that are not listed here are refused.
    """
    codes = {400, *errors} | ({415, 422} if takes is not None else set())
    codes |= set() if public else {401, 403, 404}
    codes |= {422} if pages else set()
    responses: dict[Any, Any] = {**({} if returns is None and also else {status: returns}), **(also or {})}
    for code in sorted(codes):
        responses[code] = OpenApiResponse(ErrorOut, description=_MEANINGS[code])
    taken = [*parameters, *(PAGE_PARAMETERS if pages else [])]
    describe = extend_schema(
        operation_id=operation,
        summary=summary,
        description=summary,
        request=takes,
        responses=responses,
        parameters=taken,
        tags=[tag],
        auth=[] if public else None,
    )

    def decorate(handler: Handler) -> Handler:
        described: Handler = describe(handler)
        in_query = tuple(each.name for each in taken if each.location == OpenApiParameter.QUERY)
        setattr(described, _QUERY_NAMES, in_query)
        return described

    return decorate


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
