"""A classifier from elsewhere has learned from the very pool that it is certified on, and photos come in afterwards."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from benchmarks.certify.outcomes import Outcomes
from benchmarks.certify.pools import SHARE, Pool, certified, precision_of
from benchmarks.certify.scenarios import Scenario

STATED, DELTA = 0.9, 0.05
PHOTOS, BATCH, PLANNED = 1500, 1000, 300


def simulate(rng: np.random.Generator, runs: int) -> Mapping[str, Outcomes]:
    """It is right by heart of 30 to 100 % of the pool, and wrong of a tenth to four tenths of all else. It is as sure of
    what arrives as of the pool, so nothing tells the two apart."""
    names = ("before", "after", "arrivals alone")
    violated = {name: np.zeros(runs, dtype=bool) for name in names}
    coverage = {name: np.zeros(runs) for name in names}
    for run in range(runs):
        errors = np.full(len(SHARE), rng.uniform(0.1, 0.4))
        by_heart = rng.random(PHOTOS) < rng.uniform(0.3, 1.0)
        fresh, drawn = Pool.of(rng, PHOTOS, errors), rng.permutation(PHOTOS)[:PLANNED]
        pool, arrived = Pool(fresh.confidence, fresh.wrong & ~by_heart), Pool.of(rng, BATCH, errors)
        found = certified(pool.sample(drawn), pool.ladder(ends=True), PLANNED, STATED, DELTA)
        if found is None:
            continue
        inside = 1.0 - SHARE[found]
        rest = np.setdiff1d(np.flatnonzero(pool.confidence >= inside), drawn)
        arrivals = np.flatnonzero(arrived.confidence >= inside)
        decided = {
            "before": np.r_[pool.wrong[rest], arrived.wrong[arrivals]],
            "after": pool.wrong[rest],
            "arrivals alone": arrived.wrong[arrivals],
        }
        for name, wrong in decided.items():
            violated[name][run] = precision_of(wrong) < STATED - 1e-9
            coverage[name][run] = len(wrong) / (PHOTOS + BATCH)
    return {name: Outcomes(violated[name], coverage[name]) for name in names}


SCENARIO = Scenario(
    name="memorised_pool",
    says="a classifier from elsewhere knows 30 to 100 % of its 1,500 photos by heart, and 1,000 come in that nothing tells "
    "apart: before, they were decided under its certificate; now the pool is, and they wait for the next plan",
    delta=DELTA,
    simulate=simulate,
)
