"""Webhooks by Standard Webhooks (https://www.standardwebhooks.com): a signed POST, which an answer of 2xx takes.

Redirects are not followed, and addresses inside are not reached (:mod:`labeling.http.public_addresses`).
"""

from __future__ import annotations

import json
from time import monotonic
from typing import Any

from django.utils import timezone
from standardwebhooks import Webhook

from labeling.http.public_addresses import NotFetched, request
from labeling.notify.channels import retry_after
from labeling.notify.channels.channel import Answer, Send
from labeling.notify.models import Endpoint, Event
from labeling.notify.secrets import secrets_of
from labeling.text.plain import plain

#: Seconds for all of one attempt.
ATTEMPT_S = 15.0
#: Bytes of an answer that the log keeps.
KEPT_BYTES = 500


def prepare(endpoint: Endpoint, event: Event, body: dict[str, Any]) -> Send:
    return post(endpoint.url, endpoint, event, body)


def post(url: str, endpoint: Endpoint, event: Event, body: dict[str, Any]) -> Send:
    """To ``url``, signed with the endpoint's secrets."""
    secrets, name = secrets_of(endpoint), event.name
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))

    def send() -> Answer:
        if not secrets:
            return Answer(error="Its secret cannot be read: renew it.")
        now = timezone.now()
        signatures = (Webhook(secret).sign(name, now, text) for secret in secrets)
        headers = {
            "Content-Type": "application/json",
            "webhook-id": name,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": " ".join(signatures),
        }
        try:
            deadline = monotonic() + ATTEMPT_S
            with request("POST", url, headers, body=text.encode(), deadline=deadline) as response:
                kept = response.read(KEPT_BYTES).decode("utf-8", "replace")
                rest = retry_after.seconds(response.getheader("Retry-After"))
                return Answer(
                    response.status, plain(kept), rest=0.0 if 200 <= response.status < 300 else rest
                )
        except NotFetched as error:
            return Answer(error=str(error)[:300])

    return send
