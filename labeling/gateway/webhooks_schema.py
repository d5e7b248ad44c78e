"""The catalogue of events in the API's schema, as OpenAPI 3.1 tells webhooks."""

from __future__ import annotations

from typing import Any

from labeling.notify.bodies import schema_of
from labeling.notify.kinds import KINDS
from labeling.notify.kinds.kind import Kind

_HEADERS = {
    "webhook-id": "Of the event, and the same each time it is sent: what has been taken once is not done again.",
    "webhook-timestamp": "Of the attempt, in seconds since 1970.",
    "webhook-signature": "`v1,` and the HMAC-SHA256 of `id.timestamp.body`, in base64; several are parted by spaces.",
}


def add_webhooks(result: dict[str, Any], **_named: Any) -> dict[str, Any]:
    """A post-processing hook of drf-spectacular."""
    result["webhooks"] = {name: {"post": _operation(kind)} for name, kind in KINDS.items()}
    return result


def _operation(kind: Kind) -> dict[str, Any]:
    parameters = [
        {"in": "header", "name": name, "required": True, "description": says, "schema": {"type": "string"}}
        for name, says in _HEADERS.items()
    ]
    return {
        "operationId": kind.name.replace(".", "_"),
        "description": kind.says,
        "tags": ["webhooks"],
        "parameters": parameters,
        "requestBody": {"required": True, "content": {"application/json": {"schema": schema_of(kind)}}},
        "responses": {
            "2XX": {"description": "Taken. All else is tried again, for a day; 410 ends it."},
        },
    }
