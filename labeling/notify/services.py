"""What may be done with endpoints and deliveries."""

from labeling.notify.endpoints import (
    change_endpoint,
    make_endpoint,
    remove_endpoint,
    renew_secret,
    replay,
    send_test,
)
from labeling.notify.switching import switch_off, switch_on

__all__ = [
    "change_endpoint",
    "make_endpoint",
    "remove_endpoint",
    "renew_secret",
    "replay",
    "send_test",
    "switch_off",
    "switch_on",
]
