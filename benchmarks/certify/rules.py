"""Ways to certify, compared on simulated projects whose truth is known: the table of rules.

A project has two predicted classes, three model versions and ``--labels`` random labels, which come one by one. After a
third and two thirds of them the model is retrained and gets better. One half of the projects then draws fresh labels
(each version a third, each with the whole δ); the other half reuses all labels so far and splits δ (``next_share``).
Everybody looks after every label and keeps the best certificate seen: optional stopping at its worst.

Errors rise from the extreme inward, with an island of confident errors in between. Three projects in ten are boundary
cases: precision just under the stated one (by .5 to 20 % of the error allowed) everywhere, or from some threshold on,
or worst at the very extreme. Only ranks of scores count, so their miscalibration shows in the hopes alone: out-of-fold
results of 200 labels, with error rates off by a random factor.

A certificate is what one version of one class ends with; it is violated if the region's true precision is under the
stated one. ``project_violation_rate`` counts projects with a violated one: δ bounds it where δ was split, 3 δ where
three versions had fresh labels each.

The rule is the app's: bets at every label, and one exact look when the planned number of a class's labels is there
(``inference.certify.walk``, method ``planned``). Other rules on the same labels:

- *fixed sequence, bets alone*: the same walk without the exact look;
- *naive*: the innermost threshold with enough empirical precision, one look at the end;
- *bonferroni*: the same bets at every label, with δ over all thresholds instead of a fixed sequence;
- *exact, three planned looks* and *a look every 100 labels*: the fixed sequence by Clopper-Pearson, δ over the looks;
- *… at the end*: one look, no optional stopping; among them SGR (Geifman & El-Yaniv 2017), a binary search.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

from benchmarks.certify.outcomes import upper
from inference.certify import Ladder, Sample, next_share, p_value
from inference.certify.betting import bet, ratios_for
from inference.certify.ladder import hopes
from inference.certify.walk import decide

Floats = npt.NDArray[np.float64]

CLASSES = ("a", "b")
VERSIONS = 3
BANDS = 20
FINE = 400


@dataclass
class World:
    """True error rates over depth (0 is the extreme, 1 the boundary) of one class under one version: (FINE,)."""

    errors: Floats

    def region_error(self) -> Floats:
        """(BANDS,) true error rate inside each threshold."""
        cumulative = np.cumsum(self.errors) / np.arange(1, FINE + 1)
        return np.asarray(cumulative[np.arange(1, BANDS + 1) * (FINE // BANDS) - 1])


def worlds(rng: np.random.Generator, allowed: float, boundary: bool) -> list[World]:
    """One class's truth, version by version."""
    depth = (np.arange(FINE) + 0.5) / FINE
    if boundary:
        kind = rng.integers(3)
        excess = 1.0 + rng.uniform(0.005, 0.2)
        if kind == 0:  # too many errors everywhere, by a little
            errors = np.full(FINE, allowed * excess)
        elif (
            kind == 1
        ):  # good at first; from a depth on the region as a whole stays a little worse than allowed
            turn = rng.uniform(0.1, 0.6)
            total = allowed * excess * np.minimum(1.0, (depth / turn) ** 2) * depth
            errors = np.diff(total, prepend=0.0) * FINE
        else:  # the surest are the worst
            errors = allowed * excess * (1.5 - depth * 0.5)
        return [World(np.clip(errors, 0.0, 1.0))] * VERSIONS
    base = rng.uniform(0.0, 0.4) * allowed
    inner, power = rng.uniform(0.2, 0.5), rng.uniform(1.2, 3.5)
    centre, height = rng.uniform(0.0, 0.8), rng.uniform(0.0, 1.5) * allowed
    island = height * np.exp(-(((depth - centre) / 0.04) ** 2))
    better = np.cumprod(np.r_[1.0, rng.uniform(0.7, 1.0, VERSIONS - 1)])
    return [World(np.clip((base + (inner - base) * depth**power + island) * b, 0, 1)) for b in better]


@dataclass
class Labels:
    """Labels of one project: predicted class (n,), depth and error by version (VERSIONS, n)."""

    predicted: npt.NDArray[np.int64]
    depth: Floats
    wrong: npt.NDArray[np.bool_]
    recorded_wrong: npt.NDArray[np.bool_]


def draw(
    rng: np.random.Generator, truth: Sequence[Sequence[World]], labels: int, share: float, wrong: float
) -> Labels:
    """Random photos; a photo's depth moves a little from version to version, and so does whether it is an error."""
    predicted = (rng.random(labels) >= share).astype(np.int64)
    common = rng.normal(size=labels)
    luck = rng.random(labels)
    depth = np.stack(
        [ndtr(0.9 * common + math.sqrt(1 - 0.81) * rng.normal(size=labels)) for _ in range(VERSIONS)]
    )
    at = np.minimum((depth * FINE).astype(int), FINE - 1)
    errors = np.stack(
        [
            luck < np.where(predicted == 0, truth[0][v].errors[at[v]], truth[1][v].errors[at[v]])
            for v in range(VERSIONS)
        ]
    )
    slips = rng.random(labels) < wrong
    return Labels(predicted, depth, errors, errors ^ slips)


