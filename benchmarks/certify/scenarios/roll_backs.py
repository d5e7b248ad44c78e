"""Eight versions are rolled back to, one after the other, and all are certified on the labels that come meanwhile."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from benchmarks.certify.outcomes import Outcomes
from benchmarks.certify.scenarios import Scenario
from benchmarks.certify.walking import BANDS, classes, covered, is_false, p_values, walk
from inference.certify import next_share

STATED, DELTA = 0.95, 0.05
VERSIONS, LABELS = 8, 1500


def simulate(rng: np.random.Generator, runs: int) -> Mapping[str, Outcomes]:
    """Before, each version's plan went on with the half of δ that it had got for labels of its own."""
    errors = classes(rng, runs, STATED)
    labels = rng.multinomial(LABELS, np.full(BANDS, 1.0 / BANDS), runs)
    ever = {arm: np.zeros(runs, dtype=bool) for arm in ("before", "after")}
    coverage = {arm: np.zeros(runs) for arm in ever}
    spent: list[float] = []
    for _version in range(VERSIONS):
        # The photos are the same; which of them a version has wrong is its own.
        p = p_values(labels, rng.binomial(labels, np.minimum(errors, 1.0)), STATED)
        spent.append(next_share(DELTA, spent))
        for arm, level in (("before", DELTA / 2), ("after", spent[-1])):
            certified = walk(p, LABELS, STATED, level)
            ever[arm] |= is_false(certified, errors, STATED)
            coverage[arm] += covered(certified) / VERSIONS
    return {arm: Outcomes(ever[arm], coverage[arm]) for arm in ever}


SCENARIO = Scenario(
    name="roll_backs",
    says="8 versions share 1,500 labels of a class by roll-backs: any of them states something false",
    delta=DELTA,
    simulate=simulate,
)
