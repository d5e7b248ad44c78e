"""Proof of a precision from random labels, and the watch over it: arrays in, plain numbers out.

``ladder`` lays thresholds, ``certify`` walks them inward, ``next_share`` says what another use of labels may spend of δ,
``PrecisionMonitor`` watches automatic decisions for ever. ``agreement`` certifies the machine as second reader, over
``ways`` and what a ``ring`` has to spare; ``delivery`` all that leaves together, along a ``path``. Imports neither torch nor
scikit-learn.
"""

from __future__ import annotations

from inference.certify.binomial import clopper_pearson_lower, further_labels, labels_needed, p_value
from inference.certify.evidence import Method, Sample
from inference.certify.finite import Rest
from inference.certify.ladder import Ladder, aimed, ladder
from inference.certify.ledger import Overspent, next_share
from inference.certify.monitor import PrecisionMonitor
from inference.certify.walk import State, Step, Walk, certify

__all__ = [
    "Ladder",
    "Method",
    "Overspent",
    "PrecisionMonitor",
    "Rest",
    "Sample",
    "State",
    "Step",
    "Walk",
    "aimed",
    "certify",
    "clopper_pearson_lower",
    "further_labels",
    "labels_needed",
    "ladder",
    "next_share",
    "p_value",
]
