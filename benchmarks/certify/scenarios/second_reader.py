"""The machine as second reader: agreement is certified on the labels that certify the machine."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from benchmarks.certify.outcomes import Outcomes
from benchmarks.certify.scenarios import Scenario
from inference.certify import Ladder, Sample
from inference.certify.agreement import certify_agreement

Floats = npt.NDArray[np.float64]

STATED, DELTA = 0.95, 0.05
CLASSES, LABELS, BANDS = ("a", "b"), 800, 10
SHARE: Floats = np.arange(1, BANDS + 1) / BANDS
RUNGS = Ladder(1.0 - SHARE, SHARE)


def simulate(rng: np.random.Generator, runs: int) -> Mapping[str, Outcomes]:
    """In two of three projects agreement is worse than stated inward of some band, by little, and the machine there too."""
    violated = {arm: np.zeros(runs, dtype=bool) for arm in ("before", "after")}
    coverage = {arm: np.zeros(runs) for arm in violated}
    for run in range(runs):
        shared, alone, samples, agrees = {}, {}, {}, {}
        for name in CLASSES:
            shared[name], alone[name] = _rates(rng)
            band = rng.integers(BANDS, size=LABELS)
            agrees[name] = rng.random(LABELS) >= alone[name][band]
            wrong = np.where(agrees[name], rng.random(LABELS) < shared[name][band], True)
            samples[name] = Sample(1.0 - (band + 0.5) / BANDS, ~wrong)
        found = certify_agreement(
            samples,
            agrees,
            dict.fromkeys(CLASSES, RUNGS),
            precision=STATED,
            delta=DELTA,
            planned=dict.fromkeys(CLASSES, LABELS),
        )
        for name in CLASSES:
            after = found[name]
            ways = {
                # Before: as deep as the labels show the precision that is wished, either part by itself.
                "before": (_shown(samples[name], agrees[name] | True), _shown(samples[name], agrees[name])),
                "after": (_bands(after.machine), _bands(after.assisted)),
            }
            for arm, (machine, assisted) in ways.items():
                violated[arm][run] |= _false(shared[name], alone[name], machine, max(machine, assisted))
                coverage[arm][run] += max(machine, assisted) / BANDS / len(CLASSES)
    return {arm: Outcomes(violated[arm], coverage[arm]) for arm in violated}


def _rates(rng: np.random.Generator) -> tuple[Floats, Floats]:
    """(bands,) chance to be wrong where the answer agrees, and chance that it disagrees, where the machine is wrong."""
    missed = 1.0 - STATED
    hopeless = rng.random() < 2 / 3
    shared = np.where(hopeless & (np.arange(BANDS) >= rng.integers(3)), 1.01 * missed, 0.4 * missed * SHARE)
    return shared, rng.uniform(0.0, 0.5) * SHARE ** rng.uniform(1.0, 3.0)


def _shown(sample: Sample, counted: npt.NDArray[np.bool_]) -> int:
    """Bands, from the surest inward, whose counted labels show what is stated."""
    inside = (sample.confidence[:, None] >= RUNGS.thresholds) & counted[:, None]
    wrong = (inside & ~sample.correct[:, None]).sum(axis=0)
    good = np.flatnonzero(wrong <= (1.0 - STATED) * inside.sum(axis=0))
    return int(good[-1]) + 1 if len(good) else 0


def _bands(threshold: float | None) -> int:
    return 0 if threshold is None else int((RUNGS.thresholds >= threshold - 1e-9).sum())


def _false(shared: Floats, alone: Floats, machine: int, assisted: int) -> bool:
    """Whether the machine's part or the ring beside it is worse than stated."""
    wrong = alone + (1.0 - alone) * shared
    ring = slice(machine, assisted)
    agreeing = 1.0 - alone[ring]
    limit = (1.0 - STATED) * (1 + 1e-9)
    return bool(
        wrong[:machine].sum() > limit * machine or (agreeing * shared[ring]).sum() > limit * agreeing.sum()
    )


SCENARIO = Scenario(
    name="second_reader",
    says="an answer that agrees with the machine settles: where the labels show the precision for it, or where they "
    "prove it of what the machine leaves",
    delta=DELTA,
    simulate=simulate,
)
