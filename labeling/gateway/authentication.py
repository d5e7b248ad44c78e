"""Tokens for programs. One query a request: the token with its user."""

from __future__ import annotations

from hmac import compare_digest
from typing import Any

from django.contrib.auth import authenticate
from django.contrib.auth.signals import user_logged_in
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from knox.crypto import hash_token
from knox.settings import CONSTANTS
from rest_framework import exceptions
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.request import Request

from labeling.people import throttle
from labeling.people.models import BY_THE_API, Token, User
from labeling.people.second_step import check_code, has_second_step
from labeling.people.tokens import DAYS, make_token, note_use
from labeling.refusals import Refused

SCHEMES = {b"token", b"bearer"}

# As text, because composing it from querysets takes as long as all the rest of the look-up, at each request.
_LOOK_UP = """
SELECT u.*, t.digest AS token_digest, t.expiry AS token_expiry, t.used_at AS token_used_at
FROM people_token t JOIN people_user u ON u.id = t.user_id WHERE t.token_key = %s
"""


class TokenAuthentication(BaseAuthentication):
    """``Authorization: Token …`` (or ``Bearer …``) with a token of :mod:`knox`.

    Knox's own class also reads all other tokens of the person, to delete expired ones, at every request; and a
    header with bytes that are no UTF-8 makes it fail with a 500. The labeling loop has no time for the first.
    """

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        parts = get_authorization_header(request).split()
        if not parts or parts[0].lower() not in SCHEMES:
            return None
        if len(parts) != 2:
            raise exceptions.AuthenticationFailed(
                _("The header must be “Authorization: Token” and one token.")
            )
        try:
            token = parts[1].decode("ascii")
        except UnicodeDecodeError:
            raise self._unknown() from None
        if not token.isalnum():
            raise self._unknown()
        digest = hash_token(token)
        key = token[: CONSTANTS.TOKEN_KEY_LENGTH]
        for user in User.objects.raw(_LOOK_UP, [key]):
            found = {name: vars(user).pop(f"token_{name}") for name in ("digest", "expiry", "used_at")}
            candidate = Token(user=user, token_key=key, **found)
            if not compare_digest(digest, candidate.digest):
                continue
            if candidate.expiry is not None and candidate.expiry < timezone.now():
                break
            if not user.is_active:
                raise exceptions.AuthenticationFailed(_("This account is closed. Ask your administrator."))
            note_use(candidate)
            return user, candidate
        raise self._unknown()

    def authenticate_header(self, request: Request) -> str:
        return "Token"

    @staticmethod
    def _unknown() -> exceptions.AuthenticationFailed:
        return exceptions.AuthenticationFailed(
            _("This token is not known or has expired. Get a new one at /api/v1/login.")
        )


def log_in(
    request: HttpRequest, *, username: str, password: str, name: str = "", days: int = DAYS, code: str = ""
) -> tuple[Token, str]:
    """A new token, as its row and its text, which is told this once.

    Raises :class:`Refused` ``bad_login``, ``code_needed`` or ``bad_code`` (401), or ``throttled`` (429) after too many wrong
    passwords or codes.
    """
    attempt = {"address": request.META.get("REMOTE_ADDR", ""), "username": username}
    if refusal := throttle.must_wait(**attempt):
        raise Refused("throttled", refusal, status=429, retry_after=throttle.WINDOW_SECONDS)
    user = authenticate(request, username=username, password=password)
    if user is None:
        throttle.count_failure(**attempt)
        raise Refused(
            "bad_login",
            gettext("User name and password do not match an open account. Check both, then try again."),
            status=401,
        )
    assert isinstance(user, User)  # narrows the type
    if has_second_step(user):
        _check_second_step(user, code)
    throttle.forget(**attempt)
    made = make_token(user=user, name=name or BY_THE_API, days=days)
    user_logged_in.send(sender=type(user), request=request, user=user)
    return made


def _check_second_step(user: User, code: str) -> None:
    if not code:
        raise Refused(
            "code_needed",
            gettext("This account signs in in two steps. Send the “code” of its app, too."),
            status=401,
        )
    try:
        used = check_code(user, code)
    except ValidationError as error:
        message = " ".join(error.messages)
        if error.code == "throttled":
            raise Refused("throttled", message, status=429, retry_after=throttle.WINDOW_SECONDS) from None
        raise Refused("bad_code", message, status=401) from None
    used.record_usage()


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Says in the OpenAPI schema how a token is sent."""

    target_class = TokenAuthentication
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "`Token <token>`; get one at `/api/v1/login`.",
        }
