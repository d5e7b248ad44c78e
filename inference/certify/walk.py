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

from inference.certify import graph, sampling
from inference.certify.betting import anytime_lower, bet, further_labels_anytime, ratios_for
from inference.certify.binomial import check_level, clopper_pearson_lower, further_labels, p_value, tail
from inference.certify.ladder import Ladder, starts

Floats = npt.NDArray[np.float64]
#: Share of every level that the method ``planned`` bets with at all looks; the rest is for its one exact look.
EARLY = 0.2
Method = Literal["anytime", "exact", "planned"]
State = Literal["certified", "failed", "not reached", "before the start"]


@dataclass(frozen=True)
class Sample:
    """Certifying labels of one predicted class, in the order of their draw.

    Attributes:
        confidence: (n,) of the model version to certify.
        correct: (n,) whether the predicted class is the ground truth.
        chance: (n,) chance of having been drawn, or None where all photos had the same.
        frame: (n,) threshold of the region that the label was drawn from, −inf or 0 for the whole class; None says the
            latter of all. So a queue can be asked for the labels that the next region lacks, drawn evenly from it: they
            speak for it and for all regions outside of it, and are left out of those farther inward, of which they are no
            even sample. The next frame may be chosen after seeing all labels so far: never for the method exact.
        drawing: (n,) which of ``Ladder.drawings`` each label came by, −1 where it was drawn evenly from the class; None says
            the latter of all. As frames, with chances that may differ by band.
    """

    confidence: Floats
    correct: npt.NDArray[np.bool_]
    chance: Floats | None = None
    frame: Floats | None = None
    drawing: npt.NDArray[np.int64] | None = None

    def __post_init__(self) -> None:
        if len(self.confidence) != len(self.correct):
            raise ValueError("every label needs a confidence and whether it was correct")
        if self.chance is not None and len(self.chance) != len(self.confidence):
            raise ValueError("every label needs its chance of being drawn, or none does")
        if self.chance is not None and len(self.chance) and not np.all(self.chance > 0):
            raise ValueError("a chance of being drawn must be positive")
        if self.frame is not None and len(self.frame) != len(self.confidence):
            raise ValueError("every label needs its frame, or none does")
        if self.frame is not None and np.any(self.frame > self.confidence):
            raise ValueError("a label lies outside the region that it was drawn from")
        if self.frame is not None and self.chance is not None:
            raise ValueError("frames and chances of being drawn do not go together")
        if self.drawing is not None and len(self.drawing) != len(self.confidence):
            raise ValueError("every label needs its drawing, or none does")
        if self.drawing is not None and (self.frame is not None or self.chance is not None):
            raise ValueError("drawings say what frames and chances would: give one of them")

    def __len__(self) -> int:
        return len(self.correct)


@dataclass(frozen=True)
class Step:
    """One threshold of a walk.

    Attributes:
        threshold: the region is confidence at or above it.
        share: of the pool's photos of this predicted class.
        n, errors: labels in the region, and wrong ones.
        band_n, band_errors: of them, those that the region before does not hold.
        precision: 1 − errors / n (weighted where chances differ), None without labels.
        lower: its lower bound at ``level``: Clopper-Pearson, anytime-valid, or the better of both. At or above what is
            stated exactly where the test passes. For this threshold alone; what holds for all together is what is stated.
        p_value: of the hypothesis that the precision is lower than stated; valid at every look unless the method is exact.
        level: the δ that it was tested at; for steps not reached, the one that the walk would test it at.
        state: ``before the start``: not proven by itself, but carried by a certified threshold inward of it, or outside of
            where the walk begins. ``failed``: the next one inward.
        more_without_errors, more_at_present_rate: random labels *of this region* that are still to come for it to pass, if
            none is wrong, or as many as so far; 0 if it passes, None if no number would do, or where chances differ.
    """

    threshold: float
    share: float
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
    """What falls, without its description: arrays over the thresholds. ``given``: δ of each before the first label."""

    start: int | None
    certified: int | None
    rejected: npt.NDArray[np.bool_]
    levels: Floats
    given: Floats


def certify(
    samples: Mapping[str, Sample],
    ladders: Mapping[str, Ladder],
    *,
    precision: float,
    delta: float,
    method: Method = "anytime",
    planned: Mapping[str, int] | None = None,
    shares: Mapping[str, float] | None = None,
) -> dict[str, Walk]:
    """Certifies every predicted class; the probability that *any* of them is worse than stated is at most ``delta``.

    δ is split over the classes, evenly or by ``shares``. A class that is certified to its last threshold hands its part on
    (``graph.chains``). For a δ of its own for each class call this with one class at a time, and say so.

    Args:
        samples, ladders: by predicted class; the same keys.
        method: ``anytime``: may be repeated after every label, at no cost, as long as labels are only added to the end
            and ladders and ``planned`` stay as they were at the first look. ``exact``: needs fewer labels, for one look
            at a size fixed beforehand; more looks pay through ``next_share``. ``planned``: as ``anytime`` with ``EARLY`` of
            each level, and one exact look with the rest, at a class's first ``planned`` labels that were drawn evenly, as
            soon as they are there. Nearly as strong as ``exact`` at the plan's end, and valid at every look (a union bound).
        planned: labels of each predicted class that are going to be spent. Where the walk begins and what is bet depend
            on it, so it must be settled before the first look: starts that move along with the labels would test several
            first hypotheses at the full δ. Left out, the labels there are; only ``exact`` allows that.
        shares: of δ, by class; sum at most 1.

    Raises:
        ValueError: chances in a sample whose ladder has none, ``exact`` with chances or drawings, another method without a
            plan, or keys that differ.
    """
    decisions, tables = _decide(samples, ladders, precision, delta, method, planned, shares)
    return {
        name: _describe(tables[name], ladders[name], decision, precision, delta, method)
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
) -> dict[str, Decision]:
    """As ``certify``, without bounds and further labels: for simulations."""
    return _decide(samples, ladders, precision, delta, method, planned, shares)[0]


