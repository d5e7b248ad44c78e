"""The queue goes from the extremes inward, so people take the surest, which are right, while the labels come in."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from benchmarks.certify.outcomes import Outcomes
from benchmarks.certify.pools import SHARE, Pool, certified, precision_of
from benchmarks.certify.scenarios import Scenario

STATED, DELTA = 0.9, 0.05
PHOTOS, PLANNED = 2000, 400
#: Share of the class that people take before the plan, and again by the look.
TAKEN = 0.12


def simulate(rng: np.random.Generator, runs: int) -> Mapping[str, Outcomes]:
    """Sure photos are right, and errors rise inward. What is decided is what nobody took, up to the certified threshold."""
    names = ("before", "after")
    violated = {name: np.zeros(runs, dtype=bool) for name in names}
    coverage = {name: np.zeros(runs) for name in names}
    for run in range(runs):
        errors = (1.0 - STATED) * rng.uniform(1.5, 5.0) * SHARE ** rng.uniform(1.0, 3.0)
        errors[: int(2 * TAKEN * len(SHARE)) + 1] = 0.0
        pool = Pool.of(rng, PHOTOS, errors)
        order = rng.permutation(PHOTOS)
        early, late = int(TAKEN * PHOTOS), int(2 * TAKEN * PHOTOS)
        # Of before: the ladder lies over the whole class, and whoever took a photo, the walk counts it.
        drawn = order[:PLANNED]
        found = certified(pool.sample(drawn), pool.ladder(ends=False), PLANNED, STATED, DELTA)
        taken = np.zeros(PHOTOS, dtype=bool)
        taken[drawn] = taken[:late] = True
        if found is not None:
            decided = ~taken & (pool.confidence >= 1.0 - SHARE[found])
            violated["before"][run] = precision_of(pool.wrong[decided]) < STATED - 1e-9
            coverage["before"][run] = decided.mean()
        # Now: it lies over what was open when the plan was written, and speaks of what is left at the look.
        cohort = Pool(1.0 - (np.arange(PHOTOS - early) + 0.5) / (PHOTOS - early), pool.wrong[early:])
        drawn = order[order >= early][:PLANNED] - early
        taken = np.zeros(len(cohort), dtype=bool)
        taken[drawn] = taken[: late - early] = True
        found = certified(
            cohort.sample(drawn), cohort.ladder(ends=True), PLANNED, STATED, DELTA, cohort.rest(taken)
        )
        if found is not None:
            decided = ~taken & (cohort.confidence >= 1.0 - SHARE[found])
            violated["after"][run] = precision_of(cohort.wrong[decided]) < STATED - 1e-9
            coverage["after"][run] = decided.sum() / PHOTOS
    return {name: Outcomes(violated[name], coverage[name]) for name in names}


SCENARIO = Scenario(
    name="people_took_the_surest",
    says="people take the surest 12 % before the plan and 12 % while the labels come in: what is left and decided is "
    "worse than stated",
    delta=DELTA,
    simulate=simulate,
)