def is_boundary(rng: np.random.Generator) -> bool:
    """A project's first random number."""
    return bool(rng.random() < 0.3)


def simulate(
    seed: int, *, stated: float, delta: float, labels: int, wrong: float
) -> dict[str, list[tuple[float, bool]]]:
    """One project: rule -> (coverage of the class, whether violated) of each version and class; coverage 0 for none."""
    rng = np.random.default_rng(seed)
    boundary = is_boundary(rng)
    truth = [worlds(rng, 1 - stated, boundary) for _ in CLASSES]
    share = rng.uniform(0.4, 0.8)
    data = draw(rng, truth, labels, share, wrong)
    fresh = seed % 2 == 0
    spent: list[float] = []
    thresholds = 1.0 - np.arange(1, BANDS + 1) / BANDS
    shares = np.arange(1, BANDS + 1) / BANDS
    out: dict[str, list[tuple[float, bool]]] = {}
    for version in range(VERSIONS):
        end = labels * (version + 1) // VERSIONS
        first = labels * version // VERSIONS if fresh else 0
        level = delta if fresh else next_share(delta, spent)
        spent.append(level)
        samples, ladders, planned = {}, {}, {}
        for c, name in enumerate(CLASSES):
            mine = first + np.flatnonzero(data.predicted[first:end] == c)
            samples[name] = Sample(1.0 - data.depth[version, mine], ~data.recorded_wrong[version, mine])
            ladders[name] = Ladder(thresholds, shares, hoped(rng, truth[c][version], thresholds))
            planned[name] = int((end - first) * (share if c == 0 else 1 - share))
        # Classes do not come exactly as often as expected, so a project that wants its exact look plans a little less.
        reached = {name: int(0.95 * n) for name, n in planned.items()}
        rules = {
            "fixed sequence": sequence(samples, ladders, reached, stated, level, "planned"),
            "fixed sequence, bets alone": sequence(samples, ladders, planned, stated, level, "anytime"),
            "exact at the end": sequence(samples, ladders, planned, stated, level, "exact"),
            "exact, three planned looks": looks(samples, ladders, planned, stated, level, 3),
            "exact, a look every 100 labels": looks(
                samples, ladders, planned, stated, level, (end - first) // 50
            ),
            "bonferroni": [
                bonferroni(samples[name], ladders[name], planned[name], stated, level / len(CLASSES))
                for name in CLASSES
            ],
            **{
                rule: [function(samples[name], thresholds, stated, level / len(CLASSES)) for name in CLASSES]
                for rule, function in ONE_LOOK.items()
            },
        }
        for rule, found in rules.items():
            for c, index in enumerate(found):
                error = 0.0 if index is None else float(truth[c][version].region_error()[index])
                out.setdefault(rule, []).append(
                    (0.0 if index is None else float(shares[index]), error > 1 - stated + 1e-12)
                )
    return out


def hoped(rng: np.random.Generator, world: World, thresholds: Floats) -> Floats:
    """Out-of-fold results of 200 training labels of a class, with an error rate off by a factor."""
    depth = rng.random(200)
    factor = math.exp(rng.normal(0.0, 0.4))
    wrong = rng.random(200) < np.minimum(1.0, factor * world.errors[(depth * FINE).astype(int)])
    return hopes(1.0 - depth, ~wrong, thresholds)


def sequence(
    samples: dict[str, Sample],
    ladders: dict[str, Ladder],
    planned: dict[str, int],
    stated: float,
    delta: float,
    method: Any,
) -> list[int | None]:
    """Hilltop's own rule."""
    decisions = decide(samples, ladders, precision=stated, delta=delta, method=method, planned=planned)
    return [decisions[name].certified for name in CLASSES]


