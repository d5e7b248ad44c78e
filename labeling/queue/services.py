"""What the queue does for pages, the API and the rooms above: one import for all its writes."""

from labeling.queue.answering import Submission, submit, undo
from labeling.queue.bringing import bring_answers, take_answers_back
from labeling.queue.earlier import asked_photo, earlier_not_allowed, keep_shown, not_blind_to, shown_beside
from labeling.queue.entries import (
    append_arrivals,
    offer_once,
    put_back,
    remove_several,
    share_ranking,
    want_all,
    was_offered_once,
)
from labeling.queue.going_on import submit_and_claim
from labeling.queue.leaving import come_back, leave
from labeling.queue.lending import (
    MAX_LEASES,
    MOST_OFFLINE,
    Claimed,
    Claiming,
    claim,
    claim_under,
    release,
    skip,
    unskip,
)
from labeling.queue.opening_bands import look_at_bands_again, open_next_band, reopen_band
from labeling.queue.requests import request_places, request_ranking, request_rescoring

__all__ = [
    "MAX_LEASES",
    "MOST_OFFLINE",
    "Claimed",
    "Claiming",
    "Submission",
    "append_arrivals",
    "asked_photo",
    "bring_answers",
    "claim",
    "claim_under",
    "come_back",
    "earlier_not_allowed",
    "keep_shown",
    "leave",
    "look_at_bands_again",
    "not_blind_to",
    "offer_once",
    "open_next_band",
    "put_back",
    "release",
    "remove_several",
    "reopen_band",
    "request_places",
    "request_ranking",
    "request_rescoring",
    "share_ranking",
    "shown_beside",
    "skip",
    "submit",
    "submit_and_claim",
    "take_answers_back",
    "undo",
    "unskip",
    "want_all",
    "was_offered_once",
]
