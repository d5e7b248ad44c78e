"""What may be done with endpoints and deliveries."""

from labeling.notify.calling_back import call_back_on_inspection, call_back_on_photo
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
    "call_back_on_inspection",
    "call_back_on_photo",
    "change_endpoint",
    "make_endpoint",
    "remove_endpoint",
    "renew_secret",
    "replay",
    "send_test",
    "switch_off",
    "switch_on",
]
