"""Twenty model versions, one after the other, each certified on labels of its own."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from benchmarks.certify.outcomes import Outcomes
from benchmarks.certify.scenarios import Scenario
from inference.certify import Ladder, Ledger, p_value
from inference.certify.ladder import begin

Floats = npt.NDArray[np.float64]

STATED, DELTA = 0.95, 0.05
VERSIONS, LABELS, BANDS = 20, 600, 20
SHARE: Floats = np.arange(1, BANDS + 1) / BANDS
RUNGS = Ladder(1.0 - SHARE, SHARE)


def simulate(rng: np.random.Generator, runs: int) -> Mapping[str, Outcomes]:
    """In half of the projects nothing deserves a certificate, by little; in the others the outer part does."""
    hopeless = rng.random((runs, 1, 1)) < 0.5
    base = rng.uniform(0.1, 0.5, (runs, 1, 1))
    deserving = base + (4.0 - base) * SHARE[None, None, :] ** rng.uniform(1.5, 3.0, (runs, 1, 1))
    errors = (1.0 - STATED) * np.where(hopeless, 1.01, np.minimum(deserving, 10.0))
    errors = np.broadcast_to(errors, (runs, VERSIONS, BANDS))
    labels = rng.multinomial(LABELS, np.full(BANDS, 1.0 / BANDS), (runs, VERSIONS))
    wrong = rng.binomial(labels, errors)
    p = p_value(wrong.cumsum(axis=2), labels.cumsum(axis=2), STATED)
    false = np.cumsum(errors, axis=2) / np.arange(1, BANDS + 1) > 1.0 - STATED
    ledger = Ledger(DELTA)
    shared = [ledger.spend("the project's life", f"version {number}") for number in range(VERSIONS)]
    levels = {
        "before": [DELTA] * VERSIONS,
        "after": shared,
        "6/(π²v²)": [DELTA * 6.0 / (np.pi * (number + 1)) ** 2 for number in range(VERSIONS)],
    }
    return {arm: _walk(p, false, each) for arm, each in levels.items()}


def _walk(p: Floats, false: npt.NDArray[np.bool_], levels: list[float]) -> Outcomes:
    """Inward from where ``begin`` says, as long as thresholds fall."""
    violated, coverage = np.zeros(len(p), dtype=bool), np.zeros((len(p), VERSIONS))
    for version, level in enumerate(levels):
        start = begin(RUNGS, LABELS, STATED, level)
        if start is None:
            continue
        fell = np.cumprod(p[:, version, start:] <= level, axis=1).sum(axis=1)
        innermost = np.maximum(start + fell - 1, 0)
        violated |= (fell > 0) & false[np.arange(len(p)), version, innermost]
        coverage[:, version] = np.where(fell > 0, SHARE[innermost], 0.0)
    return Outcomes(violated, coverage.mean(axis=1))


SCENARIO = Scenario(
    name="fresh_versions",
    says="20 versions in a project's life, each on 600 fresh labels: something false is stated by any of them",
    delta=DELTA,
    simulate=simulate,
)
