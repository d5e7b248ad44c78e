"""The machine as second reader: where one blind human answer that agrees with it is as good as strict labels.

A *way* to decide a predicted class is two thresholds: at or above the outer one the machine decides alone, between it and
the inner one, in the *ring*, an answer that is the prediction settles a photo, and all else is strict work. What is stated
holds of either part for itself: of what the machine decides, and of the labels that one answer settled. The ring is tested
as the machine leaves it: what the machine takes is the surest, where agreement is easy, and would carry the rest.

Nothing else needs to be labeled for it, since every certifying photo has a first blind answer: those of the ring that agree
are an even sample of the photos that an answer would settle. A way falls only if the machine's part and the ring are both
refuted to be worse than stated, and needs no split of δ for that (an intersection-union test: Berger 1982). The ways of a
class are laid before the first label, from the ring alone to more and more for the machine, and walked like thresholds
(``graph.chains``); all that fall hold together, with probability 1 − δ over all classes.

One exact look at the planned number of labels, by the binomial, which in a pool that ends is on the safe side (Hoeffding
1963). A disagreement proves nothing and settles nothing. What no test sees is a labeler who learns what the machine says:
then the answer is not blind, and must count for nothing here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import bdtr

from inference.certify import graph
from inference.certify.binomial import check_level, errors_allowed, p_value
from inference.certify.evidence import Sample
from inference.certify.ladder import EVEN_STARTS, HEDGE, Ladder

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

#: Of the machine's errors, about so many are shared by a first answer. Steers which ways are laid, never what they prove.
SHARED_ERRORS = 0.1
#: A ring is laid as deep as hopes put it above what is stated by so much of what may be wrong.
ROOM = 0.2
#: The machine's part begins where so many errors would still pass: a way that a single error fells blocks those behind it.
SPARE = 3
#: Human decisions that a label by the machine and one by an answer that agrees save.
SAVED_ALONE, SAVED_ASSISTED = 2.07, 1.07


@dataclass(frozen=True)
class Ways:
    """Ways to decide one predicted class, settled before the first certifying label.

    Attributes:
        machine: (m,) confidence from which the machine decides alone; infinite where it decides nothing.
        assisted: (m,) confidence from which, below that, an answer that agrees settles; the same where there is no ring.
        share_machine, share_ring: (m,) of the class's photos.
        hoped_machine, hoped_ring: (m,) precisions, NaN where there are no hopes.
        agreeing: (m,) share of the ring's photos on which the answer is hoped to agree.
    """

    machine: Floats
    assisted: Floats
    share_machine: Floats
    share_ring: Floats
    hoped_machine: Floats
    hoped_ring: Floats
    agreeing: Floats

    def __len__(self) -> int:
        return len(self.machine)

    @property
    def saved(self) -> Floats:
        """(m,) human decisions a photo of the class."""
        return self.share_machine * SAVED_ALONE + self.share_ring * self.agreeing * SAVED_ASSISTED


@dataclass(frozen=True)
class Agreement:
    """What a class's labels prove.

    Attributes:
        machine, assisted: thresholds of the best way that fell, None where none did; ``machine`` is infinite where the
            machine decides nothing.
        n, errors: labels in the machine's part, and wrong ones.
        ring_n, ring_errors: labels of the ring whose first answer agrees, and wrong ones.
        lacks: labels until the look.
    """

    machine: float | None
    assisted: float | None
    n: int = 0
    errors: int = 0
    ring_n: int = 0
    ring_errors: int = 0
    lacks: int = 0


def lay(rungs: Ladder, precision: float, planned: int, delta: float) -> Ways:
    """The ways over one class's ladder: rings from the surest inward, then the machine from the surest inward.

    With each threshold of the machine the ring goes as deep as hopes allow; without hopes, over all the rest. ``planned``:
    labels of the class; ``delta``: its part of δ.
    """
    check_level("precision", precision)
    thresholds = np.concatenate([[np.inf], rungs.thresholds])
    share = np.concatenate([[0.0], rungs.share])
    wrong = np.full(len(share), np.nan)
    if rungs.hoped is not None:
        # Hopes of the whole region; of what is added inward no fewer errors than none.
        wrong = np.maximum.accumulate(np.concatenate([[0.0], rungs.share * (1.0 - rungs.hoped)]))
    last = len(share) - 1
    pairs = [(0, a) for a in range(1, _depth(share, wrong, 0, precision) + 1)]
    allowed = errors_allowed(np.floor(share * planned).astype(np.int64), precision, delta)
    pairs += [
        (m, max(_depth(share, wrong, m, precision), m)) for m in range(1, last + 1) if allowed[m] >= SPARE
    ]
    outer, inner = (np.array([pair[k] for pair in pairs], dtype=np.int64) for k in (0, 1))
    ring, ring_wrong = share[inner] - share[outer], wrong[inner] - wrong[outer]
    with np.errstate(divide="ignore", invalid="ignore"):
        shared = SHARED_ERRORS * ring_wrong / ring
        agreeing = 1.0 - ring_wrong / ring + shared
        hoped_ring = np.where(ring > 0, 1.0 - shared / agreeing, 1.0)
        hoped_machine = np.where(outer > 0, 1.0 - wrong[outer] / share[outer], 1.0)
    agreeing = np.where(np.isfinite(agreeing), agreeing, 1.0)
    return Ways(thresholds[outer], thresholds[inner], share[outer], ring, hoped_machine, hoped_ring, agreeing)


def _depth(share: Floats, wrong: Floats, m: int, precision: float) -> int:
    """The innermost threshold to which the ring beside the machine's ``m`` outermost is hoped to hold; 0 where none is."""
    if np.isnan(wrong).any():
        return len(share) - 1
    ring, ring_wrong = share - share[m], wrong - wrong[m]
    shared = SHARED_ERRORS * ring_wrong
    enough = (1.0 - precision) * (1.0 - ROOM) * (ring - ring_wrong + shared)
    deep = np.flatnonzero((ring > 0) & (shared <= enough))
    return int(deep[-1]) if len(deep) else 0


