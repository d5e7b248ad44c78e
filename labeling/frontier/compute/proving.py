"""What a plan's labels prove, by what it promises: each class's walk, its best way with a second reader, a delivered set."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from inference.certify import Ladder, Method, Sample, Step, certify
from inference.certify.agreement import Agreement, certify_agreement
from inference.certify.delivery import Outcomes, Path, Rung, certify_delivery, path
from labeling.frontier.compute.sample import Draws, rest_of_all, rests, taken
from labeling.frontier.models import CertificationPlan, PromiseKind

Floats = npt.NDArray[np.float64]

METHOD: Method = "planned"
#: Above every margin: from here on the machine decides nothing.
NEVER = 2.0


@dataclass(frozen=True)
class Proven:
    """A certificate's own figures; the fields are the model's."""

    threshold: float
    coverage: float
    n: int
    errors: int
    bound: float
    photos: int | None
    most_wrong: int | None
    rest: int | None
    known: int | None
    assisted: float | None = None
    ring_photos: int | None = None
    ring_n: int | None = None
    ring_errors: int | None = None
    ring_spare: float | None = None
    together: float | None = None


@dataclass(frozen=True)
class Proof:
    """Of one class: the walk, as a look keeps it, and what is proven, if anything.

    A walk without steps names ``lacks``, labels of the class until its one look is due.
    """

    walk: dict[str, Any]
    proven: Proven | None


def look(plan: CertificationPlan, found: Draws) -> dict[str, Proof]:
    """Class id (text) -> what is proven of it. All of them together are wrong with a probability of at most the plan's δ."""
    ladders = {name: _ladder(said) for name, said in plan.ladders.items()}
    return _PROMISES[PromiseKind(plan.promise)](plan, found, ladders)


def _ladder(said: dict[str, Any]) -> Ladder:
    return Ladder(
        np.array(said["thresholds"]),
        np.array(said["share"]),
        None if said["hoped"] is None else np.array(said["hoped"]),
        np.array(said["photos"], dtype=np.int64),
        np.array(said["targets"], dtype=np.int64),
    )


def _samples(found: Draws, names: dict[str, Ladder]) -> dict[str, Sample]:
    samples = {}
    for name in names:
        mine = [label for label in found.labels if str(label.predicted) == name]
        samples[name] = Sample(
            np.array([label.confidence for label in mine], dtype=np.float64),
            np.array([label.correct for label in mine], dtype=bool),
            np.array([-np.inf if label.frame is None else label.frame for label in mine], dtype=np.float64),
            np.array([label.item_id for label in mine], dtype=np.int64),
        )
    return samples


# --- the machine alone ------------------------------------------------------------------------------------------


def _alone(plan: CertificationPlan, found: Draws, ladders: dict[str, Ladder]) -> dict[str, Proof]:
    walks = certify(
        _samples(found, ladders),
        ladders,
        precision=plan.precision,
        delta=plan.delta,
        method=METHOD,
        planned=plan.planned,
        rests=rests(plan, ladders, found.decided_share),
    )
    return {
        name: Proof(walk.as_json(), None if walk.certified is None else _of_step(walk.steps[walk.certified]))
        for name, walk in walks.items()
    }


def _of_step(step: Step) -> Proven:
    return Proven(
        threshold=step.threshold,
        coverage=step.share,
        n=step.n,
        errors=step.errors,
        bound=step.lower,
        photos=step.photos,
        most_wrong=step.most_wrong,
        rest=step.rest,
        known=step.known,
    )


# --- the machine as second reader -------------------------------------------------------------------------------


def _assisted(plan: CertificationPlan, found: Draws, ladders: dict[str, Ladder]) -> dict[str, Proof]:
    agreed = {
        name: [label.agreed for label in found.labels if str(label.predicted) == name] for name in ladders
    }
    ways = certify_agreement(
        _samples(found, ladders),
        agreed,
        ladders,
        precision=plan.precision,
        delta=plan.delta,
        planned=plan.planned,
        rests=rests(plan, ladders, found.decided_share),
        taken=taken(plan, ladders),
    )
    return {name: Proof(_without_steps(way.lacks), _of_way(way)) for name, way in ways.items()}


def _of_way(way: Agreement) -> Proven | None:
    if way.machine is None or way.assisted is None:
        return None
    has_ring = way.assisted < way.machine
    return Proven(
        threshold=min(way.machine, NEVER),
        coverage=way.share_machine,
        n=way.n,
        errors=way.errors,
        bound=way.lower,
        photos=way.photos,
        most_wrong=way.most_wrong,
        rest=way.rest,
        known=way.known,
        assisted=way.assisted if has_ring else None,
        ring_photos=way.ring_photos if has_ring else None,
        ring_n=way.ring_n if has_ring else None,
        ring_errors=way.ring_errors if has_ring else None,
        ring_spare=way.ring_spare if has_ring else None,
    )


# --- a delivered set --------------------------------------------------------------------------------------------


def doubt(confidence: Floats) -> Floats:
    """(n,) of predictions with these margins; for two classes the probability that they are wrong, as the version says."""
    return (1.0 - confidence) / 2.0


def _margin(doubt: float) -> float:
    return 1.0 - 2.0 * doubt


def lay_path(confidence: Floats, precision: float) -> dict[str, Any]:
    """The path over a cohort, as a plan keeps it."""
    return {
        name: value.tolist() if isinstance(value, np.ndarray) else value
        for name, value in asdict(path(doubt(confidence), precision=precision)).items()
    }


def _delivered(plan: CertificationPlan, found: Draws, ladders: dict[str, Ladder]) -> dict[str, Proof]:
    assert plan.floor is not None and plan.path is not None
    kept: dict[str, Any] = {
        name: np.array(value) if isinstance(value, list) else value for name, value in plan.path.items()
    }
    ways, labels = Path(**kept), found.labels
    delivery = certify_delivery(
        Outcomes(
            doubt(np.array([label.confidence for label in labels], dtype=np.float64)),
            np.array([not label.correct for label in labels], dtype=bool),
            np.array([label.agreed for label in labels], dtype=bool),
            np.array([label.frame is None for label in labels], dtype=bool),
            np.array([label.item_id for label in labels], dtype=np.int64),
        ),
        ways,
        precision=plan.precision,
        floor=plan.floor,
        delta=plan.delta,
        planned=min(sum(plan.planned.values()), ways.photos),
        rest=rest_of_all(plan, np.array([_margin(each) for each in ways.machine])),
    )
    rung = delivery.rung
    proven = None if rung is None else _of_rung(rung)
    return {name: Proof(_without_steps(delivery.lacks), proven) for name in ladders}


def _of_rung(rung: Rung) -> Proven:
    """The same for every class: what is proven is of all of them together."""
    has_ring = rung.assisted > rung.machine and rung.share_assisted > 0
    return Proven(
        threshold=_margin(rung.machine) if rung.photos else NEVER,
        coverage=rung.share_machine,
        n=rung.machine_n,
        errors=rung.machine_errors,
        bound=rung.lower,
        photos=rung.photos,
        most_wrong=rung.most_wrong,
        rest=rung.rest,
        known=rung.known,
        assisted=_margin(rung.assisted) if has_ring else None,
        together=rung.watch,
    )


def _without_steps(lacks: int) -> dict[str, Any]:
    return {"steps": [], "certified": None, "start": None, "lacks": lacks}


_PROMISES = {
    PromiseKind.ALONE: _alone,
    PromiseKind.ASSISTED: _assisted,
    PromiseKind.DELIVERED: _delivered,
}
