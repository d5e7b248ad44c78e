"""The delivered set: of all labels that leave, machine's, assisted and strict ones together, so many are right.

*Right* is what strict labels would say. Three ways lead to a label: the machine alone (free, wrong most often), *assisted*,
one blind answer that agrees with the machine, else strict (about one answer, wrong seldom), and strict (two answers and
more, right by definition). A *path* is laid from few errors to many: each rung says up to which doubt the machine decides,
and up to which, beyond, an agreeing answer settles; so each rung is a way to deliver the whole pool. The rungs are the
cheapest ways for a rising price of an error (a Lagrangian), as far as the model's doubts are right: that steers what is
tried, and never what is proven.

What a strict label shows of a photo is, for every rung at once, whether its label would have been wrong: so random
certifying labels are an even sample of the pool's losses, and a rung falls by the hypergeometric tail. The labels that
certify are delivered as people settled them: e losses among them are mended, and the pool may hold e more. But e is seen
only afterwards, and a sequence of hypotheses that move with the labels keeps no δ. So each rung has two fixed ones: "too
many, though ``mended`` of them are found", which proves the rung where so many were, and, with ``OWN`` of δ, "too many".
The *floor* is tested on the same labels: at most 1 − floor of the machine's part is wrong. A hypothesis falls only if both
are refuted at the level, and needs no split of δ for that (an intersection-union test: Berger 1982); they are walked like
thresholds (``graph.chains``).

One exact look, at the planned number of labels: looking sooner, or going on after, would need other levels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import bdtr
from scipy.stats import hypergeom

from inference.certify import graph
from inference.certify.agreement import SHARED_ERRORS
from inference.certify.binomial import check_level, errors_allowed

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

RUNGS = 60
#: Expected errors at the first and the last rung, as shares of what is allowed: doubts may be off by so much.
REACH = (0.1, 1.6)
#: Human decisions for a strict label, and those that a doubted photo costs on top where an answer disagrees.
STRICT_COST, DISAGREEMENT_COST = 2.07, 1.4
#: The walk begins where the floor would pass so probably, were the machine wrong so many times as often as it says.
SURE, WORSE = 0.9, 2.0
#: Of δ, for what is proven without a thought of the errors that the labels mend.
OWN = 0.1
#: Of the errors that an exact test would just let pass, so many are counted on to be found.
COUNTED_ON = 0.8


@dataclass(frozen=True)
class Path:
    """Ways to deliver one pool, from few errors to many. All settled before the first certifying label.

    Attributes:
        machine: (m,) doubt up to which the machine decides alone; rises.
        assisted: (m,) doubt up to which, beyond that, an agreeing answer settles; strict labels for the rest.
        share_machine, share_assisted: (m,) of the pool's photos in either part.
        expected: (m,) share of wrong labels among all, if doubts are right.
        expected_machine: (m,) share of wrong ones in the machine's part, likewise.
        photos: of the pool.
    """

    machine: Floats
    assisted: Floats
    share_machine: Floats
    share_assisted: Floats
    expected: Floats
    expected_machine: Floats
    photos: int

    def __len__(self) -> int:
        return len(self.machine)


@dataclass(frozen=True)
class Outcomes:
    """Certifying labels, evenly drawn from the pool, in the order of their draw.

    Attributes:
        doubt: (n,) of the model version, as the pool's.
        wrong: (n,) whether the prediction is not the strict ground truth; holds and unusables as the project says.
        agreed: (n,) whether the first blind answer, with nothing told, was the prediction.
    """

    doubt: Floats
    wrong: Bools
    agreed: Bools

    def __post_init__(self) -> None:
        if not len(self.doubt) == len(self.wrong) == len(self.agreed):
            raise ValueError("every label needs a doubt, whether it was wrong, and whether the answer agreed")

    def __len__(self) -> int:
        return len(self.doubt)


@dataclass(frozen=True)
class Rung:
    """What the labels say of one way to deliver.

    Attributes:
        errors, n: labels that would have left wrong under it, of all.
        machine_errors, machine_n: of those in the machine's part.
        p_value: of "more is wrong than stated, what labels mend aside, or the machine's part is under the floor".
        level: the δ it was tested at.
    """

    machine: float
    assisted: float
    errors: int
    n: int
    machine_errors: int
    machine_n: int
    p_value: float
    level: float
    fell: bool


@dataclass(frozen=True)
class Delivery:
    """``certified``: index of the farthest rung that fell, None where none did or labels lack. ``lacks``: labels to come."""

    rungs: tuple[Rung, ...]
    certified: int | None
    lacks: int
    precision: float
    floor: float
    delta: float

    @property
    def machine(self) -> float | None:
        """Doubt up to which the machine decides."""
        return None if self.certified is None else self.rungs[self.certified].machine

    @property
    def assisted(self) -> float | None:
        """Doubt up to which an answer that agrees settles."""
        return None if self.certified is None else self.rungs[self.certified].assisted


def path(doubt: npt.ArrayLike, *, precision: float, rungs: int = RUNGS) -> Path:
    """The path over a pool.

    Args:
        doubt: (N,) probability that the prediction is wrong, as the model has it: 1 − its highest probability.

    With a price λ of an error in human decisions, a photo of doubt q costs λ q by the machine, about
    1 + ``DISAGREEMENT_COST`` q + λ ``SHARED_ERRORS`` q assisted, and ``STRICT_COST`` strict; each goes where it is cheapest.
    """
    check_level("precision", precision)
    q = np.sort(np.asarray(doubt, dtype=np.float64))
    if not q.size:
        none = np.zeros(0)
        return Path(none, none, none, none, none, none, photos=0)
    price = np.geomspace(1e6, 2.0, 2000)
    machine = 1.0 / np.maximum((1.0 - SHARED_ERRORS) * price - DISAGREEMENT_COST, 1e-9)
    assisted = np.maximum((STRICT_COST - 1.0) / (SHARED_ERRORS * price + DISAGREEMENT_COST), machine)
    mass = np.concatenate([[0.0], np.cumsum(q)]) / q.size
    inner, outer = (np.searchsorted(q, each, side="right") for each in (machine, assisted))
    expected = mass[inner] + SHARED_ERRORS * (mass[outer] - mass[inner])
    wanted = np.linspace(*REACH, rungs) * (1.0 - precision)
    at = np.clip(np.searchsorted(expected, wanted), 0, len(price) - 1)
    # Two rungs that put every photo the same way are one.
    _, first = np.unique(np.stack([inner[at], outer[at]]), axis=1, return_index=True)
    at = at[np.sort(first)]
    inside = inner[at] / q.size
    return Path(
        machine[at],
        assisted[at],
        inside,
        (outer[at] - inner[at]) / q.size,
        expected[at],
        np.where(inside > 0, mass[inner[at]] / np.maximum(inside, 1e-12), 0.0),
        photos=int(q.size),
    )


def certify_delivery(
    labels: Outcomes, ways: Path, *, precision: float, floor: float, delta: float, planned: int
) -> Delivery:
    """How far along the path the pool may be delivered; falsely with probability at most ``delta``.

    Args:
        labels: all there are; the first ``planned`` count, and before they are there nothing is tested.
        precision: of all labels of the pool as they leave, those that certify included.
        floor: of the machine's part of the pool.

    Raises:
        ValueError: more labels planned than the pool has photos.
    """
    for name, value in (("precision", precision), ("floor", floor), ("delta", delta)):
        check_level(name, value)
    if planned > ways.photos:
        raise ValueError(f"{planned} labels are planned of a pool of {ways.photos}")
    lacks = max(planned - len(labels), 0)
    if lacks or not planned or not len(ways):
        return Delivery((), None, lacks, precision, floor, delta)
    first = slice(planned)
    doubt, wrong, agreed = labels.doubt[first, None], labels.wrong[first, None], labels.agreed[first, None]
    machine = doubt <= ways.machine
    assisted = ~machine & (doubt <= ways.assisted)
    errors = (wrong & (machine | (assisted & agreed))).sum(axis=0)
    machine_n, machine_errors = machine.sum(axis=0), (machine & wrong).sum(axis=0)
    inside = np.round(ways.share_machine * ways.photos).astype(np.int64)
    of_machine = np.where(inside > 0, _p_value(machine_errors, machine_n, inside, _most(inside, floor)), 0.0)
    most = _most(np.full(len(ways), ways.photos), precision)
    counted_on = mended(ways.photos, planned, precision, (1.0 - OWN) * delta)
    n, photos = np.full(len(ways), planned), np.full(len(ways), ways.photos)
    p = np.maximum(_p_value(errors, n, photos, most + counted_on), of_machine)
    plain = np.maximum(_p_value(errors, n, photos, most), of_machine)
    start = begin(ways, floor, delta, planned)
    begins = np.zeros(len(ways))
    if start is not None:
        begins[start] = 1.0
    weights, transitions = graph.chains([(1.0 - OWN) * begins, OWN * begins])
    rejected, levels = graph.reject(np.concatenate([p, plain]), weights, transitions, delta)
    fell = (rejected[: len(ways)] & (errors >= counted_on)) | rejected[len(ways) :]
    rungs = tuple(
        Rung(
            float(ways.machine[j]),
            float(ways.assisted[j]),
            int(errors[j]),
            planned,
            int(machine_errors[j]),
            int(machine_n[j]),
            float(p[j]),
            float(levels[j]),
            bool(fell[j]),
        )
        for j in range(len(ways))
    )
    return Delivery(rungs, int(np.flatnonzero(fell)[-1]) if fell.any() else None, 0, precision, floor, delta)


def mended(photos: int, planned: int, precision: float, delta: float) -> int:
    """Errors that the certifying labels will find where a rung only just passes, or a little fewer: fixed beforehand."""
    most, found = int(_most(np.asarray(photos), precision)), 0
    for _ in range(20):
        allowed = int(hypergeom.ppf(delta, photos, min(most + found + 1, photos), planned)) - 1
        again = max(int(COUNTED_ON * allowed), 0)
        if again == found:
            break
        found = again
    return found


def begin(ways: Path, floor: float, delta: float, planned: int) -> int | None:
    """Index of the rung to begin at: the first whose machine's part holds labels enough for the floor. None where none does.

    Farther out is always easier as far as all labels together go, so walking past many rungs costs nothing.
    """
    mine = np.floor(ways.share_machine * planned).astype(np.int64)
    allowed = errors_allowed(mine, floor, delta)
    passes = bdtr(
        np.maximum(allowed, 0), np.maximum(mine, 1), np.clip(WORSE * ways.expected_machine, 0.0, 1.0)
    )
    # Where the machine decides nothing there is no floor to prove.
    sure = np.flatnonzero((mine == 0) & (ways.share_machine == 0) | ((allowed >= 0) & (passes >= SURE)))
    return int(sure[0]) if len(sure) else None


def _most(photos: Ints, precision: float) -> Ints:
    """The most wrong ones that so many photos may hold."""
    return np.asarray(np.floor((1.0 - precision) * photos + 1e-9), dtype=np.int64)


def _p_value(errors: Ints, n: Ints, photos: Ints, most: Ints) -> Floats:
    """Of "more than ``most`` of the photos are wrong", with so many errors in ``n`` labels of them; 1 without any."""
    tail = hypergeom.cdf(errors, photos, np.minimum(most + 1, photos), n)
    return np.asarray(np.where(n > 0, tail, 1.0))
