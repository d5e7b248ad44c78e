"""The web process asks the prediction service of its machine. It loads nothing of what that one runs."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.utils.translation import gettext as _

from labeling.refusals import Refused
from labeling.serving.frames import framed

#: The service gives up a little earlier, and says so.
PATIENCE_S = 30.0
#: Of metrics: they are not worth waiting for.
BRIEFLY_S = 2.0


class ServiceAway(Exception):
    """Nobody answers, or the service has too much to do, or cannot reach the database or the store. It may in a moment."""


class _Line(http.client.HTTPConnection):
    """HTTP through a socket that is a file."""

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(settings.PREDICT_SOCKET))


def probabilities(
    photos: Sequence[bytes], *, project: int, version: int, shadow: int | None
) -> tuple[int, list[dict[str, Any]]]:
    """The version (id) that answered, and for each photo ``probabilities`` (k,), or the code of its ``error``.

    It is another version than was asked for where that one is still being loaded. Raises :class:`ServiceAway`, and
    :class:`Refused` ``damaged`` (409) where the version cannot be loaded.
    """
    asked = {"project": project, "version": version} | ({} if shadow is None else {"shadow": shadow})
    status, body = _ask("POST", f"/predict?{urlencode(asked)}", framed(photos), PATIENCE_S)
    if status == 503:
        raise ServiceAway(json.loads(body)["code"])
    told = json.loads(body)
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
    return _ask("GET", "/metrics", None, BRIEFLY_S)[1]


def _ask(method: str, address: str, body: bytes | None, patience_s: float) -> tuple[int, bytes]:
    line = _Line("predictions", timeout=patience_s)
    try:
        line.request(method, address, body)
        answer = line.getresponse()
        return answer.status, answer.read()
    except (OSError, http.client.HTTPException) as error:
        raise ServiceAway(repr(error)) from None
    finally:
        line.close()
