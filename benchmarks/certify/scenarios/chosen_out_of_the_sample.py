"""An admin makes gold of drawn photos that nobody has answered, and chooses those that look hard.

Gold certifies nothing, so a drawn photo that became gold left the sample. Now it cannot become gold, nor an exemplar.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from benchmarks.certify.outcomes import Outcomes
from benchmarks.certify.scenarios import Scenario
from benchmarks.certify.walking import BANDS, classes, covered, is_false, p_values, walk
from inference.certify import next_share

STATED, DELTA = 0.95, 0.05
LABELS, FOUND = 1500, 0.3


def simulate(rng: np.random.Generator, runs: int) -> Mapping[str, Outcomes]:
    """Three in ten of those that the machine has wrong are found, and one in fifty of the others."""
    errors = classes(rng, runs, STATED)
    drawn = rng.multinomial(LABELS, np.full(BANDS, 1.0 / BANDS), runs)
    wrong = rng.binomial(drawn, np.minimum(errors, 1.0))
    left = wrong - rng.binomial(wrong, FOUND), drawn - wrong - rng.binomial(drawn - wrong, 0.02)
    found = {}
    for arm, (bad, good) in {"before": left, "after": (wrong, drawn - wrong)}.items():
        certified = walk(p_values(bad + good, bad, STATED), LABELS, STATED, next_share(DELTA))
        found[arm] = Outcomes(is_false(certified, errors, STATED), covered(certified))
    return found


SCENARIO = Scenario(
    name="chosen_out_of_the_sample",
    says="An admin makes gold of three in ten drawn photos that the machine has wrong, before anybody answers them",
    delta=DELTA,
    simulate=simulate,
)
