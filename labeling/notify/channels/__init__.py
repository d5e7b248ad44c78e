"""How endpoints are told, a file a channel: of one event after the other, or of several in one message."""

from __future__ import annotations

from labeling.notify.channels import call_back, mail, slack, webhook
from labeling.notify.channels.channel import Choose, Prepare
from labeling.notify.models import Channel

CHANNELS: dict[str, Prepare] = {Channel.WEBHOOK: webhook.prepare, Channel.CALL_BACK: call_back.prepare}
DIGESTS: dict[str, Choose] = {Channel.MAIL: mail.choose, Channel.SLACK: slack.choose}