def looks(
    samples: dict[str, Sample],
    ladders: dict[str, Ladder],
    planned: dict[str, int],
    stated: float,
    delta: float,
    times: int,
) -> list[int | None]:
    """Hilltop's walk with the exact test, δ evenly over so many looks; the innermost of what they certify."""
    best: list[int | None] = [None] * len(CLASSES)
    for look in range(1, times + 1):
        seen = {
            name: Sample(
                sample.confidence[: len(sample) * look // times],
                sample.correct[: len(sample) * look // times],
            )
            for name, sample in samples.items()
        }
        plans = {name: n * look // times for name, n in planned.items()}
        found = sequence(seen, ladders, plans, stated, delta / times, "exact")
        best = [b if f is None else f if b is None else max(b, f) for b, f in zip(best, found, strict=True)]
    return best


def counts(sample: Sample, thresholds: Floats) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    inside = sample.confidence[None, :] >= thresholds[:, None]
    return inside.sum(axis=1), (inside & ~sample.correct[None, :]).sum(axis=1)


def innermost(passes: npt.NDArray[np.bool_]) -> int | None:
    return int(np.flatnonzero(passes)[-1]) if passes.any() else None


def naive(sample: Sample, thresholds: Floats, stated: float, delta: float) -> int | None:
    n, errors = counts(sample, thresholds)
    return innermost((n > 0) & (errors <= (1 - stated) * n))


def bonferroni(sample: Sample, rungs: Ladder, planned: int, stated: float, delta: float) -> int | None:
    """The same bets, looked at as often, without an order: every threshold at its share of δ."""
    level = delta / len(rungs)
    bets = ratios_for(np.floor(rungs.share * planned), stated, level)
    p = [
        bet(~sample.correct[sample.confidence >= threshold], stated, ratios=ratios).p_value
        for threshold, ratios in zip(rungs.thresholds, bets, strict=True)
    ]
    return innermost(np.array(p) <= level)


def bonferroni_exact(sample: Sample, thresholds: Floats, stated: float, delta: float) -> int | None:
    n, errors = counts(sample, thresholds)
    return innermost(p_value(errors, n, stated) <= delta / len(thresholds))


def sgr(sample: Sample, thresholds: Floats, stated: float, delta: float) -> int | None:
    n, errors = counts(sample, thresholds)
    p = p_value(errors, n, stated)
    low, high, best = 0, len(thresholds) - 1, None
    rounds = math.ceil(math.log2(len(thresholds)))
    for _ in range(rounds):
        middle = (low + high + 1) // 2
        if p[middle] <= delta / rounds:
            best, low = middle, middle
        else:
            high = max(middle - 1, 0)
    return best


ONE_LOOK = {"naive": naive, "bonferroni, exact at the end": bonferroni_exact, "SGR, exact at the end": sgr}


def summarise(runs: list[list[tuple[float, bool]]]) -> dict[str, Any]:
    """Of one rule, over projects."""
    every = [one for run in runs for one in run]
    issued = [violated for coverage, violated in every if coverage > 0]
    bad = sum(issued)
    projects = sum(any(violated for _, violated in run) for run in runs)
    return {
        "certificates": len(issued),
        "violation_rate": round(bad / len(issued), 5) if issued else None,
        "violation_upper95": upper(bad, len(issued)),
        "project_violation_rate": round(projects / len(runs), 5),
        "project_violation_upper95": upper(projects, len(runs)),
        "coverage": round(float(np.mean([coverage for coverage, _ in every])), 4),
    }


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--stated", type=float, default=0.95, help="of the table of rules, as all below")
    parser.add_argument("--delta", type=float, default=0.05)
    parser.add_argument("--labels", type=int, default=3000)
    parser.add_argument("--wrong", type=float, default=0.0, help="share of ground truths that are wrong")


def table(pool: Executor, chosen: argparse.Namespace, runs: int) -> dict[str, Any]:
    """Each rule's figures over so many projects; the app's own rule first."""
    one = partial(
        simulate, stated=chosen.stated, delta=chosen.delta, labels=chosen.labels, wrong=chosen.wrong
    )
    found: dict[str, list[list[tuple[float, bool]]]] = {}
    seeds = range(chosen.first_seed, chosen.first_seed + runs)
    for number, results in enumerate(pool.map(one, seeds, chunksize=25), start=1):
        for rule, of_rule in results.items():
            found.setdefault(rule, []).append(of_rule)
        if number % 500 == 0:
            print(f"{number} projects", file=sys.stderr, flush=True)
    rules = {rule: summarise(results) for rule, results in found.items()}
    for rule, row in rules.items():
        print(f"{rule}: {row}", file=sys.stderr, flush=True)
    hard = [
        any(violated for _, violated in project)
        for seed, project in zip(seeds, found["fixed sequence"], strict=True)
        if is_boundary(np.random.default_rng(seed))
    ]
    return {
        "stated_precision": chosen.stated,
        "delta": chosen.delta,
        **rules["fixed sequence"],
        "naive_violation_rate": rules["naive"]["violation_rate"],
        "bonferroni_coverage": rules["bonferroni"]["coverage"],
        "boundary_projects": {
            "n": len(hard),
            "project_violation_rate": round(sum(hard) / len(hard), 5) if hard else None,
            "project_violation_upper95": upper(sum(hard), len(hard)),
        },
        "rules": rules,
        "labels": chosen.labels,
        "wrong_ground_truths": chosen.wrong,
    }
