"""Slack's Web API (https://docs.slack.dev/apis/web-api/): a method called once, through the guard of all that goes out."""

from __future__ import annotations

import json
from time import monotonic
from typing import Any

from django.conf import settings

from labeling.http.public_addresses import NotFetched, request
from labeling.notify.channels import retry_after
from labeling.notify.channels.channel import Answer
from labeling.text.plain import plain

#: Seconds for all of one call, and the most bytes that are read of its answer.
CALL_S, MOST_BYTES = 15.0, 2**20
_KEPT = 500


def call(method: str, said: dict[str, Any]) -> tuple[Answer, dict[str, Any]]:
    """What came of it, and what Slack said, where it is JSON. Asks no database, and raises nothing."""
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "Authorization": f"Bearer {settings.SLACK_TOKEN}",
    }
    body = json.dumps(said, ensure_ascii=False).encode()
    try:
        with request(
            "POST", settings.SLACK_API + method, headers, body=body, deadline=monotonic() + CALL_S
        ) as response:
            text = response.read(MOST_BYTES).decode("utf-8", "replace")
            status, rest = response.status, retry_after.seconds(response.getheader("Retry-After"))
    except NotFetched as error:
        return Answer(error=str(error)[:300]), {}
    answered = _read(text)
    if not 200 <= status < 300:
        return Answer(status, plain(text)[:_KEPT], rest=rest), answered
    if answered.get("ok") is not True:  # Slack says no with 200
        return Answer(error=f"Slack: {plain(str(answered.get('error') or 'no answer'))}"[:300]), answered
    return Answer(status), answered


def _read(text: str) -> dict[str, Any]:
    try:
        read = json.loads(text)
    except ValueError:
        return {}
    return read if isinstance(read, dict) else {}
