"""Two classes whose decisions are right just as often as stated, audited for 100,000 decisions, answers out of order.

Before, each class's watch had the whole of α; now the classes of a version share it. Errors are answered first, and a fifth
of the audits is open at any time: that must raise no alarm that the full answers would not.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from benchmarks.certify.outcomes import Outcomes
from benchmarks.certify.scenarios import Scenario
from inference.certify import PrecisionMonitor

STATED, DELTA, CLASSES = 0.95, 0.05, 2
#: A tenth of the first 2,000 decisions of a class and one in a hundred of the next 48,000.
AUDITS = 200 + 480


def simulate(rng: np.random.Generator, runs: int) -> Mapping[str, Outcomes]:
    least = np.ones(runs)
    seen = np.ones(runs)
    for run in range(runs):
        for _class in range(CLASSES):
            right = rng.random(AUDITS) >= 1.0 - STATED
            # What is open counts as right; errors that are open are none yet.
            answered = right | (rng.random(AUDITS) < 0.2)
            full, partly = PrecisionMonitor(STATED, DELTA), PrecisionMonitor(STATED, DELTA)
            full.update_many(right.tolist())
            partly.update_many(answered.tolist())
            least[run] = min(least[run], full.p_value)
            seen[run] = min(seen[run], partly.p_value)
    unknown = np.full(runs, np.nan)
    return {
        "before": Outcomes(least <= DELTA, unknown),
        "after": Outcomes(least <= DELTA / CLASSES, unknown),
        "a fifth open": Outcomes(seen <= DELTA / CLASSES, unknown),
    }


SCENARIO = Scenario(
    name="false_alarms",
    says=(
        "two classes right exactly as often as stated, 100,000 decisions, 1,360 audits: the share of projects in which a "
        "watch suspends without cause. Before, α for each class; after, α for all classes of the version"
    ),
    delta=DELTA,
    simulate=simulate,
)
