"""What the truth room does for pages, the API and the rooms above: one import for all its writes."""

from labeling.truth.agreeing_now import settle_disputes_that_agree
from labeling.truth.answering import record_answer, retract_answer, undo_until
from labeling.truth.answers import Answer, Viewing
from labeling.truth.assisting import settle_by_answer, withdraw_assisted
from labeling.truth.checking import Checked, lift_pause, record_checks
from labeling.truth.correcting import correct
from labeling.truth.imported import (
    Word,
    bring_answers,
    bring_gold,
    bring_hints,
    bring_truths,
    take_answers_back,
    take_hints_back,
    take_truths_back,
)
from labeling.truth.leaving import come_back, forget_texts, leave
from labeling.truth.making_gold import add_gold, add_golds, retire_gold, retire_golds
from labeling.truth.paused_photos import send_back_paused
from labeling.truth.quality.agreement import request_estimates
from labeling.truth.reviewing import dispute_to_rule_on, request_review, rule
from labeling.truth.ruling_several import rule_alike
from labeling.truth.settling import lock_photos, reconsider
from labeling.truth.undoing_rulings import take_corrections_back, undo_ruling, undo_rulings

__all__ = [
    "Answer",
    "Checked",
    "Viewing",
    "Word",
    "add_gold",
    "add_golds",
    "bring_answers",
    "bring_gold",
    "bring_hints",
    "bring_truths",
    "come_back",
    "correct",
    "dispute_to_rule_on",
    "forget_texts",
    "leave",
    "lift_pause",
    "lock_photos",
    "reconsider",
    "record_answer",
    "record_checks",
    "request_estimates",
    "request_review",
    "retire_gold",
    "retire_golds",
    "retract_answer",
    "rule",
    "rule_alike",
    "send_back_paused",
    "settle_by_answer",
    "settle_disputes_that_agree",
    "take_answers_back",
    "take_corrections_back",
    "take_hints_back",
    "take_truths_back",
    "undo_ruling",
    "undo_rulings",
    "undo_until",
    "withdraw_assisted",
]
