"""The web process asks the prediction service of its machine. It loads nothing of what that one runs."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.db import connection
from django.utils.translation import gettext as _

from labeling.refusals import Refused
from labeling.serving.frames import framed

#: The service gives up a little earlier, and says so.
PATIENCE_S = 30.0
#: Of metrics: they are not worth waiting for.
BRIEFLY_S = 2.0
#: Requests of a web process that wait for predictions, each with its photos in memory: with two such processes, as many as
#: the service works on side by side.
MOST_OPEN = 16
_open = threading.BoundedSemaphore(MOST_OPEN)


class ServiceAway(Exception):
    """Nobody answers, or the service has too much to do, or cannot reach the database or the store. It may in a moment."""


class _Line(http.client.HTTPConnection):
    """HTTP through a socket that is a file."""

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(settings.PREDICT_SOCKET))


def probabilities(
    photos: Sequence[bytes],
    *,
    project: int,
    version: int,
    shadow: int | None,
    meanwhile: Callable[[], object] = lambda: None,
) -> tuple[int, list[dict[str, Any]]]:
    """The version (id) that answered, and for each photo ``probabilities`` (k,), or the code of its ``error``.

    It is another version than was asked for where that one is still being loaded. While the service works ``meanwhile`` is
    called, then the caller's database connection is given back, outside of a transaction. Raises :class:`ServiceAway`, and
    :class:`Refused` ``damaged`` (409) where the version cannot be loaded.
    """

    def then_let_go() -> None:
        meanwhile()
        if not connection.in_atomic_block:
            connection.close()

    asked = {"project": project, "version": version} | ({} if shadow is None else {"shadow": shadow})
    with _waiting():
        status, body = _ask("POST", f"/predict?{urlencode(asked)}", framed(photos), PATIENCE_S, then_let_go)
    try:
        told = json.loads(body)
    except ValueError:  # of the server around the service, which could not start it
        raise ServiceAway(f"{status} {body[:100]!r}") from None
    if status == 503:
        raise ServiceAway(told["code"])
    if status == 409:
        raise Refused(
            "damaged",
            _("The champion says nothing of photos, as it cannot be loaded: %(why)s") % {"why": told["why"]},
        )
    if status != 200:
        raise RuntimeError(f"the prediction service answered {status}: {told}")
    return told["version"], told["photos"]


def metrics() -> bytes:
    """The service's figures, in Prometheus' text format. Raises :class:`ServiceAway`."""
    status, body = _ask("GET", "/metrics", None, BRIEFLY_S)
    if status != 200:
        raise ServiceAway(f"{status} {body[:100]!r}")
    return body


@contextmanager
def _waiting() -> Iterator[None]:
    """One of those that wait. Raises :class:`ServiceAway` where they are too many."""
    if not _open.acquire(blocking=False):
        raise ServiceAway(f"{MOST_OPEN} requests of this web process wait for it already")
    try:
        yield
    finally:
        _open.release()


def _ask(
    method: str,
    address: str,
    body: bytes | None,
    patience_s: float,
    meanwhile: Callable[[], None] = lambda: None,
) -> tuple[int, bytes]:
    line = _Line("predictions", timeout=patience_s)
    try:
        line.request(method, address, body)
        meanwhile()
        answer = line.getresponse()
        return answer.status, answer.read()
    except (OSError, http.client.HTTPException) as error:
        raise ServiceAway(repr(error)) from None
    finally:
        line.close()
