"""The delivered set: of all labels that leave, machine's, assisted and strict ones together, so many are right.

*Right* is what strict labels would say. Three ways lead to a label: the machine alone (free, wrong most often), *assisted*,
one blind answer that agrees with the machine, else strict (about one answer, wrong seldom), and strict (two answers and
more, right by definition). A *path* is laid from few errors to many: each rung says up to which doubt the machine decides,
and up to which, beyond, an agreeing answer settles; so each rung is a way to deliver the whole pool. The rungs are the
cheapest ways for a rising price of an error (a Lagrangian), as far as the model's doubts are right: that steers what is
tried, and never what is proven.

What a strict label shows of a photo is, for every rung at once, whether its label would have been wrong: so random
certifying labels are an even sample of the pool's losses, and the labels that certify are themselves delivered strict. With
N photos, n of them drawn and e of those lost under the rung, "more than (1 − precision) N wrong are delivered" says that
the pool holds K ≥ e + (1 − precision) N losses; its p-value is the hypergeometric tail of e at the smallest such K, which
is valid though e is in it, since the tail falls in K. The *floor* is tested on the same labels: of what the machine would
decide, drawn ones left out, at most 1 − floor is wrong. A rung falls only if both are refuted at the level, and needs no
split of δ for that (an intersection-union test: Berger 1982); rungs are walked like thresholds (``graph.chains``).

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
Bools = npt.NDArray[np.bool_]

RUNGS = 24
#: Expected errors at the first and the last rung, as shares of what is allowed: doubts may be off by so much.
REACH = (0.3, 1.6)
#: Human decisions for a strict label, and those that a doubted photo costs on top where an answer disagrees.
STRICT_COST, DISAGREEMENT_COST = 2.07, 1.4
#: As in ``ladder.HEDGE``.
HEDGE = 0.5


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
        p_value: of "more is wrong than stated, or the machine's part is under the floor".
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
        precision: of all delivered labels of the pool, those that certify included.
        floor: of what the machine alone decides.

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
    of_all = _lost(errors, planned, ways.photos, np.ceil((1.0 - precision) * ways.photos - 1e-9))
    of_machine = _lost(
        machine_errors, machine_n, inside, np.ceil((1.0 - floor) * (inside - machine_n) - 1e-9)
    )
    p = np.maximum(of_all, np.where(inside > 0, of_machine, 0.0))
    weights, transitions = graph.chains([starts(ways, precision, floor, delta, planned)])
    fell, levels = graph.reject(p, weights, transitions, delta)
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


def starts(ways: Path, precision: float, floor: float, delta: float, planned: int) -> Floats:
    """(m,) shares of δ before the first label: by the power that the model's doubts promise, as ``ladder.starts``."""
    allowed = 1.0 - precision + (1.0 - precision) * planned / ways.photos
    power = _power(ways.expected, np.full(len(ways), planned), 1.0 - allowed, delta)
    mine = np.floor(ways.share_machine * planned).astype(np.int64)
    power = power * np.where(mine > 0, _power(ways.expected_machine, mine, floor, delta), 1.0)
    if power.sum() <= 0:
        return np.zeros(len(ways))
    shares = HEDGE * power / power.sum()
    shares[int(np.argmax(power))] += 1.0 - HEDGE
    return np.asarray(shares)


def _power(expected: Floats, labels: npt.NDArray[np.int64], precision: float, delta: float) -> Floats:
    allowed = errors_allowed(labels, precision, delta)
    passes = bdtr(np.maximum(allowed, 0), np.maximum(labels, 1), np.clip(expected, 0.0, 1.0))
    return np.asarray(np.where(allowed >= 0, passes, 0.0))


def _lost(errors: npt.ArrayLike, n: npt.ArrayLike, photos: npt.ArrayLike, further: npt.ArrayLike) -> Floats:
    """P-value of "beyond the ``errors`` in ``n`` labels there are at least ``further`` more among the other photos".

    1 where there are no labels; 0 where the other photos could not hold so many.
    """
    k, m, total = (np.asarray(each, dtype=np.int64) for each in (errors, n, photos))
    lost = k + np.asarray(further, dtype=np.int64)
    tail = hypergeom.cdf(k, total, np.minimum(lost, total), m)
    return np.asarray(np.where(m > 0, np.where(lost - k > total - m, 0.0, tail), 1.0))
