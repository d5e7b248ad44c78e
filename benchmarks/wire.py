"""A bare, timed JSON connection: what a request costs, with as little of our own as can be."""

from __future__ import annotations

import http.client
import json
import socket
import time
from typing import Any
from urllib.parse import urlsplit


class Wire:
    """One kept-alive connection of one signed-in person. Not for several threads."""

    def __init__(self, url: str, token: str, *, timeout: float = 30.0) -> None:
        parts = urlsplit(url)
        assert parts.hostname is not None
        self._host, self._port, self._timeout = parts.hostname, parts.port, timeout
        self._headers = {"Authorization": f"Token {token}", "Content-Type": "application/json"}
        self._connection: http.client.HTTPConnection | None = None

    def post(self, path: str, body: dict[str, Any]) -> tuple[int, Any, float]:
        """Send; return the status, the JSON answer, and the milliseconds from first byte out to last byte in.

        Raises :class:`OSError` or :class:`http.client.HTTPException` when the connection breaks; the next call
        opens another one.
        """
        payload = json.dumps(body)
        try:
            if self._connection is None:
                self._connection = http.client.HTTPConnection(self._host, self._port, timeout=self._timeout)
                self._connection.connect()
                self._connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            began = time.perf_counter()
            self._connection.request("POST", f"/api/v1/{path}", payload, self._headers)
            response = self._connection.getresponse()
            content = response.read()
            took = (time.perf_counter() - began) * 1000
        except (OSError, http.client.HTTPException):
            self.close()
            raise
        return response.status, _json(content), took

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _json(content: bytes) -> Any:
    try:
        return json.loads(content) if content else None
    except ValueError:
        return None
