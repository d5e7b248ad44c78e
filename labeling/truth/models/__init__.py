"""Answers, agreement, disputes, rulings, ground truth, gold, one idea a file. Everything here is appended, never changed."""

from labeling.truth.models.answer import (
    EARLIER,
    Annotation,
    AnswerKind,
    Draw,
    HoldReason,
    Retraction,
    UnusableReason,
)
from labeling.truth.models.dispute import (
    Dispute,
    DisputeCause,
    OpenDispute,
    Outcome,
    Ruling,
    RulingRetraction,
)
from labeling.truth.models.gold import Gold, Pause, SweepCheck
from labeling.truth.models.ground_truth import GroundTruth, Origin, TruthKind
from labeling.truth.models.hint import Hint
from labeling.truth.models.tally import Tally

__all__ = [
    "EARLIER",
    "Annotation",
    "AnswerKind",
    "Dispute",
    "DisputeCause",
    "Draw",
    "Gold",
    "GroundTruth",
    "Hint",
    "HoldReason",
    "OpenDispute",
    "Origin",
    "Outcome",
    "Pause",
    "Retraction",
    "Ruling",
    "RulingRetraction",
    "SweepCheck",
    "Tally",
    "TruthKind",
    "UnusableReason",
]
