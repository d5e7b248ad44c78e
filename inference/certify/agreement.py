"""The machine as second reader: where one blind human answer that agrees with it is as good as strict labels.

A *way* to decide a predicted class is two thresholds: at or above the outer one the machine decides alone, between it and
the inner one, in the *ring*, an answer that is the prediction settles a photo, and all else is strict work. What is stated
holds of either part for itself: of what the machine decides, and of the labels that one answer settled. The ring is tested
as the machine leaves it: what the machine takes is the surest, where agreement is easy, and would carry the ring.

Nothing else needs to be labeled for it, since every certifying photo has a first blind answer: those of the ring that agree
are an even sample of the photos that an answer would settle. A way falls only if the machine's part and the ring are both
refuted to be worse than stated, and needs no split of δ for that (an intersection-union test: Berger 1982). The ways of a
class are laid before the first label, from the ring alone to more and more for the machine, and walked like thresholds
(``graph.chains``); all that fall hold together, with probability 1 − δ over all classes.

**Of the rest.** As in ``walk``, what is certified is what people leave of either part, so what is tested stands in the
plan: of the machine's part a target (``ladder.aimed``), of the ring a spare (``ring``). Beside the walk each part has a
bound of its own, for ``OWN`` of δ over all of them; a third of that for the machine's parts, for the rings, and for how many
photos of each ring an answer would agree on. All hold together and at all times, with probability 1 − δ. So it may be asked
at any time which ways still hold of the rest, and the best of these is the one to use.

One exact look at the planned number of evenly drawn labels. A disagreement proves nothing and settles nothing. What no test
sees is a labeler who learns what the machine says: then the answer is not blind, and must count for nothing here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from inference.certify import finite, graph, ring
from inference.certify.binomial import check_level
from inference.certify.evidence import Sample
from inference.certify.finite import Rest
from inference.certify.ladder import OWN, Ladder, aimed
from inference.certify.ring import Taken
from inference.certify.ways import lay, starts

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

#: Of ``OWN``: for the machine's parts, the rings, and the agreeing photos of the rings.
PARTS = 3


@dataclass(frozen=True)
class Agreement:
    """What a class's labels prove: the best way that was proven and still holds of what people left.

    Attributes:
        machine, assisted: its thresholds, None where there is no such way; ``machine`` is infinite where the machine decides
            nothing, and equal to ``assisted`` where there is no ring.
        share_machine, share_ring: of the class's photos.
        n, errors: labels in the machine's part, and wrong ones.
        photos, most_wrong: of the cohort in the machine's part, and an upper bound of the wrong ones among them.
        rest, known: of these photos, what is left to the machine, and errors that people found among the others. What is
            stated holds of the machine's part while ``most_wrong − known`` is at most (1 − precision) of what is left.
        lower: lower bound of the precision of that rest; 0 where nothing is left.
        ring_n, ring_errors: labels of the ring whose first answer agrees, and wrong ones.
        ring_photos: of the cohort in the ring.
        ring_spare: what the ring has to spare at least, in photos: ``ring_holds`` says by it, at any later time, whether
            what is stated holds of what people left of the ring.
        ring_taken, ring_known: agreeing photos that people took of it by now, and those found wrong.
        lacks: labels until the look.
    """

    machine: float | None
    assisted: float | None
    share_machine: float = 0.0
    share_ring: float = 0.0
    n: int = 0
    errors: int = 0
    photos: int = 0
    most_wrong: int = 0
    rest: int = 0
    known: int = 0
    lower: float = 0.0
    ring_n: int = 0
    ring_errors: int = 0
    ring_photos: int = 0
    ring_spare: float = 0.0
    ring_taken: int = 0
    ring_known: int = 0
    lacks: int = 0


def certify_agreement(
    samples: Mapping[str, Sample],
    agrees: Mapping[str, npt.ArrayLike],
    ladders: Mapping[str, Ladder],
    *,
    precision: float,
    delta: float,
    planned: Mapping[str, int],
    rests: Mapping[str, Rest] | None = None,
    taken: Mapping[str, Taken] | None = None,
) -> dict[str, Agreement]:
    """The best proven way of each predicted class; anything false, of either part, with probability at most ``delta``.

    Args:
        samples: labels in the order of their draw. Of those drawn evenly from the whole class the first ``planned``
            photos count, and before they are there none does. What is not ``correct`` is wrong in either part.
        agrees: (n,) by class: whether the label's first blind answer, given with nothing told, is the predicted class.
            A photo that was held or called unusable after such an answer is wrong if ``correct`` says so; where it is not to
            count as an error say that it does not agree, and the ring speaks of the photos that people can decide.
        ladders, planned: by class, settled before the first label; the ladders know their photos, and ``aimed`` may have
            been asked for their targets.
        rests, taken: what is left to the machine of each region of the ladders, and what people took of it; by default
            they took the labels, and nothing else. May differ whenever this is asked again.

    Raises:
        ValueError: keys that differ, a label without a word on its first answer, or a ladder without photos.
    """
    check_level("delta", delta)
    names = list(ladders)
    if set(samples) != set(names) or set(agrees) != set(names) or set(planned) != set(names):
        raise ValueError("samples, agreement, ladders and plans must be of the same classes")
    each = delta / max(len(names), 1)
    classes = {
        name: _Class(
            samples[name],
            np.asarray(agrees[name], dtype=bool),
            ladders[name],
            planned[name],
            precision,
            each,
        )
        for name in names
    }
    weights, transitions = graph.chains(
        [
            starts(one.ways, one.planned, precision, (1.0 - OWN) * each) / len(names)
            for one in classes.values()
        ]
    )
    p = np.concatenate([one.p_values() for one in classes.values()] or [np.zeros(0)])
    fell, _levels = graph.reject(p, weights, transitions, (1.0 - OWN) * delta)
    found, at = {}, 0
    for name, one in classes.items():
        here = slice(at, at + len(one.ways))
        at += len(one.ways)
        found[name] = one.best(
            fell[here],
            one.rest() if rests is None else rests[name],
            one.taken() if taken is None else taken[name],
        )
    return found


class _Class:
    """One class's labels and ways."""

    def __init__(
        self, sample: Sample, agrees: Bools, rungs: Ladder, planned: int, precision: float, delta: float
    ) -> None:
        if agrees.shape != (len(sample),):
            raise ValueError("every label needs whether its first answer agreed")
        if rungs.photos is None:
            raise ValueError("the ladder must know the photos of its regions")
        self.sample, self.agrees, self.planned, self.precision = sample, agrees, planned, precision
        part = delta / PARTS
        self.rungs = aimed(rungs, planned, precision, part)
        assert self.rungs.targets is not None
        self.targets = np.concatenate([[0], self.rungs.targets])
        self.ways = lay(rungs, precision, planned, (1.0 - OWN) * delta)
        self.own_machine = OWN * part / max(len(rungs), 1)
        self.own_ring = OWN * part / max(len(self.ways), 1)
        photos = np.concatenate([[0], rungs.photos])
        self.photos = photos[self.ways.outer]
        self.ring_photos = photos[self.ways.inner] - self.photos
        evenly = sample.evenly(float(rungs.thresholds[-1]) if len(rungs) else -np.inf)
        self.lacks = max(planned - len(evenly), 0)
        self._count(evenly[:planned] if not self.lacks else evenly[:0])

    def _count(self, places: Ints) -> None:
        """Labels and errors of the machine's parts (m,), labels of the rings, and those that agree with their errors."""
        c = self.sample.confidence[places, None]
        wrong = ~np.asarray(self.sample.correct, dtype=bool)[places, None]
        alone = c >= self.ways.machine
        in_ring = ~alone & (c >= self.ways.assisted)
        agree = in_ring & self.agrees[places, None]
        self.n, self.errors = alone.sum(axis=0), (alone & wrong).sum(axis=0)
        self.ring_labels = in_ring.sum(axis=0)
        self.ring_n, self.ring_errors = agree.sum(axis=0), (agree & wrong).sum(axis=0)
        self.least = [
            ring.agreeing_at_least(a, n, photos, self.own_ring)
            for a, n, photos in zip(
                self.ring_n.tolist(), self.ring_labels.tolist(), self.ring_photos.tolist(), strict=True
            )
        ]
        self.most = (self.ring_photos - self.ring_labels + self.ring_n).tolist()
        expected = np.floor(self.ways.share_ring * self.ways.agreeing * self.planned).astype(int).tolist()
        hoped = np.floor(self.ring_photos * self.ways.agreeing).astype(int).tolist()
        self.spares = [
            ring.aim(labels, photos, self.precision, self.own_ring)
            for labels, photos in zip(expected, hoped, strict=True)
        ]

    def p_values(self) -> Floats:
        return np.array([max(self._p_machine(j), self._p_ring(j)) for j in range(len(self.ways))])

    def _p_machine(self, j: int) -> float:
        outer = int(self.ways.outer[j])
        if not outer:
            return 0.0
        return finite.p_value(
            int(self.errors[j]), int(self.n[j]), int(self.targets[outer]), int(self.photos[j])
        )

    def _p_ring(self, j: int) -> float:
        if not self.ring_photos[j]:
            return 0.0
        return ring.p_of_spare(
            int(self.ring_errors[j]),
            int(self.ring_n[j]),
            self.spares[j],
            self.precision,
            self.least[j],
            self.most[j],
        )

    def rest(self) -> Rest:
        """Of the ladder's regions, if people took the labels alone."""
        inside, wrong, _agrees = self._labeled()
        assert self.rungs.photos is not None
        return Rest(self.rungs.photos - inside.sum(axis=0), (inside & wrong).sum(axis=0))

    def taken(self) -> Taken:
        inside, wrong, agrees = self._labeled()
        return Taken((inside & agrees).sum(axis=0), (inside & agrees & wrong).sum(axis=0))

    def _labeled(self) -> tuple[Bools, Bools, Bools]:
        """(k, m) whether each labeled photo lies in each region, and (k, 1) whether it is wrong, and was agreed on."""
        photo = self.sample.photo
        each = np.arange(len(self.sample)) if photo is None else np.unique(photo, return_index=True)[1]
        inside = self.sample.confidence[each, None] >= self.rungs.thresholds
        return inside, ~np.asarray(self.sample.correct, dtype=bool)[each, None], self.agrees[each, None]

    def best(self, fell: Bools, rest: Rest, taken: Taken) -> Agreement:
        """Of the ways that hold of what is left, the one that saves most."""
        left, known, agreeing, wrong = (
            np.concatenate([[0], each]) for each in (rest.photos, rest.known, taken.agreeing, taken.wrong)
        )
        if not self.lacks:
            for j in np.argsort(-self.ways.saved, kind="stable").tolist():
                outer, inner = int(self.ways.outer[j]), int(self.ways.inner[j])
                found = self._proven(
                    j,
                    bool(fell[j]),
                    (int(left[outer]), int(known[outer])),
                    (int(agreeing[inner] - agreeing[outer]), int(wrong[inner] - wrong[outer])),
                )
                if found is not None:
                    return found
        return Agreement(None, None, lacks=self.lacks)

    def _proven(
        self, j: int, fell: bool, machine: tuple[int, int], taken: tuple[int, int]
    ) -> Agreement | None:
        """The way, if both its parts hold. ``machine``: rest and known; ``taken``: agreeing and wrong, of the ring."""
        most, lower, spare = 0, 0.0, 0.0
        rest, known = machine
        if self.ways.outer[j]:
            most = finite.most_wrong(
                int(self.errors[j]), int(self.n[j]), int(self.photos[j]), self.own_machine
            )
            if fell:
                most = min(most, int(self.targets[self.ways.outer[j]]) - 1)
            if not rest or most - known > int((1.0 - self.precision) * rest + 1e-9):
                return None
            lower = min(1.0, max(0.0, 1.0 - (most - known) / rest))
        if self.ring_photos[j]:
            spare = ring.own_spare(
                int(self.ring_errors[j]),
                int(self.ring_n[j]),
                self.precision,
                self.least[j],
                self.most[j],
                self.own_ring,
            )
            if fell:
                spare = max(spare, self.spares[j])
            if not ring.ring_holds(spare, precision=self.precision, agreeing=taken[0], wrong=taken[1]):
                return None
        return Agreement(
            float(self.ways.machine[j]),
            float(self.ways.assisted[j]),
            float(self.ways.share_machine[j]),
            float(self.ways.share_ring[j]),
            int(self.n[j]),
            int(self.errors[j]),
            int(self.photos[j]),
            most,
            rest,
            known,
            lower,
            int(self.ring_n[j]),
            int(self.ring_errors[j]),
            int(self.ring_photos[j]),
            spare,
            taken[0],
            taken[1],
            self.lacks,
        )
