"""The walk inward: fixed-sequence certification of a precision, predicted class by predicted class.

The regions are cumulative: region j is everything of the predicted class with confidence at or above threshold j. What is
certified is the precision *of all photos that the machine would decide*, which is what an owner asks for; a band of its
own would need its own labels (at .98 at least 149 each) and mostly certifies nothing. The price: the innermost band of
a certified region may be worse than stated, carried by the outer ones. Every step therefore reports its own band.

Thresholds are tested inward from one or several starts, which share the class's δ (``ladder.starts``), and each part of δ
stops at the first threshold that fails. So no δ is spent on the number of thresholds, and the probability that any certified
region is worse than stated stays at or below δ (Maurer, Hothorn & Lehmacher 1995; Westfall & Krishen 2001; Wiens &
Dmitrienko 2005), though precision need not fall steadily inward. It is an instance of Learn-then-Test (Angelopoulos, Bates,
Candès, Jordan & Lei 2021). Geifman & El-Yaniv 2017 (SGR) split δ over a binary search instead; ``benchmarks.certify``
compares them.

**Of the rest.** In a pool that ends (``Ladder.photos``) what is certified is what is left to the machine when people
have taken theirs (``finite.Rest``). Whether the rest is good enough depends on the labels themselves and on what people
took, and a sequence of hypotheses that move does not keep δ: which of them is the first true one could be chosen after
the labels. So the walk tests hypotheses that the plan fixes, "as many as the region's target are wrong, of all that it
held when the plan was written" (``ladder.aimed``), and beside it each region has a bound of its own (``ladder.OWN`` of
δ over all of them). All these bounds hold together, and at all times, with probability 1 − δ; a region is certified
while the lower of its two, less the errors that people found, is few enough for the rest.

δ bounds the probability that a false certificate is issued, not the share of false ones among those issued: where hardly
any region deserves one, a certificate that comes all the same is more likely than δ to be luck.

Only random, strictly labeled photos that had no part in training may come in, in the order of their draw, holds and
unusables as errors unless the project says otherwise. Labels that a queue *chose* certify nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from inference.certify import finite, graph
from inference.certify.betting import further_labels_anytime
from inference.certify.binomial import check_level, further_labels, tail
from inference.certify.evidence import EARLY, Evidence, Method, Region, Sample, evidence
from inference.certify.finite import Rest
from inference.certify.ladder import OWN, Ladder, aimed, starts

Floats = npt.NDArray[np.float64]
State = Literal["certified", "failed", "not reached", "before the start"]


@dataclass(frozen=True)
class Step:
    """One threshold of a walk.

    Attributes:
        threshold: the region is confidence at or above it.
        share: of the pool's photos of this predicted class.
        photos: of the cohort in the region; None for a pool without end, as the next three.
        rest, known: of them, what is left to the machine, and errors that people found among the others.
        most_wrong: upper bound of the wrong ones among ``photos``; those of all certified thresholds hold together.
        n, errors: labels in the region, and wrong ones.
        band_n, band_errors: of them, those that the region before does not hold.
        precision: 1 − errors / n, None without labels.
        lower: lower bound of the precision: of the rest, or in a pool without end at ``level`` (Clopper-Pearson,
            anytime-valid, or the better of both). At or above what is stated exactly where the threshold is proven.
        p_value: of the hypothesis that the walk tests here; valid at every look unless the method is exact.
        level: the δ that it was tested at; for steps not reached, the one that the walk would test it at.
        state: ``before the start``: not proven by itself, but carried by a certified threshold inward of it, or outside of
            where the walk begins. ``failed``: the next one inward.
        more_without_errors, more_at_present_rate: random labels *of this region* that are still to come for it to pass, if
            none is wrong, or as many as so far; 0 if it passes, None if no number would do.
    """

    threshold: float
    share: float
    photos: int | None
    rest: int | None
    known: int | None
    most_wrong: int | None
    n: int
    errors: int
    band_n: int
    band_errors: int
    precision: float | None
    lower: float
    p_value: float
    level: float
    state: State
    more_without_errors: int | None
    more_at_present_rate: int | None


@dataclass(frozen=True)
class Walk:
    """What one predicted class's labels certify.

    Attributes:
        steps: one a threshold, from the extreme inward.
        certified: index of the innermost certified threshold, or None.
        start: index of the threshold that got most of δ; None where too few labels are planned for any.
        labels: certifying labels of the class.
    """

    steps: tuple[Step, ...]
    certified: int | None
    start: int | None
    labels: int
    stated: float
    delta: float
    method: Method

    @property
    def threshold(self) -> float | None:
        """The innermost certified threshold: decide automatically at or above it."""
        return None if self.certified is None else self.steps[self.certified].threshold

    @property
    def coverage(self) -> float:
        """Share of the pool's photos of this predicted class that lie in the certified region."""
        return 0.0 if self.certified is None else self.steps[self.certified].share

    @property
    def next(self) -> Step | None:
        """The first threshold that is not certified; None where all are, or where the walk could not begin."""
        if self.start is None:
            return None
        at = self.start if self.certified is None else self.certified + 1
        return self.steps[at] if at < len(self.steps) else None

    def as_json(self) -> dict[str, Any]:
        """Plain numbers and strings."""
        return {**asdict(self), "threshold": self.threshold, "coverage": self.coverage}


