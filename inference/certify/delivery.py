"""The delivered set: of all labels that leave, machine's, assisted and strict ones together, so many are right.

*Right* is what strict labels would say. Three ways lead to a label: the machine alone (free, wrong most often), *assisted*,
one blind answer that agrees with the machine, else strict (about one answer, wrong seldom), and strict (two answers and
more, right by definition). A *path* (``path``) is laid from few errors to many: each rung says up to which doubt the machine
decides, and up to which, beyond, an agreeing answer settles; so each rung is a way to deliver the whole cohort.

**All together.** What a strict label shows of a photo is, for every rung at once, whether its label would have been wrong:
so random certifying labels are an even sample of the cohort's losses, and a rung falls by the hypergeometric tail. What
people take, those labels among it, is delivered as they settled it: losses among it are mended, the cohort may hold as many
more, and people who go on taking only mend more. But how many is seen only afterwards, and a sequence of hypotheses that
move with the labels keeps no δ. So each rung has two fixed ones: "too many, though ``mended`` of them are found", which
proves the rung where so many were, and, with ``OWN`` of δ, "too many".

**The floor.** Of what the machine decides alone, of all classes together, at most 1 − floor is wrong. It is tested on the
same labels, of what people leave of that part, as the walk does (``walk``): by a target that the plan fixes, and beside it
by a bound of its own, for ``OWN`` of δ over all rungs. A rung falls only if both its hypotheses are refuted at the level,
and needs no split of δ for that (an intersection-union test: Berger 1982); rungs are walked like thresholds
(``graph.chains``). What is proven of all together and of the machine's part holds with probability 1 − δ, at all times.

One exact look, at the planned number of labels: looking sooner, or going on after, would need other levels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import bdtr
from scipy.stats import hypergeom

from inference.certify import finite, graph
from inference.certify.binomial import check_level, errors_allowed
from inference.certify.evidence import Sample
from inference.certify.finite import Rest
from inference.certify.ladder import target
from inference.certify.path import Path, path
from inference.certify.ring import OTHERS

__all__ = ["Delivery", "Outcomes", "Path", "Rung", "certify_delivery", "path"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

#: The walk begins where the floor would pass so probably, were the machine wrong so many times as often as it says.
SURE, WORSE = 0.9, 2.0
#: Of δ, for what is proven without a thought of the errors that the labels mend; and as much for the machine's parts' own
#: bounds.
OWN = 0.1
#: Of the errors that an exact test would just let pass, so many are counted on to be found.
COUNTED_ON = 0.8


@dataclass(frozen=True)
class Outcomes:
    """Certifying labels in the order of their draw.

    Attributes:
        doubt: (n,) of the model version, as the cohort's.
        wrong: (n,) whether the prediction is not the strict ground truth; holds and unusables as the project says.
        agreed: (n,) whether the first blind answer, with nothing told, was the prediction.
        even: (n,) whether it was drawn evenly from the whole cohort; None says that all were. Others do not count.
        photo: (n,) which photo each is of, where one may have been drawn twice; None says that none was.
    """

    doubt: Floats
    wrong: Bools
    agreed: Bools
    even: Bools | None = None
    photo: Ints | None = None

    def __post_init__(self) -> None:
        given = (self.wrong, self.agreed, self.even, self.photo)
        if any(each is not None and len(each) != len(self.doubt) for each in given):
            raise ValueError("every label needs a doubt, whether it was wrong, and whether the answer agreed")

    def __len__(self) -> int:
        return len(self.doubt)

    def evenly(self) -> Ints:
        """Places of the labels that count, each photo once."""
        frame = None if self.even is None else np.where(self.even, -np.inf, self.doubt)
        return Sample(self.doubt, ~self.wrong, frame, self.photo).evenly(-np.inf)

    def photos(self) -> Ints:
        """Places of one label of each photo."""
        return np.arange(len(self)) if self.photo is None else np.unique(self.photo, return_index=True)[1]


@dataclass(frozen=True)
class Rung:
    """What the labels say of one way to deliver.

    Attributes:
        machine, assisted: doubts up to which the machine decides, and an answer that agrees settles.
        share_machine, share_assisted: of the cohort's photos in either part.
        errors, n: labels that would have left wrong under it, of all that count.
        machine_errors, machine_n: of those in the machine's part.
        agreeing: labels that one answer would have settled.
        most_lost: upper bound of the cohort's photos that would leave wrong if people took none; None where nothing is
            proven.
        mended: those of them that people are known to have mended. The promise of all labels holds from the look on, as
            people who take more only mend more.
        photos, most_wrong: of the cohort in the machine's part, and an upper bound of the wrong ones among them.
        rest, known: of these photos, what is left to the machine, and errors that people found among the others. The floor
            holds while ``most_wrong − known`` is at most (1 − floor) of what is left.
        lower: lower bound of the precision of that rest; 0 where nothing is left.
        p_value: of "more is wrong than stated, what labels mend aside, or the machine's part is under the floor".
        level: the δ it was tested at.
        fell: whether it was refuted. ``holds``: whether what was proven says of the rest, too, what is stated.
        watch: precision of the machine's and assisted labels together below which the promise cannot hold any more, with as
            many assisted labels as the sample shows: where a watch over both should ring.
    """

    machine: float
    assisted: float
    share_machine: float
    share_assisted: float
    errors: int
    n: int
    machine_errors: int
    machine_n: int
    agreeing: int
    most_lost: int | None
    mended: int
    photos: int
    most_wrong: int
    rest: int
    known: int
    lower: float
    p_value: float
    level: float
    fell: bool
    holds: bool
    watch: float


@dataclass(frozen=True)
class Delivery:
    """How the cohort may be delivered.

    Attributes:
        certified: index of the farthest rung that holds, None where none does or labels lack.
        lacks: labels until the look.
    """

    rungs: tuple[Rung, ...]
    certified: int | None
    lacks: int
    precision: float
    floor: float
    delta: float

    @property
    def rung(self) -> Rung | None:
        """The one to deliver by."""
        return None if self.certified is None else self.rungs[self.certified]

    @property
    def machine(self) -> float | None:
        """Doubt up to which the machine decides."""
        return None if self.rung is None else self.rung.machine

    @property
    def assisted(self) -> float | None:
        """Doubt up to which an answer that agrees settles what the machine does not decide."""
        return None if self.rung is None else self.rung.assisted


def certify_delivery(
    labels: Outcomes,
    ways: Path,
    *,
    precision: float,
    floor: float,
    delta: float,
    planned: int,
    rest: Rest | None = None,
    known_lost: npt.ArrayLike | None = None,
) -> Delivery:
    """How far along the path the cohort may be delivered; falsely with probability at most ``delta``.

    Args:
        labels: all there are; of those that were drawn evenly the first ``planned`` count, and before they are there
            nothing is tested.
        precision: of all labels of the cohort as they leave, those that certify included.
        floor: of what the machine decides alone, all classes together.
        rest: of the machine's part of each rung: what is left to it, and errors that people found in what they took. By
            default people took the labels, and nothing else. May differ whenever this is asked again.
        known_lost: (m,) photos of the cohort that people took and that each rung would have let leave wrong, as far as
            blind, strict labels show it; by default among the labels.

    Raises:
        ValueError: more labels planned than the cohort has photos.
    """
    for name, value in (("precision", precision), ("floor", floor), ("delta", delta)):
        check_level(name, value)
    if planned > ways.photos:
        raise ValueError(f"{planned} labels are planned of a pool of {ways.photos}")
    places, m = labels.evenly()[:planned], len(ways)
    if len(places) < planned or not planned or not m:
        return Delivery((), None, planned - len(places), precision, floor, delta)
    counted, every = _Labeled(labels, ways, places), _Labeled(labels, ways, labels.photos())
    own = OWN * delta / m
    targets = _targets(ways, planned, floor, own)
    of_floor = np.where(
        ways.inside > 0, _p_value(counted.wrong_inside, counted.inside, ways.inside, targets), 0.0
    )
    most = int(_most(np.array(ways.photos), precision))
    counted_on = mended(ways.photos, planned, precision, (1.0 - 2 * OWN) * delta)
    whole, of_all = np.full(m, planned), np.full(m, ways.photos)
    p, plain = (
        np.maximum(_p_value(counted.lost, whole, of_all, np.full(m, most + 1 + found)), of_floor)
        for found in (counted_on, 0)
    )
    start = begin(ways, floor, (1.0 - 2 * OWN) * delta, planned)
    begins = np.zeros(m)
    if start is not None:
        begins[start] = 1.0
    weights, transitions = graph.chains([(1.0 - 2 * OWN) * begins, OWN * begins])
    rejected, levels = graph.reject(np.concatenate([p, plain]), weights, transitions, delta)
    fell = rejected[:m] | rejected[m:]
    most_lost = np.where(rejected[m:], most, most + counted_on)
    if rest is None:
        rest = Rest(ways.inside - every.inside, every.wrong_inside)
    known = every.lost if known_lost is None else np.asarray(known_lost, dtype=np.int64)
    most_wrong = np.array(
        [
            finite.most_wrong(errors, n, photos, own)
            for errors, n, photos in zip(
                counted.wrong_inside.tolist(), counted.inside.tolist(), ways.inside.tolist(), strict=True
            )
        ]
    )
    most_wrong = np.where(fell, np.minimum(most_wrong, np.maximum(targets - 1, 0)), most_wrong)
    over = most_wrong - rest.known
    holds = fell & (most_lost - known <= most) & ((rest.photos == 0) | (over <= rest.may_hold(floor)))
    lower = np.where(rest.photos > 0, np.clip(1.0 - over / np.maximum(rest.photos, 1), 0.0, 1.0), 0.0)
    settled = ways.inside + counted.helped / planned * ways.photos
    watch = np.where(settled > 0, 1.0 - (1.0 - precision) * ways.photos / np.maximum(settled, 1), 0.0)
    rungs = tuple(
        Rung(
            machine=float(ways.machine[j]),
            assisted=float(ways.assisted[j]),
            share_machine=float(ways.share_machine[j]),
            share_assisted=float(ways.share_assisted[j]),
            errors=int(counted.lost[j]),
            n=planned,
            machine_errors=int(counted.wrong_inside[j]),
            machine_n=int(counted.inside[j]),
            agreeing=int(counted.helped[j]),
            most_lost=int(most_lost[j]) if fell[j] else None,
            mended=int(known[j]),
            photos=int(ways.inside[j]),
            most_wrong=int(most_wrong[j]),
            rest=int(rest.photos[j]),
            known=int(rest.known[j]),
            lower=float(lower[j]),
            p_value=float(p[j]),
            level=float(levels[j]),
            fell=bool(fell[j]),
            holds=bool(holds[j]),
            watch=max(0.0, float(watch[j])),
        )
        for j in range(m)
    )
    return Delivery(
        rungs, int(np.flatnonzero(holds)[-1]) if holds.any() else None, 0, precision, floor, delta
    )


class _Labeled:
    """Of some of the labels (m,): those in the machine's part, the wrong ones among them, those that one answer would have
    settled beyond it, and those that would have left wrong."""

    def __init__(self, labels: Outcomes, ways: Path, places: Ints) -> None:
        doubt = labels.doubt[places, None]
        wrong, agreed = (np.asarray(each, dtype=bool)[places, None] for each in (labels.wrong, labels.agreed))
        machine = doubt <= ways.machine
        helped = ~machine & (doubt <= ways.assisted) & agreed
        self.inside: Ints = machine.sum(axis=0)
        self.wrong_inside: Ints = (machine & wrong).sum(axis=0)
        self.helped: Ints = helped.sum(axis=0)
        self.lost: Ints = (wrong & (machine | helped)).sum(axis=0)


def _targets(ways: Path, planned: int, floor: float, level: float) -> Ints:
    """(m,) wrong ones of the machine's parts that the walk sets out to refute."""
    return np.array(
        [
            target(min(planned * each // ways.photos, each), each, floor, level, OTHERS)
            for each in ways.inside.tolist()
        ],
        dtype=np.int64,
    )


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
    mine = ways.inside * planned // max(ways.photos, 1)
    allowed = errors_allowed(mine, floor, delta)
    passes = bdtr(
        np.maximum(allowed, 0), np.maximum(mine, 1), np.clip(WORSE * ways.expected_machine, 0.0, 1.0)
    )
    # Where the machine decides nothing there is no floor to prove.
    sure = np.flatnonzero((ways.inside == 0) | ((allowed >= 0) & (passes >= SURE)))
    return int(sure[0]) if len(sure) else None


def _most(photos: Ints, precision: float) -> Ints:
    """The most wrong ones that so many photos may hold."""
    return np.asarray(np.floor((1.0 - precision) * photos + 1e-9), dtype=np.int64)


def _p_value(errors: Ints, n: Ints, photos: Ints, total: Ints) -> Floats:
    """Of "``total`` or more of the photos are wrong", with so many errors in ``n`` labels of them; 1 without any."""
    tail = hypergeom.cdf(errors, photos, np.minimum(total, photos), n)
    return np.asarray(np.where(n > 0, tail, 1.0))
