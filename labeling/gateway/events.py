"""Live events for pages: a stream that says which part of a project changed, never what changed."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator

from asgiref.sync import sync_to_async
from django.db import connection
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET

from labeling.catalog.permissions import Action, project_for
from labeling.gateway.hub import ENDED, Mailbox, hub

HEARTBEAT_S = 15.0
#: At most two events of a kind a second: what comes in between is told together.
BREATH_S = 0.5
#: Then the browser connects again and is checked again: memberships end, sessions too.
LONGEST_S = 15 * 60.0


@csrf_exempt
@require_GET  # not HEAD: the answer has no end
async def events(request: HttpRequest, slug: str) -> HttpResponseBase:
    """``/p/<slug>/events``: server-sent events ``watching`` (from now on nothing is missed), ``jobs``, ``progress``,
    ``activity``; data of these is ``{"at": iso time}``."""
    admitted = await sync_to_async(_admit)(request, slug)
    if admitted is None:
        return HttpResponse("Sign in first.\n", status=401, content_type="text/plain; charset=utf-8")
    response = StreamingHttpResponse(Watch(*admitted), content_type="text/event-stream")
    response["Cache-Control"] = "no-store"
    response["X-Accel-Buffering"] = "no"
    return response


def _admit(request: HttpRequest, slug: str) -> tuple[int, int] | None:
    """The project's id and the person's if they may watch it, ``None`` for strangers without a session."""
    try:
        if not request.user.is_authenticated:
            return None
        return project_for(request.user, slug, Action.VIEW).pk, request.user.pk
    finally:
        # The request lasts as long as the page is open; its database connection must not.
        if not connection.in_atomic_block:
            connection.close()


class Watch:
    """What one viewer is told, as the content of a response: it watches from the first byte on until it is closed.

    Django closes a response's content with the response, but only what has a ``close``: an asynchronous generator
    that a vanished viewer leaves waiting at its ``yield`` would keep its mailbox until the garbage collector comes.
    """

    def __init__(self, project_id: int, user_id: int) -> None:
        self._project_id = project_id
        self._hub, self._box = hub(), Mailbox(user_id)
        self._loop = asyncio.get_running_loop()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        end = time.monotonic() + LONGEST_S
        try:
            await self._hub.watch(self._project_id, self._box)
            # The answer's head goes out before anybody listens: what comes between is told by nobody.
            yield b"retry: 3000\nevent: watching\ndata: {}\n\n"
            while time.monotonic() < end:
                kinds = await self._box.take(timeout=HEARTBEAT_S)
                if not kinds:
                    yield b": still here\n\n"
                    continue
                if ENDED in kinds:
                    break
                data = json.dumps({"at": timezone.now().isoformat()})
                yield "".join(f"event: {kind}\ndata: {data}\n\n" for kind in sorted(kinds)).encode()
                await asyncio.sleep(BREATH_S)
        finally:
            self._leave()

    def close(self) -> None:
        """Leave, from whichever thread Django closes the response in."""
        self._loop.call_soon_threadsafe(self._leave)

    def _leave(self) -> None:
        self._hub.leave(self._project_id, self._box)
