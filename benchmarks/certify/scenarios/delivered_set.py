"""One promise over all labels that leave: machine, assisted and strict ones, with a floor under the machine's part."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from benchmarks.certify.outcomes import Outcomes
from benchmarks.certify.scenarios import Scenario
from inference.certify.delivery import Outcomes as Labels
from inference.certify.delivery import certify_delivery, path

STATED, FLOOR, DELTA = 0.95, 0.90, 0.05
PHOTOS, LABELS = 4000, 800


def simulate(rng: np.random.Generator, runs: int) -> Mapping[str, Outcomes]:
    """Models that are surer than they should be, or less sure; a third of the labelers share the machine's errors."""
    violated = {arm: np.zeros(runs, dtype=bool) for arm in ("before", "after")}
    coverage = {arm: np.zeros(runs) for arm in violated}
    for run in range(runs):
        doubt = rng.beta(0.6, rng.uniform(1.0, 2.0), PHOTOS) / 2.0
        wrong = rng.random(PHOTOS) < np.clip(doubt * rng.uniform(0.5, 2.0) + rng.uniform(0.0, 0.03), 0.0, 1.0)
        agreed = np.where(wrong, rng.random(PHOTOS) < rng.uniform(0.05, 0.4), rng.random(PHOTOS) < 0.97)
        drawn = rng.choice(PHOTOS, LABELS, replace=False)
        left = np.ones(PHOTOS, dtype=bool)
        left[drawn] = False
        ways = path(doubt, precision=STATED)
        labels = Labels(doubt[drawn], wrong[drawn], agreed[drawn])
        found = certify_delivery(
            labels, ways, precision=STATED, floor=FLOOR, delta=DELTA, planned=LABELS
        ).certified
        lost = np.array([_lost(labels, m, a) for m, a in zip(ways.machine, ways.assisted, strict=True)])
        good = np.flatnonzero(lost <= 1.0 - STATED)
        # Before: the farthest way whose labels show the precision that is wished.
        for arm, at in (("before", int(good[-1]) if len(good) else None), ("after", found)):
            if at is None:
                continue
            machine = doubt <= ways.machine[at]
            assisted = ~machine & (doubt <= ways.assisted[at]) & agreed
            # What certifies is delivered as people settled it.
            missed = int((wrong & left & (machine | assisted)).sum())
            violated[arm][run] = (
                missed > (1.0 - STATED) * PHOTOS or (wrong & machine).sum() > (1.0 - FLOOR) * machine.sum()
            )
            coverage[arm][run] = (machine & left).mean()
    return {arm: Outcomes(violated[arm], coverage[arm]) for arm in violated}


def _lost(labels: Labels, machine: float, assisted: float) -> float:
    inside = labels.doubt <= machine
    return float((labels.wrong & (inside | (labels.agreed & (labels.doubt <= assisted)))).mean())


SCENARIO = Scenario(
    name="delivered_set",
    says="all labels that leave together: the farthest way to deliver whose 800 random labels of 4,000 photos show what is "
    "stated, or the farthest that they prove",
    delta=DELTA,
    simulate=simulate,
)
