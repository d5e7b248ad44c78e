"""The one exception by which a service says no to a person, with what to do about it."""

from __future__ import annotations

from typing import Any


class Refused(Exception):
    """A request that cannot be done, and why. Nothing was changed.

    ``code`` is for programs and stays the same; ``message`` is for people and says what to do;
    ``status`` is the HTTP status (4xx); ``fields`` maps input names to messages.
    """

    def __init__(
        self, code: str, message: str, *, status: int = 409, fields: dict[str, Any] | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = str(message)
        self.status = status
        self.fields = fields or {}
