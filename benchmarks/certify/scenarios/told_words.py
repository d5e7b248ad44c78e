"""Words on drawn photos that somebody gave who knew what the machine says.

A version doubts ground truths that differ from what it predicts, and sends them to a reviewer with its opinion beside.
Some are then ruled as it says, and what was an error in the sample is none. Other photos were decided by the machine before
they were drawn, or stand in the guideline, and people have seen as what.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from benchmarks.certify.outcomes import Outcomes
from benchmarks.certify.scenarios import Scenario
from benchmarks.certify.walking import BANDS, classes, covered, is_false, p_values, walk
from inference.certify import next_share

STATED, DELTA = 0.95, 0.05
LABELS = 1500
SHOWN, SWAYED, REVIEWED = 0.1, 0.5, 0.4


def simulate(rng: np.random.Generator, runs: int) -> Mapping[str, Outcomes]:
    """A tenth was shown before the draw, which hides half of its errors; of the others four in ten errors are ruled away.

    What is true is what people say who were not told. Now the first word counts, and what was shown is not in the sample.
    """
    errors = np.minimum(classes(rng, runs, STATED), 1.0)
    drawn = rng.multinomial(LABELS, np.full(BANDS, 1.0 / BANDS), runs)
    shown = rng.binomial(drawn, SHOWN)
    wrong_shown = rng.binomial(shown, errors * (1.0 - SWAYED))
    wrong = rng.binomial(drawn - shown, errors)
    later = wrong - rng.binomial(wrong, REVIEWED)
    found = {}
    for arm, (labels, bad) in {
        "before": (drawn, later + wrong_shown),
        "after": (drawn - shown, wrong),
    }.items():
        certified = walk(p_values(labels, bad, STATED), LABELS, STATED, next_share(DELTA))
        found[arm] = Outcomes(is_false(certified, errors, STATED), covered(certified))
    return found


SCENARIO = Scenario(
    name="told_words",
    says="Reviewers who read the machine's opinion rule four in ten of its errors away; a tenth was shown before the draw",
    delta=DELTA,
    simulate=simulate,
)
