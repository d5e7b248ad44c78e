"""Somebody changes the wished precision by a hair, again and again, while a fifth of the decisions is wrong.

Before, each stated precision had a watch of its own, which knew nothing of the errors so far. Now a watch is over a version,
guideline and class; each audit is held against what was stated when its decision was made.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from benchmarks.certify.outcomes import Outcomes
from benchmarks.certify.scenarios import Scenario
from inference.certify import PrecisionMonitor

STATED, DELTA = 0.95, 0.05
#: A wish every so many audits, so many times, and the share that is wrong.
EVERY, WISHES, WRONG = 5, 24, 0.2


def simulate(rng: np.random.Generator, runs: int) -> Mapping[str, Outcomes]:
    unseen = {"before": np.ones(runs, dtype=bool), "after": np.ones(runs, dtype=bool)}
    for run in range(runs):
        one = PrecisionMonitor(STATED, DELTA / 2)
        for wish in range(WISHES):
            stated = STATED + 1e-5 * wish
            right = (rng.random(EVERY) >= WRONG).tolist()
            unseen["before"][run] &= not PrecisionMonitor(stated, DELTA).update_many(right)
            for number, each in enumerate(right):
                one.update(each, stated=stated, risk=not number)
        unseen["after"][run] = not one.alarmed
    return {arm: Outcomes(each, np.full(runs, np.nan)) for arm, each in unseen.items()}


SCENARIO = Scenario(
    name="changed_wish",
    says=(
        "the stated precision is changed by .00001 every 5 audits while a fifth of the decisions is wrong: the share of "
        "projects in which 120 audits later no watch has noticed"
    ),
    delta=DELTA,
    simulate=simulate,
)
