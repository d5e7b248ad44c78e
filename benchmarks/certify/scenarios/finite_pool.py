"""A small pool, much of which is drawn: what is decided is the rest."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.stats import hypergeom

from benchmarks.certify.outcomes import Outcomes
from benchmarks.certify.scenarios import Scenario
from inference.certify import Ladder, Sample, p_value
from inference.certify.walk import decide

STATED, DELTA = 0.95, 0.05
PHOTOS, LABELS = 1000, 600
ALLOWED = int((1.0 - STATED) * (PHOTOS - LABELS) + 1e-9)


def worst() -> int:
    """Wrong ones in the pool, of 1,000, with which the rule of before states something false of the rest most often."""
    errors = np.arange(LABELS + 1)
    passes = p_value(errors, LABELS, STATED) <= DELTA
    false = [
        float(hypergeom.pmf(errors, PHOTOS, total, LABELS)[passes & (total - errors > ALLOWED)].sum())
        for total in range(PHOTOS // 10)
    ]
    return int(np.argmax(false))


def simulate(rng: np.random.Generator, runs: int) -> Mapping[str, Outcomes]:
    """One region, at the worst number of wrong ones; and now at the worst for the rule of now."""
    total = worst()
    ladder = Ladder(np.array([0.0]), np.array([1.0]), None, np.array([PHOTOS]))
    arms: dict[str, list[bool]] = {"before": [], "after": []}
    issued: dict[str, list[float]] = {"before": [], "after": []}
    for _ in range(runs):
        wrong = np.zeros(PHOTOS, dtype=bool)
        wrong[:total] = True
        drawn = rng.permutation(wrong)[:LABELS]
        found = decide(
            {"": Sample(np.full(LABELS, 0.5), ~drawn)},
            {"": ladder},
            precision=STATED,
            delta=DELTA,
            method="planned",
            planned={"": LABELS},
        )[""]
        is_bad = total - int(drawn.sum()) > ALLOWED
        passed = {
            "before": bool(p_value(int(drawn.sum()), LABELS, STATED) <= DELTA),
            "after": found.certified is not None,
        }
        for name, certified in passed.items():
            arms[name].append(certified and is_bad)
            issued[name].append((PHOTOS - LABELS) / PHOTOS if certified else 0.0)
    return {name: Outcomes(np.array(arms[name]), np.array(issued[name])) for name in arms}


SCENARIO = Scenario(
    name="finite_pool",
    says="600 of 1,000 photos are labeled, with as many wrong ones in the pool as is worst: the 400 that are left, "
    "and decided, are worse than stated",
    delta=DELTA,
    simulate=simulate,
)
