"""The machine as second reader: agreement is certified on the labels that certify the machine."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from benchmarks.certify.outcomes import Outcomes
from benchmarks.certify.scenarios import Scenario
from inference.certify import Ladder, Sample
from inference.certify.agreement import Together, key, together
from inference.certify.walk import decide

Floats = npt.NDArray[np.float64]

STATED, DELTA = 0.95, 0.05
CLASSES, LABELS, BANDS = ("a", "b"), 800, 5
SHARE: Floats = np.arange(1, BANDS + 1) / BANDS
RUNGS = Ladder(1.0 - SHARE, SHARE)


def simulate(rng: np.random.Generator, runs: int) -> Mapping[str, Outcomes]:
    """In nine of ten projects both kinds of regions are worse than stated from the first band on, by little."""
    violated = {arm: np.zeros(runs, dtype=bool) for arm in ("before", "after")}
    coverage = {arm: np.zeros(runs) for arm in violated}
    for run in range(runs):
        agreed_wrong, wrong_at = {}, {}
        samples, agrees = {}, {}
        hopeless = rng.random() < 0.9
        for name in CLASSES:
            # Wrong where the first answer agrees, and the share of photos that it agrees on, by band.
            agreed_wrong[name], wrong_at[name] = _rates(rng, hopeless)
            band = rng.integers(BANDS, size=LABELS)
            agrees[name] = rng.random(LABELS) < 1.0 - wrong_at[name][band]
            wrong = np.where(agrees[name], rng.random(LABELS) < agreed_wrong[name][band], True)
            samples[name] = Sample(1.0 - (band + 0.5) / BANDS, ~wrong)
        planned, ladders = dict.fromkeys(CLASSES, LABELS), dict.fromkeys(CLASSES, RUNGS)
        both = together(samples, agrees, ladders, planned)
        before = {each: _shown(both.samples[each]) for each in both.samples}
        after = _fell(both)
        for arm, fell in (("before", before), ("after", after)):
            for name in CLASSES:
                agree = 1.0 - wrong_at[name]
                shared = agree * agreed_wrong[name]
                violated[arm][run] |= _false(
                    fell[key("machine", name)], shared + wrong_at[name], np.ones(BANDS)
                )
                violated[arm][run] |= _false(fell[key("agreement", name)], shared, agree)
                coverage[arm][run] += (_covered(fell[key("agreement", name)])) / len(CLASSES)
    return {arm: Outcomes(violated[arm], coverage[arm]) for arm in violated}


def _rates(rng: np.random.Generator, hopeless: bool) -> tuple[Floats, Floats]:
    """(bands,) chance to be wrong where the answer agrees, and chance that it disagrees (the machine is wrong then)."""
    missed = 1.0 - STATED
    if hopeless:
        # The machine's own part is as bad as its agreement: what the machine gets wrong, people do too.
        return np.full(BANDS, 1.005 * missed), np.zeros(BANDS)
    return rng.uniform(0.0, 0.5) * missed * SHARE, rng.uniform(0.2, 2.0) * missed * 2.0 * SHARE


def _shown(sample: Sample) -> int | None:
    """Before: the innermost threshold whose labels show the precision that is wished."""
    inside = sample.confidence[:, None] >= RUNGS.thresholds
    wrong = (inside & ~sample.correct[:, None]).sum(axis=0)
    good = np.flatnonzero(wrong <= (1.0 - STATED) * inside.sum(axis=0))
    return int(good[-1]) if len(good) else None


def _fell(both: Together) -> dict[str, int | None]:
    decisions = decide(
        both.samples,
        both.ladders,
        precision=STATED,
        delta=DELTA,
        method="planned",
        planned=both.planned,
        shares=both.shares,
    )
    return {each: decision.certified for each, decision in decisions.items()}


def _false(certified: int | None, wrong: Floats, of: Floats) -> bool:
    if certified is None:
        return False
    inside = slice(certified + 1)
    return bool(wrong[inside].sum() > (1.0 - STATED) * of[inside].sum() * (1 + 1e-9))


def _covered(certified: int | None) -> float:
    return 0.0 if certified is None else float(SHARE[certified])


SCENARIO = Scenario(
    name="second_reader",
    says="an answer that agrees with the machine settles: where the labels show the precision for it, or where they "
    "prove it beside the machine's own part",
    delta=DELTA,
    simulate=simulate,
)