def _decide(
    samples: Mapping[str, Sample],
    ladders: Mapping[str, Ladder],
    precision: float,
    delta: float,
    method: Method,
    planned: Mapping[str, int] | None,
    shares: Mapping[str, float] | None,
) -> tuple[dict[str, Decision], dict[str, _Table]]:
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
        return {}, {}
    plan = {name: len(samples[name]) for name in names} if planned is None else planned
    parts = {name: 1.0 / len(names) for name in names} if shares is None else dict(shares)
    tables = {
        name: _tabulate(
            samples[name], ladders[name], precision, method, plan[name], max(parts[name], 1e-9) * delta
        )
        for name in names
    }
    given = [
        parts[name] * starts(ladders[name], plan[name], precision, parts[name] * delta)
        if parts[name] > 0
        else np.zeros(len(ladders[name]))
        for name in names
    ]
    weights, transitions = graph.chains(given)
    p_values = np.concatenate([tables[name].p_values for name in names])
    rejected, levels = graph.reject(p_values, weights, transitions, delta)
    decisions, at = {}, 0
    for name, share in zip(names, given, strict=True):
        here = slice(at, at + len(share))
        fell = rejected[here]
        decisions[name] = Decision(
            start=int(np.argmax(share)) if share.sum() > 0 else None,
            # Regions contain each other: the innermost that fell holds what lies outside of it, fallen or not.
            certified=int(np.flatnonzero(fell)[-1]) if fell.any() else None,
            rejected=fell,
            levels=levels[here],
            given=share * delta,
        )
        at += len(share)
    return decisions, tables


@dataclass(frozen=True)
class _Table:
    """A class's labels, region by region: n, errors (m,), losses in the order of the draw, and p-values (m,).

    ``most``: largest weights, a number or (labels of the region,). ``even_n``, ``even_errors``: of the labels that the exact
    look takes, None before it is due. ``lacks``: evenly drawn labels of the class until then.
    """

    labels: int
    n: npt.NDArray[np.int64]
    errors: npt.NDArray[np.int64]
    band_n: npt.NDArray[np.int64]
    band_errors: npt.NDArray[np.int64]
    losses: list[Floats]
    most: list[Floats]
    ratios: Floats
    p_values: Floats
    weighted: npt.NDArray[np.bool_]
    even_n: npt.NDArray[np.int64] | None
    even_errors: npt.NDArray[np.int64] | None
    lacks: int


