"""An easy batch comes in while the walk is on its way."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from benchmarks.certify.outcomes import Outcomes
from benchmarks.certify.pools import SHARE, Pool, certified, precision_of
from benchmarks.certify.scenarios import Scenario

STATED, DELTA = 0.9, 0.05
PHOTOS, BATCH, PLANNED = 1500, 600, 300


def simulate(rng: np.random.Generator, runs: int) -> Mapping[str, Outcomes]:
    """Half of the pools deserve no certificate, by a fifth; the others do in their outer part. The batch is all right."""
    names = ("before", "after", "keys alone")
    violated = {name: np.zeros(runs, dtype=bool) for name in names}
    coverage = {name: np.zeros(runs) for name in names}
    for run in range(runs):
        hopeless = rng.random() < 0.5
        rising = rng.uniform(0.1, 0.5) + 3.0 * SHARE ** rng.uniform(1.5, 3.0)
        old = Pool.of(rng, PHOTOS, (1.0 - STATED) * (np.full(len(SHARE), 1.2) if hopeless else rising))
        batch = rng.uniform(0.9, 1.0, BATCH)
        everything = Pool(np.r_[old.confidence, batch], np.r_[old.wrong, np.zeros(BATCH, dtype=bool)])
        before_it = PLANNED // 3
        uniform, exponential = rng.random(PHOTOS), rng.exponential(size=PHOTOS)
        # Of before: the batch's keys know nothing of the walk's place, and all that lie behind it are drawn next.
        keys = {
            "before": np.r_[uniform, rng.random(BATCH)],
            "after": np.r_[exponential, np.sort(exponential)[before_it - 1] + rng.exponential(size=BATCH)],
        }
        keys["keys alone"] = keys["after"]
        for name in names:
            first = np.argsort(keys[name][:PHOTOS])[:before_it]
            waiting = np.setdiff1d(np.arange(len(everything)), first)
            drawn = np.r_[first, waiting[np.argsort(keys[name][waiting])]]
            if name == "after":
                # Arrivals are drawn too, in their turn, and count for no plan of before.
                drawn = drawn[drawn < PHOTOS][:PLANNED]
                found = certified(old.sample(drawn), old.ladder(ends=True), PLANNED, STATED, DELTA)
            else:
                drawn = drawn[:PLANNED]
                found = certified(everything.sample(drawn), old.ladder(ends=False), PLANNED, STATED, DELTA)
            if found is not None:
                decided = np.setdiff1d(np.flatnonzero(old.confidence >= 1.0 - SHARE[found]), drawn)
                violated[name][run] = precision_of(old.wrong[decided]) < STATED - 1e-9
                coverage[name][run] = len(decided) / PHOTOS
    return {name: Outcomes(violated[name], coverage[name]) for name in names}


SCENARIO = Scenario(
    name="arrivals_in_mid_walk",
    says="an easy batch of 600 comes after 100 of 300 draws over 1,500 photos: what is decided of those is worse "
    "than stated; keys alone: it falls in with the walk, and counts",
    delta=DELTA,
    simulate=simulate,
)
