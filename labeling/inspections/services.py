"""What the inspections do for pages, the API and the rooms above: one import for all their writes."""

from labeling.inspections.archiving import archive_protocol, restore_protocol
from labeling.inspections.capture.links import make_link, prolong_link, revoke_link
from labeling.inspections.capture.sending import hand_in, take_photo
from labeling.inspections.earlier import Earlier, show_earlier, show_earlier_at_review
from labeling.inspections.judging import advice_on
from labeling.inspections.looking import look
from labeling.inspections.overruling import overrule
from labeling.inspections.photographed import Sent
from labeling.inspections.protocols import create_protocol, publish_version
from labeling.inspections.recording import Recorded, add_photo, record_inspection, refuse_later, submit
from labeling.inspections.trying import try_rules
from labeling.inspections.wanting import want_look

__all__ = [
    "Earlier",
    "Recorded",
    "Sent",
    "add_photo",
    "advice_on",
    "archive_protocol",
    "create_protocol",
    "hand_in",
    "look",
    "make_link",
    "overrule",
    "prolong_link",
    "publish_version",
    "record_inspection",
    "refuse_later",
    "restore_protocol",
    "revoke_link",
    "show_earlier",
    "show_earlier_at_review",
    "submit",
    "take_photo",
    "try_rules",
    "want_look",
]
