"""What the frontier does for pages, the API and the rooms above: one import for all its writes."""

from labeling.frontier.certificates import end_certificates, in_force, suspend
from labeling.frontier.changing_policy import set_policy
from labeling.frontier.deciding import decide, keep_aside, overrule, verdict_on
from labeling.frontier.drawing import MOST_DRAWN, draw_for_band, draw_random
from labeling.frontier.requests import (
    certify_when_wanted,
    look_again_when_due,
    request_certification,
    request_deciding,
    request_watching,
)

__all__ = [
    "MOST_DRAWN",
    "certify_when_wanted",
    "decide",
    "draw_for_band",
    "draw_random",
    "end_certificates",
    "in_force",
    "keep_aside",
    "look_again_when_due",
    "overrule",
    "request_certification",
    "request_deciding",
    "request_watching",
    "set_policy",
    "suspend",
    "verdict_on",
]