@dataclass(frozen=True)
class Decision:
    """What falls, without its description: arrays over the thresholds.

    Attributes:
        rejected: the hypotheses of the walk that fell.
        proven: thresholds that hold what is stated; the same in a pool without end.
        levels, given: δ of each now, and before the first label.
        own: δ of each region's own bound.
    """

    start: int | None
    certified: int | None
    rejected: npt.NDArray[np.bool_]
    proven: npt.NDArray[np.bool_]
    levels: Floats
    given: Floats
    own: float


def certify(
    samples: Mapping[str, Sample],
    ladders: Mapping[str, Ladder],
    *,
    precision: float,
    delta: float,
    method: Method = "anytime",
    planned: Mapping[str, int] | None = None,
    shares: Mapping[str, float] | None = None,
    rests: Mapping[str, Rest] | None = None,
) -> dict[str, Walk]:
    """Certifies every predicted class; the probability that *any* of them is worse than stated is at most ``delta``.

    δ is split over the classes, evenly or by ``shares``. A class that is certified to its last threshold hands its part on
    (``graph.chains``). For a δ of its own for each class call this with one class at a time, and say so.

    Args:
        samples, ladders: by predicted class; the same keys. All ladders know their photos, or none does.
        method: ``anytime``: may be repeated after every label, at no cost, as long as labels are only added to the end
            and ladders and ``planned`` stay as they were at the first look. ``exact``: needs fewer labels, for one look
            at a size fixed beforehand; more looks pay through ``next_share``. ``planned``: as ``anytime`` with ``EARLY`` of
            each level, and one exact look with the rest, at a class's first ``planned`` labels that were drawn evenly, as
            soon as they are there. Nearly as strong as ``exact`` at the plan's end, and valid at every look (a union bound).
        planned: labels of each predicted class that are going to be spent. Where the walk begins and what is bet depend
            on it, so it must be settled before the first look: starts that move along with the labels would test several
            first hypotheses at the full δ. Left out, the labels there are; only ``exact`` allows that.
        shares: of δ, by class; sum at most 1.
        rests: what is left to the machine of the cohorts; by default all but the labels. May differ from look to look.

    Raises:
        ValueError: ``exact`` with frames, another method without a plan, or keys that differ.
    """
    decisions, found, aims, left = _decide(samples, ladders, precision, delta, method, planned, shares, rests)
    return {
        name: _describe(found[name], aims[name], left[name], decision, precision, delta, method)
        for name, decision in decisions.items()
    }


def decide(
    samples: Mapping[str, Sample],
    ladders: Mapping[str, Ladder],
    *,
    precision: float,
    delta: float,
    method: Method = "anytime",
    planned: Mapping[str, int] | None = None,
    shares: Mapping[str, float] | None = None,
    rests: Mapping[str, Rest] | None = None,
) -> dict[str, Decision]:
    """As ``certify``, without bounds and further labels: for simulations."""
    return _decide(samples, ladders, precision, delta, method, planned, shares, rests)[0]


