"""The one JSON shape of every refusal: ``{"error": {"code": str, "message": str, "fields"?: {name: [message, ...]}}}``."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.functional import Promise

API = "/api/"


def envelope(code: str, message: str, fields: dict[str, Any] | None = None) -> dict[str, Any]:
    error: dict[str, Any] = {"code": code, "message": str(message)}
    if fields:
        error["fields"] = {
            name: [messages] if isinstance(messages, str | Promise) else messages
            for name, messages in fields.items()
        }
    return {"error": error}


def wants_json(request: HttpRequest) -> bool:
    """Whether a program asks. ``path_info`` is the address without the prefix that we are served below."""
    return f"{request.path_info}/".startswith(API)
