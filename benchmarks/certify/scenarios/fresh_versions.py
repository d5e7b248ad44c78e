"""Twenty model versions, one after the other, each certified on labels of its own.

What δ is said to bound decides. Before, the page gave one δ and left open of what: read as the project's, it is false. Now
it says "for each model version", and beside it what all of them add up to. To share δ over a project's life instead would
hold as well, and costs half of what the machine may decide: see the other arms, and `docs/log.md`.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from benchmarks.certify.outcomes import Outcomes
from benchmarks.certify.scenarios import Scenario
from benchmarks.certify.walking import BANDS, classes, covered, is_false, p_values, walk
from inference.certify import next_share

STATED, DELTA = 0.95, 0.05
VERSIONS, LABELS = 20, 1500


def simulate(rng: np.random.Generator, runs: int) -> Mapping[str, Outcomes]:
    errors = classes(rng, runs, STATED)
    number = np.arange(1, VERSIONS + 1)
    ways = {
        "per version": np.full(VERSIONS, next_share(DELTA)),
        "over a life: 1/v(v+1)": DELTA / (number * (number + 1)),
        "over a life: 6/π²v²": DELTA * 6 / (np.pi * number) ** 2,
        "over a life: v^-1.1/ζ(1.1)": DELTA * number**-1.1 / 10.5844,
        "over a life: 1/log(v+1) − 1/log(v+2)": DELTA * (1 / np.log2(number + 1) - 1 / np.log2(number + 2)),
        "before": np.full(VERSIONS, DELTA / 2),
    }
    ever = {way: np.zeros(runs, dtype=bool) for way in ways}
    coverage = {way: np.zeros(runs) for way in ways}
    last = np.zeros(runs, dtype=bool)
    for version in range(VERSIONS):
        labels = rng.multinomial(LABELS, np.full(BANDS, 1.0 / BANDS), runs)
        p = p_values(labels, rng.binomial(labels, np.minimum(errors, 1.0)), STATED)
        for way, levels in ways.items():
            certified = walk(p, LABELS, STATED, float(levels[version]))
            false = is_false(certified, errors, STATED)
            ever[way] |= false
            coverage[way] += covered(certified) / VERSIONS
            if way == "per version":
                last = false
    found = {way: Outcomes(ever[way], coverage[way]) for way in ways if way != "per version"}
    return {"after": Outcomes(last, coverage["per version"]), **found}


SCENARIO = Scenario(
    name="fresh_versions",
    says=(
        "20 versions in a project's life, each on 1,500 fresh labels of a class. Before, and over a life: one of them "
        "states something false; after, as the page says: a given one does"
    ),
    delta=DELTA,
    simulate=simulate,
)
