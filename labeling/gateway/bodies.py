"""How much anybody may send before somebody has looked at it: the outermost layer of a web process.

Django under ASGI writes a whole body to disk before the first middleware sees the request, whoever sends it, to
whatever address. Here a body is read into memory up to :data:`SMALL`. More is taken at the addresses of :func:`large`
only, up to their own bound, and only from those who may: they are asked for before anything more is read. Who trickles a
body in is cut off.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from io import BytesIO
from typing import Any

from asgiref.sync import ThreadSensitiveContext, sync_to_async
from django.conf import settings
from django.contrib.auth import get_user
from django.core.exceptions import PermissionDenied
from django.core.handlers.asgi import ASGIRequest
from django.db import DatabaseError, connection
from django.http import Http404, HttpResponse
from django.urls import Resolver404, resolve
from django.utils import translation
from django.utils.translation import gettext as _
from psycopg_pool import PoolTimeout
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from labeling.catalog.permissions import Action
from labeling.gateway.authentication import TokenAuthentication
from labeling.gateway.calm import calm
from labeling.gateway.named import FINDERS
from labeling.gateway.trouble import Trouble, trouble_of
from labeling.http.who_may import admitted
from labeling.learning.importing.services import MOST_MODEL
from labeling.learning.registering import MOST_MANIFEST, MOST_WEIGHTS
from labeling.refusals import Refused

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[..., Awaitable[None]]  # (scope, receive, send)

#: What every address takes. Less than Django keeps in memory, so none of it ever lies on a disk.
SMALL = 2**20
#: Beside the photo itself: the other parts of a form.
FORM = 2**20
#: All photos of one inspection: twenty large ones. More are sent one by one.
INSPECTION = 400 * 2**20
#: All photos of which a model is asked at once: they are in memory here and in the prediction service.
PREDICTION = 128 * 2**20
#: Longest silence in a body; and its slowest pace, counted from the first byte, once the first seconds are over.
SILENCE_S = 20.0
SLOWEST = 4096
#: After a refusal the rest is thrown away for so long, so that the answer is read before the line is cut.
LINGER_S, LINGER_BYTES = 2.0, 4 * 2**20


@dataclass(frozen=True, slots=True)
class Large:
    """An address that takes more: ``most`` bytes, of those who may do this in what it names."""

    most: int
    action: Action


def large() -> dict[str, Large]:
    """By the name of the address."""
    return {
        "intake": Large(settings.UPLOAD_MAX_BYTES, Action.ADMIN),
        "api-intakes": Large(settings.UPLOAD_MAX_BYTES, Action.ADMIN),
        "imports": Large(settings.UPLOAD_MAX_BYTES, Action.ADMIN),
        "api-imports": Large(settings.UPLOAD_MAX_BYTES, Action.ADMIN),
        "model-import": Large(min(settings.UPLOAD_MAX_BYTES, MOST_MODEL + FORM), Action.ADMIN),
        "api-model-import": Large(min(settings.UPLOAD_MAX_BYTES, MOST_MODEL + FORM), Action.ADMIN),
        "api-versions": Large(MOST_WEIGHTS + MOST_MANIFEST + FORM, Action.ADMIN),
        "api-decide": Large(settings.INTAKE_MAX_BYTES + FORM, Action.DECIDE),
        "api-predict": Large(min(settings.UPLOAD_MAX_BYTES, PREDICTION), Action.PREDICT),
        "photos-like": Large(settings.INTAKE_MAX_BYTES + FORM, Action.REVIEW),
        "api-like": Large(settings.INTAKE_MAX_BYTES + FORM, Action.REVIEW),
        "api-inspections": Large(min(settings.UPLOAD_MAX_BYTES, INSPECTION), Action.OVERRULE),
        "api-inspection-photos": Large(settings.INTAKE_MAX_BYTES + FORM, Action.OVERRULE),
        "api-capture-photos": Large(settings.INTAKE_MAX_BYTES + FORM, Action.OVERRULE),
    }


class BoundedBodies:
    """An ASGI application around Django's."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        scope = _below_prefix(scope)
        answer = _Answer(send)
        body = _Body(receive)
        declared = _declared(scope)
        if not _is_text(scope):
            return await answer.give(_unreadable(scope))
        try:
            if (declared is not None and declared > SMALL) or not await body.take(SMALL):
                return await self._take_large(scope, declared, body, answer)
            await self._app(scope, body.messages, answer.send)
        except _Slow:
            await answer.give(_too_slow(scope))
        except OSError as error:
            trouble = trouble_of(error)
            if trouble is None or answer.begun:
                raise
            await answer.give(_troubled(scope, trouble))
        return None

    async def _take_large(self, scope: Message, declared: int | None, body: _Body, answer: _Answer) -> None:
        address = _address(scope)
        if address is None or (declared or 0) > address.large.most:
            await answer.give(_too_large(scope, address.large.most if address else SMALL))
        elif isinstance(allowed := address.exact and await _may_send(scope, address), Trouble):
            # Django would wait as long once more.
            await answer.give(_troubled(scope, allowed))
        elif not allowed:
            # Django says why, in its own words: it needs no body for that.
            await self._app(_without_body(scope), _nothing(body), answer.send)
        else:
            body.most = address.large.most
            await self._app(scope, body.messages, answer.send)
            if body.trouble is None:
                return
            await answer.give(
                _too_slow(scope) if body.trouble == "slow" else _too_large(scope, address.large.most)
            )
        await body.throw_away()


