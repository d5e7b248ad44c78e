"""One audited photo that nobody answers, and then the machine goes wrong.

Before, the watch ended at the first open audit: nothing behind it counted, however much of it was wrong. Now an open audit
counts as right, which leaves the watch less evidence than its answer would, and never more.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from benchmarks.certify.outcomes import Outcomes
from benchmarks.certify.scenarios import Scenario
from inference.certify import PrecisionMonitor

STATED, DELTA = 0.95, 0.05
#: One of the first audits stays open; after ``GOOD`` audits half of the decisions are wrong, and ``SEEN`` more are answered.
GOOD, SEEN, WRONG = 20, 60, 0.5


def simulate(rng: np.random.Generator, runs: int) -> Mapping[str, Outcomes]:
    unseen = {"before": np.zeros(runs, dtype=bool), "after": np.zeros(runs, dtype=bool)}
    for run in range(runs):
        right = rng.random(GOOD + SEEN) >= np.r_[np.full(GOOD, 0.02), np.full(SEEN, WRONG)]
        is_open = int(rng.integers(GOOD))
        before, after = PrecisionMonitor(STATED, DELTA), PrecisionMonitor(STATED, DELTA / 2)
        unseen["before"][run] = not before.update_many(right[:is_open].tolist())
        right[is_open] = True
        unseen["after"][run] = not after.update_many(right.tolist())
    return {arm: Outcomes(each, np.full(runs, np.nan)) for arm, each in unseen.items()}


SCENARIO = Scenario(
    name="open_audit",
    says=(
        "one of the first 20 audits is never answered, then half of all decisions are wrong: the share of projects in which "
        "60 answered audits later the watch has not noticed"
    ),
    delta=DELTA,
    simulate=simulate,
)