def certify_agreement(
    samples: Mapping[str, Sample],
    agrees: Mapping[str, npt.ArrayLike],
    ladders: Mapping[str, Ladder],
    *,
    precision: float,
    delta: float,
    planned: Mapping[str, int],
) -> dict[str, Agreement]:
    """The best proven way of each predicted class; anything false, of either part, with probability at most ``delta``.

    Args:
        samples: even labels in the order of their draw; the first ``planned`` count, and before they are there none does.
        agrees: (n,) by class: whether the label's first blind answer, given with nothing told, is the predicted class.
        ladders, planned: by class, settled before the first label.

    Raises:
        ValueError: keys that differ, or a label without a word on its first answer.
    """
    check_level("delta", delta)
    names = list(ladders)
    if set(samples) != set(names) or set(agrees) != set(names) or set(planned) != set(names):
        raise ValueError("samples, agreement, ladders and plans must be of the same classes")
    each = delta / max(len(names), 1)
    ways = {name: lay(ladders[name], precision, planned[name], each) for name in names}
    counts = {
        name: _counts(samples[name], np.asarray(agrees[name], dtype=bool), ways[name], planned[name])
        for name in names
    }
    weights, transitions = graph.chains(
        [starts(ways[name], planned[name], precision, each) / len(names) for name in names]
    )
    p = np.concatenate([_p_values(ways[name], counts[name], precision) for name in names] or [np.zeros(0)])
    fell, _levels = graph.reject(p, weights, transitions, delta)
    found, at = {}, 0
    for name in names:
        mine = np.flatnonzero(fell[at : at + len(ways[name])])
        at += len(ways[name])
        found[name] = _best(ways[name], counts[name], mine, max(planned[name] - len(samples[name]), 0))
    return found


@dataclass(frozen=True)
class _Counts:
    """(m,) labels and errors of the machine's part and of the ring; nought before the look is due."""

    n: Ints
    errors: Ints
    ring_n: Ints
    ring_errors: Ints


def _counts(sample: Sample, agrees: Bools, ways: Ways, planned: int) -> _Counts:
    if agrees.shape != (len(sample),):
        raise ValueError("every label needs whether its first answer agreed")
    first = slice(planned if len(sample) >= planned else 0)
    c, wrong = sample.confidence[first, None], ~np.asarray(sample.correct, dtype=bool)[first, None]
    alone = c >= ways.machine
    ring = ~alone & (c >= ways.assisted) & agrees[first, None]
    return _Counts(
        alone.sum(axis=0), (alone & wrong).sum(axis=0), ring.sum(axis=0), (ring & wrong).sum(axis=0)
    )


def _p_values(ways: Ways, counts: _Counts, precision: float) -> Floats:
    alone = np.where(ways.share_machine > 0, p_value(counts.errors, counts.n, precision), 0.0)
    ring = np.where(ways.share_ring > 0, p_value(counts.ring_errors, counts.ring_n, precision), 0.0)
    return np.asarray(np.maximum(alone, ring))


def _best(ways: Ways, counts: _Counts, fell: Ints, lacks: int) -> Agreement:
    if not len(fell):
        return Agreement(None, None, lacks=lacks)
    j = int(fell[np.argmax(ways.saved[fell])])
    return Agreement(
        float(ways.machine[j]),
        float(ways.assisted[j]),
        int(counts.n[j]),
        int(counts.errors[j]),
        int(counts.ring_n[j]),
        int(counts.ring_errors[j]),
        lacks,
    )


def starts(ways: Ways, planned: int, precision: float, delta: float) -> Floats:
    """(m,) shares of the class's δ before the first label, as ``ladder.starts``: by hopes, or even ones without."""
    shares = np.zeros(len(ways))
    parts = []
    for share, hoped in (
        (ways.share_machine, ways.hoped_machine),
        (ways.share_ring * ways.agreeing, ways.hoped_ring),
    ):
        expected = np.floor(share * planned).astype(np.int64)
        allowed = errors_allowed(expected, precision, delta)
        chance = bdtr(np.maximum(allowed, 0), np.maximum(expected, 1), np.nan_to_num(1.0 - hoped))
        parts.append(np.where(share > 0, np.where(allowed >= 0, chance, 0.0), 1.0))
    power = parts[0] * parts[1]
    possible = np.flatnonzero(power > 0)
    if not len(possible):
        return shares
    if np.isnan(ways.hoped_machine).any():
        even = np.unique(np.linspace(0, len(possible) - 1, EVEN_STARTS).round().astype(np.int64))
        shares[possible[even]] = 1.0 / len(even)
        return shares
    shares = HEDGE * power / power.sum()
    shares[int(np.argmax(power * ways.saved))] += 1.0 - HEDGE
    return np.asarray(shares)
