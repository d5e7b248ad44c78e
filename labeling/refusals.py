"""The one exception by which a service says no to a person, with what to do about it."""

from __future__ import annotations

from typing import Any


class Refused(Exception):
    """A request that cannot be done, and why. Nothing was changed.

    ``code`` is for programs and stays the same; ``message`` is for people and says what to do;
    ``status`` is the HTTP status (4xx); ``fields`` maps input names to messages; ``retry_after``: seconds after which the
    same may be tried again, of a 429.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        status: int = 409,
        fields: dict[str, Any] | None = None,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = str(message)
        self.status = status
        self.fields = fields or {}
        self.retry_after = retry_after

    @classmethod
    def invalid(cls, field: str | None, message: str, *, short: Any = None, code: str = "invalid") -> Refused:
        """What was sent was understood and cannot be taken (422): the input named ``field``, or all of it.

        ``short`` is what stands beside the input where it is less than the whole ``message``.
        """
        fields = {} if field is None else {field: message if short is None else short}
        return cls(code, message, status=422, fields=fields)

    @classmethod
    def invalid_fields(cls, fields: dict[str, Any], message: str = "") -> Refused:
        """As :meth:`invalid`, of several inputs: name to what is wrong. Without a ``message`` they are said in a row."""
        return cls("invalid", message or " ".join(map(str, fields.values())), status=422, fields=fields)
