"""How endpoints are told, a file a channel: of one event after the other, or of all that waits in one message."""

from __future__ import annotations

from labeling.notify.channels import mail, webhook
from labeling.notify.channels.channel import Prepare, PrepareDigest
from labeling.notify.models import Channel

CHANNELS: dict[str, Prepare] = {Channel.WEBHOOK: webhook.prepare}
DIGESTS: dict[str, PrepareDigest] = {Channel.MAIL: mail.prepare}