def _tabulate(
    sample: Sample, rungs: Ladder, precision: float, method: Method, planned: int, level: float
) -> _Table:
    if (sample.chance is None) != (rungs.chances is None):
        raise ValueError("chances of being drawn are needed of the labels and of the pool, or of neither")
    if rungs.chances is not None and method == "exact":
        raise ValueError("labels drawn with unequal chances need the method anytime")
    if (sample.frame is not None or sample.drawing is not None) and method == "exact":
        raise ValueError("labels drawn region by region need the method anytime")
    wrong = ~np.asarray(sample.correct, dtype=bool)
    m = len(rungs)
    # The outermost threshold that a label lies inside of; m where it lies outside of all.
    band = np.searchsorted(-rungs.thresholds, -sample.confidence, side="left")
    worth = [sampling.importance(rungs.share, each) for each in rungs.drawings]
    losses, most = [], []
    n, errors, band_n, band_errors = (np.zeros(m, dtype=np.int64) for _ in range(4))
    weighted = np.zeros(m, dtype=bool)
    for i in range(m):
        inside = band <= i
        if sample.frame is not None:
            inside &= sample.frame <= rungs.thresholds[i]
        weight, largest = np.ones(len(sample)), np.ones(len(sample))
        if rungs.chances is not None and sample.chance is not None:
            weight = rungs.chances.mean[i] / sample.chance
            largest = np.full(len(sample), rungs.chances.mean[i] / rungs.chances.least[i])
        if sample.drawing is not None:
            for number, each in enumerate(worth):
                mine = sample.drawing == number
                if each.speaks[i]:
                    weight[mine] = each.weight[i, np.minimum(band[mine], m - 1)]
                    largest[mine] = each.most[i]
                else:
                    inside &= ~mine
        weighted[i] = bool(np.any(largest[inside] > 1.0 + 1e-9))
        losses.append(np.where(wrong[inside], weight[inside], 0.0))
        most.append(largest[inside] if weighted[i] else np.asarray(1.0))
        n[i], errors[i] = int(inside.sum()), int(wrong[inside].sum())
        own = inside & (band == i)
        band_n[i], band_errors[i] = int(own.sum()), int(wrong[own].sum())
    even = _even(sample, rungs)
    first = np.flatnonzero(even)[:planned] if method == "planned" else np.arange(len(sample))
    is_due = method == "exact" or (method == "planned" and planned > 0 and len(first) == planned)
    even_n = even_errors = None
    exact = np.ones(m)
    if is_due:
        even_n = np.array([int((band[first] <= i).sum()) for i in range(m)], dtype=np.int64)
        even_errors = np.array([int(wrong[first][band[first] <= i].sum()) for i in range(m)], dtype=np.int64)
        exact = p_value(even_errors, even_n, precision)
    ratios = np.zeros((m, 0))
    p = exact
    if method != "exact":
        early = 1.0 if method == "anytime" else EARLY
        ratios = ratios_for(np.floor(rungs.share * planned), precision, level * early)
        bets = np.array(
            [
                bet(loss, precision, most=largest, ratios=r).p_value
                for loss, largest, r in zip(losses, most, ratios, strict=True)
            ]
        )
        p = np.minimum(1.0, bets / early)
        if method == "planned":
            p = np.minimum(p, exact / (1.0 - EARLY))
    lacks = max(planned - len(first), 0) if method == "planned" else 0
    return _Table(
        len(sample),
        n,
        errors,
        band_n,
        band_errors,
        losses,
        most,
        ratios,
        p,
        weighted,
        even_n,
        even_errors,
        lacks,
    )


def _even(sample: Sample, rungs: Ladder) -> npt.NDArray[np.bool_]:
    """(n,) labels that speak for the whole class, one as much as the other."""
    if sample.frame is not None:
        return np.asarray(sample.frame <= (rungs.thresholds[-1] if len(rungs) else -np.inf))
    if sample.drawing is not None:
        return np.asarray(sample.drawing < 0)
    if rungs.chances is not None and len(rungs):
        return np.full(len(sample), bool(np.isclose(rungs.chances.mean[-1], rungs.chances.least[-1])))
    return np.ones(len(sample), dtype=bool)


def _describe(
    table: _Table,
    rungs: Ladder,
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
    for i in range(len(rungs)):
        at = max(float(decision.levels[i]), 1e-12)
        if decision.rejected[i]:
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
        n, errors = int(table.n[i]), int(table.errors[i])
        passes = float(table.p_values[i]) <= at * (1 + 1e-12)
        steps.append(
            Step(
                threshold=float(rungs.thresholds[i]),
                share=float(rungs.share[i]),
                n=n,
                errors=errors,
                band_n=int(table.band_n[i]),
                band_errors=int(table.band_errors[i]),
                precision=1.0 - float(table.losses[i].mean()) if n else None,
                lower=_lower(table, i, at, method),
                p_value=float(table.p_values[i]),
                level=at,
                state=state,
                more_without_errors=_more(table, rungs, i, precision, at, passes, method, 0.0),
                more_at_present_rate=_more(table, rungs, i, precision, at, passes, method, "present"),
            )
        )
    return Walk(tuple(steps), decision.certified, start, table.labels, precision, delta, method)


def _lower(table: _Table, i: int, level: float, method: Method) -> float:
    exact = 0.0
    if table.even_n is not None and table.even_errors is not None and table.even_n[i]:
        part = level if method == "exact" else level * (1.0 - EARLY)
        exact = float(clopper_pearson_lower(table.even_errors[i], table.even_n[i], part))
    if method == "exact":
        return exact
    part = level if method == "anytime" else level * EARLY
    return max(exact, anytime_lower(table.losses[i], part, most=table.most[i], ratios=table.ratios[i]))


def _more(
    table: _Table,
    rungs: Ladder,
    i: int,
    precision: float,
    level: float,
    passes: bool,
    method: Method,
    rate: float | Literal["present"],
) -> int | None:
    errors, n = int(table.errors[i]), int(table.n[i])
    if passes:
        return 0
    if table.weighted[i]:
        return None
    if method == "exact":
        return further_labels(errors, n, precision, level, rate=rate)
    early = level if method == "anytime" else level * EARLY
    found = further_labels_anytime(errors, n, precision, early, rate=rate, ratios=table.ratios[i])
    if method == "planned" and table.lacks:
        # Or the exact look passes, when the plan is fulfilled.
        until = max(1, round(float(rungs.share[i]) * table.lacks))
        share = (errors + 0.5) / (n + 1.0) if rate == "present" else float(rate)
        if tail(errors + share * until, n + until, precision) <= level * (1.0 - EARLY):
            found = until if found is None else min(found, until)
    return found
