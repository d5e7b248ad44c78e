"""The machine as second reader: where one blind human answer that agrees with it is as good as strict labels.

An *agreement region* is photos of a predicted class with confidence at or above a threshold, whose first blind answer is
the prediction. What is certified of it: the strict ground truth is that class as often as is stated. Nothing else needs to
be labeled for it, since every certifying photo has a first blind answer; those that agree are, given all that went
before, an even sample of the photos that would.

It is a walk of its own beside the machine's (``walk.certify``), and both spend one δ: ``SHARE`` of it goes to agreement,
and a walk that comes to its end hands its part on to the others. So the probability that anything is certified falsely, of
either kind, is at most δ.

A disagreement proves nothing and settles nothing: the photo goes on to the second person. What this cannot see is a labeler
who learns what the machine says: then the answer is not blind, and must count for nothing here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from inference.certify.ladder import Ladder
from inference.certify.walk import Method, Sample, Walk, certify

Floats = npt.NDArray[np.float64]
Kind = Literal["machine", "agreement"]

#: Of δ, for the walks over agreement; the rest is the machine's own. Chosen by simulation: see `docs/log.md`.
SHARE = 0.3
#: Of the machine's errors, about so many are shared by a first answer. Steers where the walks begin, never what they prove.
SHARED_ERRORS = 0.1
#: Of a class's planned labels, about so many will agree where nothing is known; hopes know better.
LIKELY_TO_AGREE = 0.75


def agreeing(sample: Sample, agrees: npt.ArrayLike) -> Sample:
    """The labels whose first blind answer is the prediction, in their order. ``agrees`` (n,)."""
    kept = np.asarray(agrees, dtype=bool)
    if kept.shape != (len(sample),):
        raise ValueError("every label needs whether its first answer agreed")
    told = {each.name: getattr(sample, each.name) for each in fields(sample)}
    chosen: dict[str, Any] = {name: None if values is None else values[kept] for name, values in told.items()}
    return replace(sample, **chosen)


def hopes_of_agreement(hoped: Floats) -> tuple[Floats, Floats]:
    """(m,) hoped precision where the first answer agrees, and hoped share of photos that agree, from the machine's (m,)."""
    shared = SHARED_ERRORS * (1.0 - hoped)
    return hoped / (hoped + shared), hoped + shared


@dataclass(frozen=True)
class Together:
    """The machine's walks and those over agreement as one family, for ``walk.certify`` and ``walk.decide``; see ``key``."""

    samples: dict[str, Sample]
    ladders: dict[str, Ladder]
    planned: dict[str, int]
    shares: dict[str, float]


def key(kind: Kind, name: str) -> str:
    """What a class's walk of one kind is called in ``Together``."""
    return f"{kind}:{name}"


def together(
    samples: Mapping[str, Sample],
    agrees: Mapping[str, npt.ArrayLike],
    ladders: Mapping[str, Ladder],
    planned: Mapping[str, int],
    *,
    share: float = SHARE,
) -> Together:
    """Both kinds of walks over the same labels, and how they share δ. Arguments as ``certify_both``."""
    names = list(ladders)
    if set(samples) != set(names) or set(agrees) != set(names) or set(planned) != set(names):
        raise ValueError("samples, agreement, ladders and plans must be of the same classes")
    if not 0.0 <= share < 1.0:
        raise ValueError(f"the share of δ for agreement must lie in 0 to 1, and is {share}")
    found = Together({}, {}, {}, {})
    for name in names:
        machine, agreement = key("machine", name), key("agreement", name)
        rungs = ladders[name]
        hoped, likely = None, LIKELY_TO_AGREE
        if rungs.hoped is not None and len(rungs):
            hoped, agreed = hopes_of_agreement(rungs.hoped)
            likely = float(agreed[-1])
        found.samples[machine], found.samples[agreement] = (
            samples[name],
            agreeing(samples[name], agrees[name]),
        )
        found.ladders[machine], found.ladders[agreement] = rungs, replace(rungs, hoped=hoped)
        found.planned[machine], found.planned[agreement] = planned[name], _surely(planned[name], likely)
        found.shares[machine], found.shares[agreement] = (1.0 - share) / len(names), share / len(names)
    return found


def certify_both(
    samples: Mapping[str, Sample],
    agrees: Mapping[str, npt.ArrayLike],
    ladders: Mapping[str, Ladder],
    *,
    precision: float,
    delta: float,
    planned: Mapping[str, int],
    method: Method = "planned",
    share: float = SHARE,
) -> tuple[dict[str, Walk], dict[str, Walk]]:
    """The machine's walks and the walks over agreement, by predicted class; anything false with probability ≤ ``delta``.

    Args:
        samples, ladders, planned, method: as ``walk.certify``.
        agrees: (n,) by class: whether the label's first blind answer, given with nothing told, is the predicted class.
        share: of δ, for agreement.

    Raises:
        ValueError: keys that differ, or what ``walk.certify`` refuses.
    """
    both = together(samples, agrees, ladders, planned, share=share)
    walks = certify(
        both.samples,
        both.ladders,
        precision=precision,
        delta=delta,
        method=method,
        planned=both.planned,
        shares=both.shares,
    )
    return (
        {name: walks[key("machine", name)] for name in ladders},
        {name: walks[key("agreement", name)] for name in ladders},
    )


def _surely(planned: int, likely: float) -> int:
    """So many labels agree almost surely when ``planned`` are there, so that the exact look need not wait for more."""
    return max(int(planned * likely - 2.0 * np.sqrt(planned * likely * (1.0 - likely))), 0)
