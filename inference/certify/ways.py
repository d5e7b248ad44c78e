"""Ways to decide one predicted class: up to where the machine alone, up to where an answer that agrees with it settles.

All of it is settled without a look at a certifying label. Where hopes are wrong, ways are laid badly, and coverage is lost;
never what is proven.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import bdtr

from inference.certify.binomial import check_level, errors_allowed
from inference.certify.ladder import EVEN_STARTS, Ladder

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

#: Of the machine's errors, about so many are shared by a first answer. Steers which ways are laid, never what they prove.
SHARED_ERRORS = 0.1
#: A ring is laid as deep as hopes put it above what is stated by so much of what may be wrong.
ROOM = 0.2
#: The machine's part begins where so many errors would still pass: a way that a single error fells blocks those behind it.
SPARE = 3
#: Shares of δ before the first label: see ``starts``.
HOPED, WORSE, LIKELY, ABOUT = 0.2, 2.0, 0.3, 0.7
#: Human decisions that a label by the machine and one by an answer that agrees save.
SAVED_ALONE, SAVED_ASSISTED = 2.07, 1.07


@dataclass(frozen=True)
class Ways:
    """Ways to decide one predicted class, settled before the first certifying label.

    Attributes:
        outer, inner: (m,) how many of the ladder's regions the machine's part holds, and that with the ring. 0 for none.
        machine: (m,) confidence from which the machine decides alone; infinite where it decides nothing.
        assisted: (m,) confidence from which, below that, an answer that agrees settles; the same where there is no ring.
        share_machine, share_ring: (m,) of the class's photos.
        hoped_machine, hoped_ring: (m,) precisions, NaN where there are no hopes.
        agreeing: (m,) share of the ring's photos on which the answer is hoped to agree.
    """

    outer: Ints
    inner: Ints
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
    return Ways(
        outer,
        inner,
        thresholds[outer],
        thresholds[inner],
        share[outer],
        ring,
        hoped_machine,
        hoped_ring,
        agreeing,
    )


def _depth(share: Floats, wrong: Floats, m: int, precision: float) -> int:
    """The innermost threshold to which the ring beside the machine's ``m`` outermost is hoped to hold; 0 where none is."""
    if np.isnan(wrong).any():
        return len(share) - 1
    ring, ring_wrong = share - share[m], wrong - wrong[m]
    shared = SHARED_ERRORS * ring_wrong
    enough = (1.0 - precision) * (1.0 - ROOM) * (ring - ring_wrong + shared)
    deep = np.flatnonzero((ring > 0) & (shared <= enough))
    return int(deep[-1]) if len(deep) else 0


def starts(ways: Ways, planned: int, precision: float, delta: float) -> Floats:
    """(m,) shares of the class's δ before the first label; sum 1, or 0 where no way can be expected to pass.

    ``HOPED`` of them by the probability to pass as hopes go, and the rest on two ways among those that would pass, were both
    parts wrong ``WORSE`` times as often, about as probably as the best of them: hopes are mostly too high, a start too far
    in fails and blocks the class, and from one farther out the walk goes inward at no cost. Without hopes even ones.
    """
    power = _power(ways, planned, precision, delta, 1.0)
    possible = np.flatnonzero(power > 0)
    shares = np.zeros(len(ways))
    if not len(possible):
        return shares
    if np.isnan(ways.hoped_machine).any():
        even = np.unique(np.linspace(0, len(possible) - 1, EVEN_STARTS).round().astype(np.int64))
        shares[possible[even]] = 1.0 / len(even)
        return shares
    shares = HOPED * power / power.sum()
    safe = np.where(ways.outer > 0, _power(ways, planned, precision, delta, WORSE), 0.0)
    if safe.max() >= LIKELY:
        among = np.flatnonzero(safe >= ABOUT * safe.max())
        thirds = np.unique(among[np.linspace(0, len(among) - 1, 4).round().astype(np.int64)[1:-1]])
    else:
        thirds = np.array([np.argmax(power * ways.saved)])
    shares[thirds] += (1.0 - HOPED) / len(thirds)
    return np.asarray(shares)


def _power(ways: Ways, planned: int, precision: float, delta: float, worse: float) -> Floats:
    """(m,) probability that either part passes an exact test, were both wrong so many times as often as hoped."""
    power = np.ones(len(ways))
    for share, hoped in (
        (ways.share_machine, ways.hoped_machine),
        (ways.share_ring * ways.agreeing, ways.hoped_ring),
    ):
        expected = np.floor(share * planned).astype(np.int64)
        allowed = errors_allowed(expected, precision, delta)
        errors = np.clip(worse * np.nan_to_num(1.0 - hoped), 0.0, 1.0)
        chance = bdtr(np.maximum(allowed, 0), np.maximum(expected, 1), errors)
        power *= np.where(share > 0, np.where(allowed >= 0, chance, 0.0), 1.0)
    return power