def _decide(
    samples: Mapping[str, Sample],
    ladders: Mapping[str, Ladder],
    precision: float,
    delta: float,
    method: Method,
    planned: Mapping[str, int] | None,
    shares: Mapping[str, float] | None,
    rests: Mapping[str, Rest] | None,
) -> tuple[dict[str, Decision], dict[str, Evidence], dict[str, Ladder], dict[str, Rest | None]]:
    check_level("precision", precision)
    check_level("delta", delta)
    names = list(ladders)
    if set(samples) != set(names) or (planned is not None and set(planned) != set(names)):
        raise ValueError("samples, ladders and plans must be of the same classes")
    if planned is None and names and method != "exact":
        raise ValueError(
            f"the method {method} needs the planned number of labels: a start that moves voids the bound"
        )
    if not names:
        return {}, {}, {}, {}
    plan = {name: len(samples[name]) for name in names} if planned is None else planned
    parts = {name: 1.0 / len(names) for name in names} if shares is None else dict(shares)
    ends = any(rungs.photos is not None for rungs in ladders.values())
    of_walk = delta * (1.0 - OWN) if ends else delta
    of_class = {name: max(parts[name], 1e-9) * delta for name in names}
    aims = {name: aimed(ladders[name], plan[name], precision, of_class[name]) for name in names}
    found = {
        name: evidence(samples[name], aims[name], precision, method, plan[name], of_class[name])
        for name in names
    }
    given = [
        parts[name] * starts(aims[name], plan[name], precision, parts[name] * of_walk)
        if parts[name] > 0
        else np.zeros(len(aims[name]))
        for name in names
    ]
    weights, transitions = graph.chains(given)
    p_values = np.array([p for name in names for p in _p_values(found[name], aims[name], precision)])
    rejected, levels = graph.reject(p_values, weights, transitions, of_walk)
    decisions, left, at = {}, {}, 0
    for name, share in zip(names, given, strict=True):
        here = slice(at, at + len(share))
        fell = rejected[here]
        own = OWN * of_class[name] / max(len(share), 1)
        left[name] = _rest(found[name], aims[name], None if rests is None else rests[name])
        proven = _proven(found[name], aims[name], left[name], fell, precision, own)
        decisions[name] = Decision(
            start=int(np.argmax(share)) if share.sum() > 0 else None,
            # Regions contain each other: the innermost that is proven holds what lies outside of it, proven or not.
            certified=int(np.flatnonzero(proven)[-1]) if proven.any() else None,
            rejected=fell,
            proven=proven,
            levels=levels[here],
            given=share * of_walk,
            own=own,
        )
        at += len(share)
    return decisions, found, aims, left


def _p_values(found: Evidence, rungs: Ladder, precision: float) -> list[float]:
    """Of the hypotheses that the walk tests."""
    if rungs.targets is None:
        return [region.p_of_rate(precision) for region in found.regions]
    return [region.p_of_total(aim) for region, aim in zip(found.regions, rungs.targets.tolist(), strict=True)]


def _rest(found: Evidence, rungs: Ladder, given: Rest | None) -> Rest | None:
    if rungs.photos is None or given is not None:
        return given
    return Rest(
        np.array([region.photos - region.n for region in found.regions if region.photos is not None]),
        np.array([region.errors for region in found.regions]),
    )


def _proven(
    found: Evidence,
    rungs: Ladder,
    rest: Rest | None,
    fell: npt.NDArray[np.bool_],
    precision: float,
    own: float,
) -> npt.NDArray[np.bool_]:
    """(m,) whether the rest holds what is stated, by what fell in the walk or by the region's own bound."""
    if rungs.targets is None or rest is None:
        return fell
    too_many = rest.known + rest.may_hold(precision) + 1
    by_walk = fell & (rungs.targets <= too_many)
    return np.array(
        [
            bool(left > 0 and (walked or region.p_of_total(total) <= own))
            for region, left, walked, total in zip(
                found.regions, rest.photos.tolist(), by_walk.tolist(), too_many.tolist(), strict=True
            )
        ],
        dtype=bool,
    )


