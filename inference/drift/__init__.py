"""Have the photos changed since the model was made? Two-sample tests of recent photos against a reference.

``compare`` runs them all on one window; ``level_of`` keeps false alarms rare over many windows. Arrays in, plain
numbers out; imports no torch.
"""

from __future__ import annotations

from inference.drift.balance import balance_drift
from inference.drift.calibration import CalibrationTest, calibration_test
from inference.drift.embeddings import embedding_drift
from inference.drift.result import Drift
from inference.drift.values import score_drift, value_drift
from inference.drift.watch import Finding, Photos, Promise, Report, compare, level_of

__all__ = [
    "CalibrationTest",
    "Drift",
    "Finding",
    "Photos",
    "Promise",
    "Report",
    "balance_drift",
    "calibration_test",
    "compare",
    "embedding_drift",
    "level_of",
    "score_drift",
    "value_drift",
]
