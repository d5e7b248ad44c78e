"""How the web says no: one JSON envelope for programs, whatever went wrong and wherever it was noticed.

Codes stay the same between releases; messages are for people and say what to do.
"""

from __future__ import annotations

import logging
import sys
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation, TooManyFilesSent
from django.core.exceptions import ValidationError as ModelValidationError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from labeling.gateway.calm import calm
from labeling.gateway.envelope import envelope, wants_json
from labeling.gateway.trouble import Trouble, trouble_of
from labeling.refusals import Refused

logger = logging.getLogger(__name__)
#: What is missing now may be there in a minute. Browsers keep a 404 without this for as long as they like.
_NOT_KEPT = {"Cache-Control": "no-store"}


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """Turn an exception of an API view into an answer; ``None`` (a real bug) becomes a 500."""
    if trouble := trouble_of(error):
        logger.warning("a request met trouble: %s: %s", trouble.code, error)
        set_rollback()
        return Response(
            envelope(trouble.code, str(trouble.message)),
            status=trouble.status,
            headers={"Retry-After": str(trouble.retry_after)},
        )
    refusal = _as_refusal(error)
    if refusal is None:
        return None
    headers = dict(_NOT_KEPT)
    if isinstance(error, exceptions.APIException):
        if challenge := getattr(error, "auth_header", None):
            headers["WWW-Authenticate"] = challenge
    elif isinstance(error, Refused) and error.status == 401:
        headers["WWW-Authenticate"] = "Token"
    if refusal.retry_after is not None:
        headers["Retry-After"] = str(refusal.retry_after)
    if isinstance(error, exceptions.MethodNotAllowed) and (view := context.get("view")) is not None:
        headers["Allow"] = ", ".join(view.allowed_methods)
    return Response(
        envelope(refusal.code, refusal.message, refusal.fields), status=refusal.status, headers=headers
    )


def _as_refusal(error: Exception) -> Refused | None:
    match error:
        case Refused():
            return error
        case exceptions.ValidationError():
            return Refused(
                "invalid",
                _("Some of what was sent is not valid; see the fields. Nothing was changed."),
                status=422,
                fields=_by_field(error.detail),
            )
        case ModelValidationError():
            return Refused(
                "invalid",
                _("Some of what was sent is not valid; see the fields. Nothing was changed."),
                status=422,
                fields=(
                    error.message_dict
                    if hasattr(error, "error_dict")
                    else {"non_field_errors": error.messages}
                ),
            )
        case Http404() | exceptions.NotFound():
            return Refused("not_found", _text(error) or _("There is nothing here."), status=404)
        case PermissionDenied() | exceptions.PermissionDenied():
            text = _text(error) or _("You are not allowed to do this.")
            code = "csrf" if text.startswith("CSRF") else "forbidden"
            return Refused(code, text, status=403)
        case exceptions.NotAuthenticated():
            return Refused(
                "not_signed_in",
                _("Sign in, or send your token in the header “Authorization: Token …”."),
                status=401,
            )
        case exceptions.AuthenticationFailed():
            return Refused("bad_token", _text(error), status=401)
        case exceptions.Throttled():
            wait = max(1, round(getattr(error, "wait", None) or 1))
            return Refused(
                "throttled",
                _("Too many requests of this kind. Wait %(seconds)s\u00a0s, then try again.")
                % {"seconds": wait},
                status=429,
                retry_after=wait,
            )
        case RequestDataTooBig() | TooManyFilesSent():
            return Refused(
                "too_large",
                _("That is more than one request may hold. Send it in smaller parts."),
                status=413,
            )
        case SuspiciousOperation():
            return Refused("malformed", _("The request could not be read."), status=400)
        case exceptions.ParseError():
            return Refused("malformed", _text(error) or _("The request could not be read."), status=400)
        case exceptions.APIException():
            codes = error.get_codes()
            return Refused(
                codes if isinstance(codes, str) else str(error.default_code),
                _text(error),
                status=error.status_code,
            )
    return None


def _text(error: Exception) -> str:
    return str(getattr(error, "detail", None) or (error.args[0] if error.args else ""))


def _by_field(detail: Any) -> dict[str, Any]:
    return detail if isinstance(detail, dict) else {"non_field_errors": detail}


@csrf_exempt  # there is nothing here that anybody could be made to change
def unmatched(request: HttpRequest) -> HttpResponse:
    """Any address under ``/api/`` that is none of ours."""
    return JsonResponse(
        envelope("not_found", _("There is no such address in the API; /api/schema/ lists all of them.")),
        status=404,
    )


def _page(request: HttpRequest, *, code: str, message: str, status: int) -> HttpResponse:
    if wants_json(request):
        return JsonResponse(envelope(code, message), status=status, headers=_NOT_KEPT)
    context = {"message": message, "code": code, "status": status}
    response = render(request, "gateway/refused.html", context, status=status)
    response["Cache-Control"] = "no-store"
    return response


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    refusal = _as_refusal(exception) or Refused("malformed", _("The request could not be read."), status=400)
    return _page(request, code=refusal.code, message=refusal.message, status=refusal.status)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form, or a program's call with a session, came without its token."""
    if wants_json(request):
        return JsonResponse(
            envelope("csrf", _("Send the session's CSRF token in the header “X-CSRFToken”, or use a token.")),
            status=403,
        )
    return render(request, "403_csrf.html", status=403)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    message = _text(exception) or _("You are not allowed to do this.")
    return _page(request, code="forbidden", message=message, status=403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    text = exception.args[0] if exception.args else ""
    # The resolver's own 404 carries a dict of tried patterns: nothing for people.
    message = text if isinstance(text, str) and text else _("There is no page at this address.")
    return _page(request, code="not_found", message=message, status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    """Called while the exception is being handled: trouble that is no bug says what it is."""
    if trouble := trouble_of(sys.exc_info()[1]):
        return troubled(request, trouble)
    message = _(
        "What was confirmed to you is stored; what you sent just now may not be. Try again in a minute. If it "
        "stays, tell your administrator what you did and when."
    )
    return calm(
        request, title=_("Something broke on our side"), message=message, code="server_error", status=500
    )


def refused_by(trouble: Trouble) -> Refused:
    """As a refusal, for what shows one beside other things."""
    return Refused(trouble.code, str(trouble.message), status=trouble.status)


def troubled(request: HttpRequest, trouble: Trouble) -> HttpResponse:
    return calm(
        request,
        title=str(trouble.title),
        message=str(trouble.message),
        code=trouble.code,
        status=trouble.status,
        retry_after=trouble.retry_after,
    )