class _Slow(Exception):
    """The rest of a body does not come, or not in a useful time."""


class _Body:
    """What comes in: first read into memory, then handed on piece by piece, counted and watched."""

    def __init__(self, receive: Receive) -> None:
        self.most = SMALL
        self.trouble: str | None = None
        self._receive = receive
        self._began = time.monotonic()
        self._size = 0
        self._kept: list[Message] = []
        self._ended = False

    async def take(self, most: int) -> bool:
        """Read up to ``most`` bytes; whether that was all of it."""
        while not self._ended:
            if self._size > most:
                return False
            self._kept.append(await self._next())
        return self._size <= most

    async def messages(self) -> Message:
        """As ``receive`` of ASGI. A body that grows too large or too slow ends as if its sender had hung up."""
        if self._kept:
            return self._kept.pop(0)
        if self._ended:
            return await self._receive()
        try:
            message = await self._next()
        except _Slow:
            self.trouble = "slow"
        else:
            if self._size <= self.most:
                return message
            self.trouble = "large"
        self._ended = True
        return {"type": "http.disconnect"}

    async def disconnect(self) -> Message:
        """As ``receive`` of ASGI, once the body does not matter any more."""
        while not self._ended:
            await self._next()
        return await self._receive()

    async def throw_away(self) -> None:
        with suppress(TimeoutError, _Slow):
            async with asyncio.timeout(LINGER_S):
                until = self._size + LINGER_BYTES
                while not self._ended and self._size < until:
                    await self._next()

    async def _next(self) -> Message:
        late = self._began + SILENCE_S + self._size / SLOWEST - time.monotonic()
        try:
            async with asyncio.timeout(max(0.0, min(SILENCE_S, late))):
                message = await self._receive()
        except TimeoutError:
            raise _Slow from None
        self._size += len(message.get("body", b""))
        self._ended = message["type"] == "http.disconnect" or not message.get("more_body", False)
        return message


class _Answer:
    """Knows whether an answer was begun: there is only one."""

    def __init__(self, send: Send) -> None:
        self.begun = False
        self._send = send

    async def send(self, message: Message) -> None:
        self.begun = True
        await self._send(message)

    async def give(self, response: HttpResponse) -> None:
        if self.begun:
            return
        headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in response.items()]
        headers += [(b"content-length", str(len(response.content)).encode()), (b"connection", b"close")]
        await self.send({"type": "http.response.start", "status": response.status_code, "headers": headers})
        await self.send({"type": "http.response.body", "body": response.content})


@dataclass(frozen=True, slots=True)
class _Address:
    """``exact``: without a slash too many, which Django answers with the right address."""

    large: Large
    names: dict[str, Any]
    exact: bool


def _address(scope: Message) -> _Address | None:
    path = scope["path"].removeprefix(settings.PREFIX)
    if scope["method"] != "POST":
        return None
    try:
        match = resolve(path.rstrip("/"))
    except Resolver404:
        return None
    found = large().get(match.url_name or "")
    return _Address(found, match.kwargs, exact=not path.endswith("/")) if found else None