def _describe(
    found: Evidence,
    rungs: Ladder,
    rest: Rest | None,
    decision: Decision,
    precision: float,
    delta: float,
    method: Method,
) -> Walk:
    steps = []
    start = decision.start
    if start is None:
        fails = None
    else:
        fails = start if decision.certified is None else decision.certified + 1
    coming = 0.0
    p_values = _p_values(found, rungs, precision)
    for i, region in enumerate(found.regions):
        at = max(float(decision.levels[i]), 1e-12)
        if decision.proven[i]:
            state: State = "certified"
        elif fails is None or i > fails:
            state = "not reached"
            # The level that it would be tested at, were all before it to fall.
            coming += float(decision.given[i])
            at = max(coming, at)
        elif i == fails:
            state, coming = "failed", at
        else:
            state = "before the start"
        passes = p_values[i] <= at * (1 + 1e-12)
        most, lower = _bounds(region, rungs, rest, i, decision, precision, at)
        steps.append(
            Step(
                threshold=float(rungs.thresholds[i]),
                share=float(rungs.share[i]),
                photos=region.photos,
                rest=None if rest is None else int(rest.photos[i]),
                known=None if rest is None else int(rest.known[i]),
                most_wrong=most,
                n=region.n,
                errors=region.errors,
                band_n=int(found.band_n[i]),
                band_errors=int(found.band_errors[i]),
                precision=1.0 - region.errors / region.n if region.n else None,
                lower=lower,
                p_value=p_values[i],
                level=at,
                state=state,
                more_without_errors=_more(found, rungs, i, precision, at, passes, 0.0),
                more_at_present_rate=_more(found, rungs, i, precision, at, passes, "present"),
            )
        )
    return Walk(tuple(steps), decision.certified, start, found.labels, precision, delta, method)


def _bounds(
    region: Region,
    rungs: Ladder,
    rest: Rest | None,
    i: int,
    decision: Decision,
    precision: float,
    level: float,
) -> tuple[int | None, float]:
    """(most wrong ones of the region's photos, lower bound of the precision)."""
    if rungs.targets is None or rest is None:
        return None, region.lower(level)
    most = region.most_wrong(decision.own)
    if decision.rejected[i]:
        most = min(most, int(rungs.targets[i]) - 1)
    if not rest.photos[i]:
        return most, 0.0
    return most, min(1.0, max(0.0, 1.0 - (most - int(rest.known[i])) / int(rest.photos[i])))


def _more(
    found: Evidence,
    rungs: Ladder,
    i: int,
    precision: float,
    level: float,
    passes: bool,
    rate: float | Literal["present"],
) -> int | None:
    region = found.regions[i]
    errors, n, method = region.errors, region.n, region.method
    if passes:
        return 0
    stated, ratios = precision, region.bets
    if rungs.targets is not None and region.photos:
        # As if the pool had no end: an expectation, and a little too high.
        stated = 1.0 - min(max(int(rungs.targets[i]) / region.photos, 1e-6), 1.0 - 1e-6)
        ratios = np.clip(1.0 - region.bets * stated, 1e-6, 1.0 - 1e-6)
    if method == "exact":
        return further_labels(errors, n, stated, level, rate=rate)
    early = level if method == "anytime" else level * EARLY
    more = further_labels_anytime(errors, n, stated, early, rate=rate, ratios=ratios)
    if method == "planned" and found.lacks:
        # Or the exact look passes, when the plan is fulfilled.
        until = max(1, round(float(rungs.share[i]) * found.lacks))
        share = (errors + 0.5) / (n + 1.0) if rate == "present" else float(rate)
        if _passes(region, rungs, i, errors + share * until, n + until, precision, level * (1.0 - EARLY)):
            more = until if more is None else min(more, until)
    return None if more is None or (region.photos is not None and more > region.photos - n) else more


def _passes(
    region: Region, rungs: Ladder, i: int, errors: float, n: int, precision: float, level: float
) -> bool:
    """Whether an exact test would, of a number of errors that need not be whole."""
    if rungs.targets is None or region.photos is None:
        return bool(tail(errors, n, precision) <= level)
    if n > region.photos:
        return False
    return finite.p_value(int(np.ceil(errors)), n, int(rungs.targets[i]), region.photos) <= level
