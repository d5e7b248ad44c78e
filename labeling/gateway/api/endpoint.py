"""What a method of an address states: who may, what it takes, what it returns. All else about it follows from that."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache, wraps
from typing import Any, TypeVar

from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from labeling.catalog.permissions import ALLOWED, Action
from labeling.gateway.api.shapes import PageShape, Shape
from labeling.gateway.named import FINDERS
from labeling.gateway.pagination import PAGE_PARAMETERS
from labeling.http.who_may import Who, admitted
from labeling.refusals import Refused

Handler = TypeVar("Handler", bound=Callable[..., Any])
#: A JSON object: what came in and was checked, or what goes out.
Json = dict[str, Any]


class ErrorBody(Shape):
    code = serializers.CharField()
    message = serializers.CharField()
    fields_ = serializers.DictField(required=False)


class ErrorOut(Shape):
    error = ErrorBody()


_MEANINGS = {
    400: "The request could not be read, or has a query parameter that is not known here.",
    401: "`bad_token`, `bad_login` or `not_signed_in`.",
    403: "Your role does not allow it, or you are paused.",
    404: "No such thing, or it is not yours to see.",
    409: "It cannot be done in the present state; the code says why. Nothing was changed.",
    410: "It ended: `link_expired` or `link_revoked`.",
    413: "Larger than one request may be.",
    415: "Send `application/json` (photos: `multipart/form-data`).",
    422: "Understood, but not valid: see `fields`. Nothing was changed.",
    429: "Too many requests of this kind: wait `Retry-After` seconds.",
    503: "Away for a moment: wait `Retry-After` seconds, then send it again.",
}


def endpoint(
    operation: str,
    summary: str,
    *,
    may: Action | Who,
    tag: str | None = None,
    takes: Any = None,
    returns: Any = None,
    status: int | None = None,
    also: dict[Any, Any] | None = None,
    errors: Sequence[int] = (),
    parameters: Sequence[OpenApiParameter] = (),
) -> Callable[[Handler], Handler]:
    """Make a handler a method of an address, and describe it in the schema.

    ``may``: an action in the project of the address, which the handler gets as ``project`` instead of its ``slug``. An
    address that says ``protocol`` instead means one in a protocol, which the handler gets; one that says ``inspection_id``,
    in the protocol of that inspection, and the handler gets ``inspection``; one that says ``sheet``, in each project of a
    question sheet, which the handler gets.
    ``takes``: the serializer of the body, or those by content type, of which the first reads all; what it made of the
    body the handler gets as ``given``. What the handler returns is sent with ``status`` (200; 204 where it ``returns``
    nothing), unless it is a response. ``also``: further responses by status. ``errors``: those to be told beside the
    ones that follow: 401, 403 and 404 unless anyone may, 415 and 422 with a body, 422 with pages, and 400, as
    query parameters that are not among ``parameters`` are refused.
    """
    pages = isinstance(returns, PageShape)
    reader = next(iter(takes.values())) if isinstance(takes, dict) else takes
    done = status or (204 if returns is None else 200)
    codes = {400, *errors} | ({415, 422} if takes is not None else set()) | ({422} if pages else set())
    codes |= set() if may is Who.ANYONE else {401, 403, 404}
    responses: dict[Any, Any] = {} if returns is None and also else {done: returns}
    responses |= also or {}
    responses |= {code: OpenApiResponse(ErrorOut, description=_MEANINGS[code]) for code in sorted(codes)}
    taken = [*parameters, *(PAGE_PARAMETERS if pages else [])]
    in_query = tuple(each.name for each in taken if each.location == OpenApiParameter.QUERY)
    first, dot, rest = summary.partition(". ")
    summary = f"{first}{_to_whom(may)}{dot}{rest}"

    def decorate(handler: Handler) -> Handler:
        @extend_schema(
            operation_id=operation,
            summary=summary,
            description=summary,
            request=takes,
            responses=responses,
            parameters=taken,
            tags=None if tag is None else [tag],
            auth=[] if may is Who.ANYONE else None,
        )
        @wraps(handler)
        def method(view: Any, request: Request, **named: Any) -> HttpResponseBase:
            _refuse_unknown_parameters(request, in_query)
            named = admitted(request.user, may, named, FINDERS)
            if reader is not None:
                named["given"] = _read(reader, request.data)
            answer = handler(view, request, **named)
            return answer if isinstance(answer, HttpResponseBase) else Response(answer, status=done)

        # The tests of all routes read both.
        method.may, method.takes = may, reader  # type: ignore[attr-defined]
        return method  # type: ignore[return-value]

    return decorate


def _read(shape: type[serializers.Serializer[Any]], sent: Any) -> Any:
    """What the shape makes of a body. Raises the framework's ``ValidationError``."""
    try:
        return _one_of_each(shape).run_validation(sent)
    except serializers.ValidationError:  # a serializer of its own says what is wrong
        shape(data=sent).is_valid(raise_exception=True)
        raise


@cache
def _one_of_each(shape: type[serializers.Serializer[Any]]) -> serializers.Serializer[Any]:
    """Each new serializer copies all its fields, which takes longer than to read a body with them; reading changes none."""
    return shape()


def _to_whom(may: Action | Who) -> str:
    """ " (admins)": the least who may, where not all members do."""
    if isinstance(may, Who):
        return " (superusers)" if may is Who.SUPERUSER else ""
    roles = [role for role, actions in ALLOWED.items() if may in actions]
    return "" if len(roles) == len(ALLOWED) else f" ({roles[0]}s)"


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


def one_of(request: Request, name: str, known: Iterable[str]) -> str | None:
    """The query parameter's value, if it was sent. Raises :class:`Refused` where it is none of the ``known``."""
    value = request.query_params.get(name)
    if value is not None and value not in known:
        message = _("One of: %(values)s.") % {"values": ", ".join(known)}
        raise Refused.invalid(name, message, short=[message])
    return value


def number_in_path(name: str) -> OpenApiParameter:
    """An id that counts from 1."""
    return OpenApiParameter(name, {"type": "integer", "minimum": 1}, OpenApiParameter.PATH)


def file_of(content_type: str, description: str, kind: Any = OpenApiTypes.BINARY) -> dict[Any, Any]:
    """For ``also``: the answer is a file."""
    return {(200, content_type): OpenApiResponse(kind, description=description)}