async def _may_send(scope: Message, address: _Address) -> bool | Trouble:
    async with ThreadSensitiveContext():
        return await sync_to_async(_is_allowed)(scope, address)


def _is_allowed(scope: Message, address: _Address) -> bool | Trouble:
    """Whether this person may do what the address is for, or why that cannot be found out."""
    try:
        request = ASGIRequest(scope, BytesIO())
        token = TokenAuthentication().authenticate(Request(request))
        if token is None:
            key = request.COOKIES.get(settings.SESSION_COOKIE_NAME)
            request.session = import_module(settings.SESSION_ENGINE).SessionStore(key)
        admitted(token[0] if token else get_user(request), address.large.action, address.names, FINDERS)
    except (DatabaseError, PoolTimeout) as error:
        return trouble_of(error) or False
    except (AuthenticationFailed, Http404, PermissionDenied, Refused, UnicodeDecodeError):
        return False
    finally:
        connection.close()
    return True


def _below_prefix(scope: Message) -> Message:
    """With the prefix that we are served below in front of the path, also where a proxy took it off."""
    prefix, path = settings.PREFIX, scope["path"]
    if not prefix or path.startswith(f"{prefix}/"):
        return scope
    return scope | {"path": f"{prefix}/" if path == prefix else f"{prefix}{path}"}


def _without_body(scope: Message) -> Message:
    """A page that refuses is asked for by GET: without its form, a POST would only be missing its token."""
    headers = [
        (n, v) for n, v in scope["headers"] if n.lower() not in (b"content-length", b"transfer-encoding")
    ]
    is_page = not scope["path"].removeprefix(settings.PREFIX).startswith("/api/")
    return scope | {"headers": headers, "method": "GET" if is_page else scope["method"]}


def _nothing(body: _Body) -> Receive:
    told = False

    async def receive() -> Message:
        nonlocal told
        if told:
            return await body.disconnect()
        told = True
        return {"type": "http.request", "body": b"", "more_body": False}

    return receive


def _declared(scope: Message) -> int | None:
    """The length that the header states; ``None`` for a body in chunks, or none."""
    stated = next((value for name, value in scope["headers"] if name.lower() == b"content-length"), b"")
    return int(stated) if stated.isdigit() else None


def _is_text(scope: Message) -> bool:
    """Whether the query can be read; Django's own refusal of one that cannot says nothing at all."""
    try:
        scope["query_string"].decode()
    except UnicodeDecodeError:
        return False
    return True


def _unreadable(scope: Message) -> HttpResponse:
    return _refusal(
        scope,
        "malformed",
        lambda: _("That was not possible"),
        lambda: _("The request could not be read."),
        400,
    )


def _too_large(scope: Message, most: int) -> HttpResponse:
    return _refusal(
        scope,
        "too_large",
        lambda: _("That is more than may be sent"),
        lambda: (
            _("This address takes at most %(limit)s\u00a0MB in one request. Send it in smaller parts.")
            % {"limit": most >> 20}
        ),
        413,
    )


def _too_slow(scope: Message) -> HttpResponse:
    return _refusal(
        scope,
        "too_slow",
        lambda: _("It took too long to arrive"),
        lambda: _("The connection was too slow, so nothing was taken in. Try again, or send less at once."),
        408,
    )


def _troubled(scope: Message, trouble: Trouble) -> HttpResponse:
    return _refusal(
        scope,
        trouble.code,
        lambda: str(trouble.title),
        lambda: str(trouble.message),
        trouble.status,
        trouble.retry_after,
    )


def _refusal(
    scope: Message,
    code: str,
    title: Callable[[], str],
    message: Callable[[], str],
    status: int,
    retry_after: int | None = None,
) -> HttpResponse:
    # The query does not matter for what is said, and may be one that no request can be made of.
    request = ASGIRequest(scope | {"query_string": b""}, BytesIO())
    with translation.override(translation.get_language_from_request(request)):
        return calm(
            request, title=title(), message=message(), code=code, status=status, retry_after=retry_after
        )
