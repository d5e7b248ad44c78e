"""People hold one photo in ten, and the project counts holds as no errors: of how much is the stated precision?

Before, the page stated it of what the machine decides. It decides those photos too, which people would have held. Now the
page says by how much the precision of all photos is smaller, from the random labels' own holds.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from benchmarks.certify.outcomes import Outcomes
from benchmarks.certify.scenarios import Scenario
from benchmarks.certify.walking import BANDS, classes, covered, inside, is_false, p_values, walk
from inference.certify import next_share

STATED, DELTA = 0.95, 0.05
LABELS, HELD = 1500, 0.1


def simulate(rng: np.random.Generator, runs: int) -> Mapping[str, Outcomes]:
    """``after``: the precision of the clear photos is false, or "about ×" is off by more than a point of per cent."""
    errors = classes(rng, runs, STATED)
    drawn = rng.multinomial(LABELS, np.full(BANDS, 1.0 / BANDS), runs)
    held = rng.binomial(drawn, HELD)
    clear = drawn - held
    p = p_values(clear, rng.binomial(clear, np.minimum(errors, 1.0)), STATED)
    certified = walk(p, LABELS, STATED, next_share(DELTA))
    right = 1.0 - np.take_along_axis(inside(errors), np.maximum(certified, 0)[:, None], axis=1)[:, 0]
    said_of_all = STATED * (1.0 - held.sum(axis=1) / LABELS)
    of_clear = is_false(certified, errors, STATED)
    of_all = (certified >= 0) & (right * (1.0 - HELD) < STATED)
    coverage = covered(certified)
    return {
        "before": Outcomes(of_all, coverage),
        "after": Outcomes(
            of_clear | ((certified >= 0) & (right * (1 - HELD) < said_of_all - 0.01)), coverage
        ),
    }


SCENARIO = Scenario(
    name="holds_that_are_no_errors",
    says="People hold one photo in ten, which counts as no error: less is right of what the machine decides than is said",
    delta=DELTA,
    simulate=simulate,
)
