"""Proof of a precision from random labels, and the watch over it: arrays in, plain numbers out.

``ladder`` lays thresholds, ``certify`` walks them inward, ``Ledger`` keeps account of δ over retrained models,
``PrecisionMonitor`` watches automatic decisions for ever. Imports neither torch nor scikit-learn.
"""

from __future__ import annotations

from inference.certify.binomial import clopper_pearson_lower, further_labels, labels_needed, p_value
from inference.certify.ladder import Ladder, ladder
from inference.certify.ledger import Entry, Ledger
from inference.certify.monitor import PrecisionMonitor
from inference.certify.walk import Method, Sample, State, Step, Walk, certify

__all__ = [
    "Entry",
    "Ladder",
    "Ledger",
    "Method",
    "PrecisionMonitor",
    "Sample",
    "State",
    "Step",
    "Walk",
    "certify",
    "clopper_pearson_lower",
    "further_labels",
    "labels_needed",
    "ladder",
    "p_value",
]
