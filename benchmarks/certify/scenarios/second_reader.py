"""The machine as second reader, while people go on taking the surest photos: what is left of either part must hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchmarks.certify.outcomes import Outcomes
from benchmarks.certify.pools import SHARE, precision_of
from benchmarks.certify.scenarios import Scenario
from inference.certify import Ladder, Rest, Sample, graph, p_value
from inference.certify.agreement import certify_agreement
from inference.certify.ring import Taken
from inference.certify.ways import lay, starts

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

STATED, DELTA = 0.9, 0.05
CLASSES, PHOTOS, LABELS = ("a", "b"), 4000, 800
#: Share of each class that people take between the plan and the look, from the surest photo on.
TAKEN = 0.2
RUNGS = Ladder(1.0 - SHARE, SHARE, None, np.round(SHARE * PHOTOS).astype(np.int64))
CONFIDENCE: Floats = 1.0 - (np.arange(PHOTOS) + 0.5) / PHOTOS


@dataclass(frozen=True)
class Class:
    """One class's photos, the surest first; the first ``LABELS`` of ``order`` certify."""

    wrong: Bools
    agrees: Bools
    order: Ints
    taken: Bools

    @property
    def drawn(self) -> Ints:
        return self.order[:LABELS]

    def sample(self) -> Sample:
        return Sample(CONFIDENCE[self.drawn], ~self.wrong[self.drawn])

    def rest(self) -> Rest:
        inside = CONFIDENCE[None, :] >= RUNGS.thresholds[:, None]
        return Rest((inside & ~self.taken).sum(axis=1), (inside & self.taken & self.wrong).sum(axis=1))

    def of_rings(self) -> Taken:
        inside = (CONFIDENCE[None, :] >= RUNGS.thresholds[:, None]) & self.taken & self.agrees
        return Taken(inside.sum(axis=1), (inside & self.wrong).sum(axis=1))

    def is_false(self, machine: float, assisted: float) -> bool:
        """Whether what people left to the machine, or to one answer, is worse than stated."""
        alone = ~self.taken & (machine <= CONFIDENCE)
        ring = ~self.taken & (machine > CONFIDENCE) & (assisted <= CONFIDENCE) & self.agrees
        return min(precision_of(self.wrong[alone]), precision_of(self.wrong[ring])) < STATED - 1e-9


def simulate(rng: np.random.Generator, runs: int) -> Mapping[str, Outcomes]:
    """Sure photos are right; inward the machine is wrong more often, and people with it."""
    violated = {arm: np.zeros(runs, dtype=bool) for arm in ("before", "after")}
    coverage = {arm: np.zeros(runs) for arm in violated}
    for run in range(runs):
        classes = {name: _class(rng) for name in CLASSES}
        samples = {name: each.sample() for name, each in classes.items()}
        agrees = {name: each.agrees[each.drawn] for name, each in classes.items()}
        found = certify_agreement(
            samples,
            agrees,
            dict.fromkeys(CLASSES, RUNGS),
            precision=STATED,
            delta=DELTA,
            planned=dict.fromkeys(CLASSES, LABELS),
            rests={name: each.rest() for name, each in classes.items()},
            taken={name: each.of_rings() for name, each in classes.items()},
        )
        ways = {
            "before": _of_the_whole(samples, agrees),
            "after": {
                name: (each.machine, each.assisted)
                for name, each in found.items()
                if each.machine is not None and each.assisted is not None
            },
        }
        for arm, of_class in ways.items():
            for name, (machine, assisted) in of_class.items():
                violated[arm][run] |= classes[name].is_false(machine, assisted)
                settled = ~classes[name].taken & (assisted <= CONFIDENCE)
                coverage[arm][run] += settled.mean() / len(CLASSES)
    return {arm: Outcomes(violated[arm], coverage[arm]) for arm in violated}


def _class(rng: np.random.Generator) -> Class:
    rising = np.maximum(SHARE - TAKEN, 0.0) ** rng.uniform(0.5, 2.0)
    shared = np.repeat((1.0 - STATED) * rng.uniform(0.5, 5.0) * rising, PHOTOS // len(SHARE))
    alone = np.repeat(rng.uniform(0.0, 0.3) * rising, PHOTOS // len(SHARE))
    agrees = rng.random(PHOTOS) >= alone
    order = rng.permutation(PHOTOS)
    taken = np.arange(PHOTOS) < TAKEN * PHOTOS
    taken[order[:LABELS]] = True
    return Class(np.where(agrees, rng.random(PHOTOS) < shared, True), agrees, order, taken)


def _of_the_whole(
    samples: Mapping[str, Sample], agrees: Mapping[str, Bools]
) -> dict[str, tuple[float, float]]:
    """Before: the same ways, proven of the whole of either part, as if the pool had no end and nobody took from it."""
    each = DELTA / len(CLASSES)
    ways = lay(RUNGS, STATED, LABELS, each)
    p = []
    for name in CLASSES:
        c, wrong = samples[name].confidence[:, None], ~samples[name].correct[:, None]
        alone = c >= ways.machine
        ring = ~alone & (c >= ways.assisted) & agrees[name][:, None]
        of_parts = [
            np.where(share > 0, p_value((part & wrong).sum(axis=0), part.sum(axis=0), STATED), 0.0)
            for share, part in ((ways.share_machine, alone), (ways.share_ring, ring))
        ]
        p.append(np.maximum(*of_parts))
    weights, transitions = graph.chains([starts(ways, LABELS, STATED, each) / len(CLASSES) for _ in CLASSES])
    fell = np.split(graph.reject(np.concatenate(p), weights, transitions, DELTA)[0], len(CLASSES))
    best = {
        name: max(np.flatnonzero(mine), key=lambda j: ways.saved[j])
        for name, mine in zip(CLASSES, fell, strict=True)
        if mine.any()
    }
    return {name: (float(ways.machine[j]), float(ways.assisted[j])) for name, j in best.items()}


SCENARIO = Scenario(
    name="second_reader",
    says="an answer that agrees with the machine settles, and people take the surest while the labels come in: what was "
    "proven of the whole ring is said of what is left, or what is left is certified",
    delta=DELTA,
    simulate=simulate,
)
