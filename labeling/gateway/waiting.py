"""Answers that are worth a moment's wait. Meanwhile a request holds no thread at work, no transaction and no database line.

A view answers at once, and leaves with its response how to ask once more (:func:`worth_waiting_for`). The whole answer is
held back in the event loop until the project's live events say that something changed, and then is asked for again. It
goes out as soon as what it is to bring is there, and as it is when the time is over. Who hangs up is forgotten at once.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIHandler
from django.db import connections
from django.http import HttpRequest, HttpResponseBase
from django.utils import translation
from django.utils.translation import gettext as _
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from labeling.gateway.errors import exception_handler
from labeling.gateway.hub import ENDED, Mailbox, hub
from labeling.gateway.trouble import trouble_of
from labeling.refusals import Refused

logger = logging.getLogger(__name__)

LONGEST_S = 30
#: However much happens in a project, and also where no event tells of it.
ASK_AT_MOST_EVERY_S, ASK_AT_LEAST_EVERY_S = 0.5, 3.0
#: Of a web process, so that who waits leaves the database to who works.
ASKING_AT_ONCE = 4

#: The answer as it is now, and whether what is waited for has come.
Ask = Callable[[], tuple[Response, bool]]


@dataclass(frozen=True, slots=True)
class Wait:
    """``ask`` is called in the request's thread, any number of times, until it says that this is the end of it."""

    project_id: int
    user_id: int
    until: float
    language: str
    ask: Ask


def seconds_to_wait(request: Request) -> float:
    """The query's ``wait``. Raises :class:`Refused` where it is no number of seconds that anybody may wait."""
    text = request.query_params.get("wait", "0")
    try:
        seconds = float(text) if text.isascii() and "_" not in text else -1.0
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= LONGEST_S:  # nor is it what is no number at all
        message = _("Send how many seconds to wait, from 0 to %(most)d.") % {"most": LONGEST_S}
        raise Refused.invalid("wait", message, short=[message])
    return seconds


def worth_waiting_for(
    response: Response, *, project_id: int, user_id: int, seconds: float, ask: Ask
) -> Response:
    """``response``, which goes out when ``ask`` has what is waited for, or after ``seconds`` as it is then."""
    until, language = time.monotonic() + seconds, translation.get_language() or ""
    response.wait = Wait(project_id, user_id, until, language, ask)  # type: ignore[attr-defined]
    return response


class PatientHandler(ASGIHandler):
    """Django's, which holds back what is worth waiting for. By then all middleware is done, and its thread at rest.

    From the first middleware to the view a request stays in one thread. Django's own would call each hook of a view from the
    event loop, and move it to a thread and back. An asynchronous view still runs in the loop; its stream holds no thread.
    """

    def __init__(self) -> None:
        super().__init__()
        self._asking = asyncio.Semaphore(ASKING_AT_ONCE)

    def load_middleware(self, is_async: bool = False) -> None:
        super().load_middleware(is_async=False)
        chain: Callable[[HttpRequest], HttpResponseBase] = self._middleware_chain  # type: ignore[has-type]
        self._middleware_chain = sync_to_async(chain, thread_sensitive=True) if is_async else chain

    async def send_response(self, response: HttpResponseBase, send: Any) -> None:
        wait: Wait | None = getattr(response, "wait", None)
        if wait is not None and isinstance(response, Response):
            await self._outlast(response, wait)
        await super().send_response(response, send)

    async def _outlast(self, response: Response, wait: Wait) -> None:
        await sync_to_async(connections.close_all)()
        ours, box = hub(), Mailbox(wait.user_id)
        try:
            await ours.watch(wait.project_id, box)
            while True:
                async with self._asking:
                    better, is_over = await sync_to_async(_ask)(wait)
                if better is not None:
                    _replace(response, better)
                left = wait.until - time.monotonic()
                if is_over or left <= 0:
                    return
                pause = min(ASK_AT_MOST_EVERY_S, left)
                await asyncio.sleep(pause)
                if ENDED in await box.take(timeout=max(min(ASK_AT_LEAST_EVERY_S, left) - pause, 0)):
                    return
        finally:
            ours.leave(wait.project_id, box)


def _ask(wait: Wait) -> tuple[Response | None, bool]:
    """What is told now, and whether that is the end of it. Nothing while the database is away: it may come back in time."""
    try:
        with translation.override(wait.language):
            return wait.ask()
    except Exception as error:  # what a view would answer to it
        if trouble_of(error) is not None:
            return None, False
        refused = exception_handler(error, {})
        if refused is None:
            logger.exception("What somebody waited for could not be asked for; told is what it was before.")
        return refused, True
    finally:
        connections.close_all()


def _replace(response: Response, better: Response) -> None:
    """Put the better answer into the one that all middleware has seen."""
    response.status_code = better.status_code
    response.content = JSONRenderer().render(better.data)
    for name, value in better.items():
        response[name] = value
    response["Content-Length"] = str(len(response.content))
