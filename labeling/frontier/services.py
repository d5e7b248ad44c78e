"""What the frontier does for pages, the API and the rooms above: one import for all its writes."""

from labeling.frontier.arrivals import leave_rest_to_people
from labeling.frontier.assisting import assist
from labeling.frontier.auditing import audit_closely, look_at_open_audits
from labeling.frontier.certificates import end_certificates, in_force, suspend
from labeling.frontier.changing_policy import set_policy
from labeling.frontier.deciding import decide, decide_one, overrule, withdraw_decided
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
    "assist",
    "audit_closely",
    "certify_when_wanted",
    "decide",
    "decide_one",
    "draw_for_band",
    "draw_random",
    "end_certificates",
    "in_force",
    "leave_rest_to_people",
    "look_again_when_due",
    "look_at_open_audits",
    "overrule",
    "request_certification",
    "request_deciding",
    "request_watching",
    "set_policy",
    "suspend",
    "withdraw_decided",
]
