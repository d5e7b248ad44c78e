"""A person's line to Hilltop, who does as the browser does: what broke off or could not be done is sent again as it was."""

from __future__ import annotations

import http.client
import json
import random
import threading
import time
from collections.abc import Callable
from typing import Any

from benchmarks.chaos.ledger import Ledger
from benchmarks.wire import Wire

#: For how long somebody tries to get one thing done.
PATIENCE_S = 90.0


class Line:
    """``flaky``: set while lines break between the request and its answer. Not for several threads."""

    def __init__(
        self,
        url: str,
        token: str,
        *,
        ledger: Ledger,
        stop: threading.Event,
        flaky: threading.Event,
        dice: random.Random,
    ) -> None:
        self._wire = Wire(url, token, timeout=15)
        self._ledger, self._stop, self._flaky, self._dice = ledger, stop, flaky, dice
        #: Whether the last answer came to a request that had been sent before.
        self.sent_again = False

    def post(self, path: str, body: dict[str, Any] | None = None) -> tuple[int, Any] | None:
        """The first answer below 500; ``None`` when there is none in time, or the end came first."""
        payload = json.dumps(body or {}).encode()
        if self._flaky.is_set() and self._dice.random() < 0.5:
            self._break_off("POST", path, payload)
        return self.deliver(lambda: self._wire.ask("POST", path, payload), f"POST {path}")

    def upload(self, path: str, payload: bytes, content_type: str) -> tuple[int, Any] | None:
        """As :meth:`post`, of a body that is no JSON."""
        return self.deliver(lambda: self._wire.ask("POST", path, payload, content_type), f"POST {path}")

    def patch(self, path: str, body: dict[str, Any]) -> tuple[int, Any] | None:
        """As :meth:`post`."""
        payload = json.dumps(body).encode()
        return self.deliver(lambda: self._wire.ask("PATCH", path, payload), f"PATCH {path}")

    def get(self, path: str) -> tuple[int, Any] | None:
        return self.deliver(lambda: self._wire.ask("GET", path), f"GET {path}")

    def deliver(self, send: Callable[[], tuple[int, bytes]], asked: str) -> tuple[int, Any] | None:
        deadline = time.monotonic() + PATIENCE_S
        self.sent_again = False
        while time.monotonic() < deadline:
            try:
                status, content = send()
            except (OSError, http.client.HTTPException):
                self._ledger.broken_off += 1
            else:
                if status < 500:
                    return status, _read(content)
                said = content.decode(errors="replace")[:300]
                self._ledger.refused(status, asked, said)
            self.sent_again = True
            if self._stop.wait(self._dice.uniform(0.1, 0.5)):
                return None
        return None

    def close(self) -> None:
        self._wire.close()

    def _break_off(self, method: str, path: str, payload: bytes) -> None:
        self._ledger.broken_off += 1
        try:
            self._wire.send_and_hang_up(method, path, payload)
        except (OSError, http.client.HTTPException):
            return


def _read(content: bytes) -> Any:
    try:
        return json.loads(content) if content else None
    except ValueError:
        return None
