"""How endpoints are told, a file a channel."""

from __future__ import annotations

from labeling.notify.channels import webhook
from labeling.notify.channels.channel import Prepare
from labeling.notify.models import Channel

CHANNELS: dict[str, Prepare] = {Channel.WEBHOOK: webhook.prepare}
