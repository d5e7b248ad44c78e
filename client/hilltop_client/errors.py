"""What the server refused, in its own words."""

from __future__ import annotations

from typing import Any

import httpx


class HilltopError(Exception):
    """``code`` is for programs, ``message`` says what to do, ``fields`` names what was wrong; ``status`` is HTTP's, or 0."""

    def __init__(
        self, code: str, message: str, *, status: int = 0, fields: dict[str, Any] | None = None
    ) -> None:
        super().__init__(message)
        self.code, self.message, self.status, self.fields = code, message, status, fields or {}


def raise_refused(response: httpx.Response) -> None:
    """Raise :class:`HilltopError` for an answer that is none; do nothing for any other."""
    if response.is_success:
        return
    try:
        error = response.json()["error"]
        code, message, fields = error["code"], error["message"], error.get("fields")
    except (ValueError, KeyError, TypeError):  # a proxy's page
        code, message, fields = "no_answer", f"{response.request.url} answered {response.status_code}.", None
    raise HilltopError(code, message, status=response.status_code, fields=fields)
