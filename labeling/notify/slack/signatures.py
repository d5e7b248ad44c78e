"""Whether Slack sent a request (https://docs.slack.dev/authentication/verifying-requests-from-slack)."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest
from slack_sdk.signature import SignatureVerifier


def is_slacks(request: HttpRequest) -> bool:
    """By the HMAC-SHA256 of the body and of a moment within five minutes, compared in constant time."""
    at = request.headers.get("X-Slack-Request-Timestamp", "")
    signed = request.headers.get("X-Slack-Signature", "")
    if not (at.isascii() and at.isdigit() and len(at) < 12 and signed.isascii()):
        return False
    try:
        return SignatureVerifier(settings.SLACK_SIGNING_SECRET).is_valid(request.body, at, signed)
    except UnicodeDecodeError:
        return False
