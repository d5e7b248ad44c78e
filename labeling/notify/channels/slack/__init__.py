"""Slack: what somebody can act on is a message of its own, what follows on it comes in its thread, all else in digests."""

from labeling.notify.channels.slack.choosing import choose
from labeling.notify.channels.slack.sending import SCHEME

__all__ = ["SCHEME", "choose"]
