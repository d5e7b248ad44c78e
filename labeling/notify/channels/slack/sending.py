"""One message is one call of Slack's API, and so one attempt: none is half done.

What is sent twice changes the message, as far as Slack has said where that stands.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

from django.utils import translation

from labeling.notify.channels.channel import Answer, Send, Told
from labeling.notify.channels.slack import messages
from labeling.notify.channels.slack.api import call
from labeling.notify.channels.slack.blocks import Message
from labeling.notify.kinds.testing import TEST
from labeling.notify.models import Endpoint, SlackMessage

#: How a channel is written where others have a URL.
SCHEME = "slack:"
OPENED, RULED = "dispute.opened", "dispute.ruled"
#: What somebody can act on.
ALONE = {OPENED, "certificate.suspended", "monitor.alerted", "week.over", TEST}
#: Seconds from one message to the next: Slack takes one a second of each channel
#: (https://docs.slack.dev/apis/web-api/rate-limits).
PACE_S = 1.0
#: The subject of digests.
DIGEST = "digest"
#: Of a message that is to be changed: there is nothing left to change.
_GONE = {"message_not_found", "channel_not_found", "cant_update_message", "is_archived"}


def prepare_one(endpoint: Endpoint, told: Sequence[Told]) -> Send:
    [each] = told
    event, data = each.event, (each.body or {}).get("data", {})
    there = SlackMessage.objects.filter(endpoint=endpoint)
    message = there.filter(dispute=data.get("dispute")).first() if event.kind == RULED and data else None
    if message is None:
        about = data.get("dispute") if event.kind == OPENED else None
        message, _made = there.update_or_create(
            endpoint=endpoint,
            event=event.uuid,
            defaults={"subject": event.subject, "dispute": about},
        )
    message.endpoint = endpoint
    with translation.override(endpoint.language or None):
        said = messages.of_dispute(message) if message.dispute else messages.of_event(endpoint, each)
    root = there.filter(subject=event.subject).exclude(ts="").exclude(pk=message.pk).order_by("at").first()
    thread = {"thread_ts": root.ts, "reply_broadcast": event.kind in ALONE} if root else {}
    return _sends(message, said, thread)


def prepare_several(endpoint: Endpoint, told: Sequence[Told]) -> Send:
    message = SlackMessage.objects.create(endpoint=endpoint, event=uuid4(), subject=DIGEST)
    with translation.override(endpoint.language or None):
        return _sends(message, messages.of_several(endpoint, told))


def changed(message: SlackMessage) -> Send:
    """How to bring a message of a dispute up to date."""
    with translation.override(message.endpoint.language or None):
        return _sends(message, messages.of_dispute(message))


def _sends(message: SlackMessage, said: Message, thread: Mapping[str, Any] | None = None) -> Send:
    """Where the message is there already, it is changed."""
    asked = said.said()
    if message.ts:
        method, asked = "chat.update", asked | {"channel": message.channel, "ts": message.ts}
    else:
        method, asked = "chat.postMessage", asked | {"channel": message.endpoint.url.removeprefix(SCHEME)}
        asked |= thread or {}

    def send() -> Answer:
        answer, answered = call(method, asked)
        if answered.get("error") == "invalid_blocks" and (words := _without_picture(asked)) != asked:
            answer, answered = call(method, words)
        if method == "chat.update" and answered.get("error") in _GONE:
            return Answer(200, str(answered["error"]), rest=PACE_S)
        if not answer.taken:
            return answer
        where = {"channel": str(answered.get("channel"))[:32], "ts": str(answered.get("ts"))[:32]}
        there = SlackMessage.objects.filter(pk=message.pk)
        return Answer(answer.status, rest=PACE_S, keep=lambda: there.update(**where))

    return send


def _without_picture(asked: Mapping[str, Any]) -> dict[str, Any]:
    """For Slack takes no message with a picture that it cannot fetch."""
    return {**asked, "blocks": [each for each in asked["blocks"] if each["type"] != "image"]}
