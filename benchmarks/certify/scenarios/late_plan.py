"""A plan is written when the labels are there to read."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from benchmarks.certify.outcomes import Outcomes
from benchmarks.certify.pools import SHARE, Pool, certified, precision_of
from benchmarks.certify.scenarios import Scenario

STATED, DELTA = 0.9, 0.05
PHOTOS, LABELS = 4000, 400
#: Plans that an owner may write, by the labels that each plans.
PLANS = (60, 100, 150, 200, 250, 300, 350, 400)


def simulate(rng: np.random.Generator, runs: int) -> Mapping[str, Outcomes]:
    """No region deserves a certificate, by little; the owner writes the plan that the labels so far bear out best."""
    names = ("before", "after")
    violated = {name: np.zeros(runs, dtype=bool) for name in names}
    coverage = {name: np.zeros(runs) for name in names}
    for run in range(runs):
        pool = Pool.of(rng, PHOTOS, np.full(len(SHARE), (1.0 - STATED) * 1.03))
        order = rng.permutation(PHOTOS)
        seen, later = order[:LABELS], order[LABELS : 2 * LABELS]
        rungs = pool.ladder(ends=False)
        reached = [certified(pool.sample(seen), rungs, plan, STATED, DELTA) for plan in PLANS]
        innermost = [-1 if each is None else each for each in reached]
        best = max(range(len(PLANS)), key=lambda at: innermost[at])
        left = np.setdiff1d(np.arange(PHOTOS), seen)
        cohort = Pool(pool.confidence[left], pool.wrong[left])
        place = np.searchsorted(left, later)
        now = certified(cohort.sample(place), cohort.ladder(ends=True), PLANS[best], STATED, DELTA)
        for name, found, taken in (("before", reached[best], seen), ("after", now, order[: 2 * LABELS])):
            if found is not None:
                decided = np.setdiff1d(np.flatnonzero(pool.confidence >= 1.0 - SHARE[found]), taken)
                violated[name][run] = precision_of(pool.wrong[decided]) < STATED - 1e-9
                coverage[name][run] = len(decided) / PHOTOS
    return {name: Outcomes(violated[name], coverage[name]) for name in names}


SCENARIO = Scenario(
    name="late_plan",
    says="no region deserves a certificate, by 3 % of the errors allowed; the plan is written when 400 labels are there "
    "to read; now 400 others count, which are drawn after it",
    delta=DELTA,
    simulate=simulate,
)
