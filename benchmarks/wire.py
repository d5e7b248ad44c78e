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

        Raises as :meth:`ask`.
        """
        self._connect()
        began = time.perf_counter()
        status, content = self.ask("POST", path, json.dumps(body).encode())
        return status, _json(content), (time.perf_counter() - began) * 1000

    def ask(
        self, method: str, path: str, payload: bytes | None = None, content_type: str = "application/json"
    ) -> tuple[int, bytes]:
        """The status and the body of the answer.

        Raises :class:`OSError` or :class:`http.client.HTTPException` when the connection breaks; the next call
        opens another one.
        """
        line = self._connect()
        try:
            line.request(method, f"/api/v1/{path}", payload, {**self._headers, "Content-Type": content_type})
            response = line.getresponse()
            return response.status, response.read()
        except (OSError, http.client.HTTPException):
            self.close()
            raise

    def send_and_hang_up(self, method: str, path: str, payload: bytes) -> None:
        """Send all of it, and be gone before there is an answer. Raises as :meth:`ask`."""
        self.close()
        line = http.client.HTTPConnection(self._host, self._port, timeout=self._timeout)
        try:
            line.request(method, f"/api/v1/{path}", payload, self._headers)
        finally:
            line.close()

    def _connect(self) -> http.client.HTTPConnection:
        if self._connection is None:
            line = http.client.HTTPConnection(self._host, self._port, timeout=self._timeout)
            line.connect()
            line.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._connection = line
        return self._connection

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _json(content: bytes) -> Any:
    try:
        return json.loads(content) if content else None
    except ValueError:
        return None
