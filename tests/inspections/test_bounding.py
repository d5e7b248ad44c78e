"""The bound of the whole says too much at most as often as it states, in simulated fleets."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from scipy.stats import binom

from inference.certify.finite import most_wrong
from labeling.inspections.bounding import Resting, share_proven, whole
from labeling.inspections.rules import Shape, judge, parse

FLEETS = 2_000
DELTA = 0.05
SHOTS = ("front", "rear", "left", "right")
RULES = parse(
    [
        {"outcome": "failed", "when": [{"project": "damage", "shots": [], "of": "any", "is": ["dent"]}]},
        {"outcome": "passed", "when": [{"project": "wash", "shots": [], "of": "any", "is": ["foam"]}]},
    ],
    Shape(
        asked={"wash": SHOTS, "damage": SHOTS},
        classes={"wash": ["foam", "plain"], "damage": ["none", "dent"]},
    ),
)


@cache
def _stated(errors: int, n: int, photos: int) -> float:
    """Bound of the share of the machine's answers that are wrong, as a certificate of a pool that ends states it."""
    return most_wrong(errors, n, photos, DELTA) / photos


def _draw(rng: np.random.Generator, wrong: int, photos: int, n: int) -> int:
    """Wrong ones among so many labels that were drawn at random."""
    return int(rng.hypergeometric(wrong, photos - wrong, n)) if wrong else 0


def _tolerated(rate: float) -> int:
    """So many of the fleets are exceeded once in a thousand if each is with ``rate``."""
    return int(binom.ppf(0.999, FLEETS, rate))


def test_an_outcome_of_one_answer_is_as_good_as_its_certificate() -> None:
    """Nothing is given away there, so the risk is nearly spent: the test can fail."""
    rng = np.random.default_rng(1)
    exceeded = 0
    for _fleet in range(FLEETS):
        photos, wrong = 400, int(rng.integers(4, 30))
        error = _stated(_draw(rng, wrong, photos, 150), 150, photos)
        bound = whole([Resting("machine", error, look=1, delta=DELTA)]).bound
        exceeded += bound is not None and 1 - wrong / photos < bound - 1e-12
    assert 0 < exceeded <= _tolerated(DELTA)


def test_the_bound_of_the_whole_holds_where_errors_meet_the_weakest_inspections() -> None:
    """Cars with foam on every photo, cars that one photo alone takes for washed, and plain ones. Wrong ``foam`` lands on
    those with one photo first, each ``none`` that overlooks a dent on a car of its own. The mean of the stated errors covers
    the share of wrong outcomes; that of the surest answer alone would not.
    """
    rng = np.random.default_rng(2)
    exceeded = by_the_surest = 0
    for _fleet in range(FLEETS):
        washed, doubtful, plain = (int(n) for n in rng.integers((30, 5, 5), (60, 20, 20)))
        cars = [4] * washed + [1] * doubtful + [0] * plain  # photos with foam, as the machine says
        machine = [
            {(shot, "wash"): "foam" if n < foam else "plain" for n, shot in enumerate(SHOTS)}
            | {(shot, "damage"): "none" for shot in SHOTS}
            for foam in cars
        ]
        certified = {"foam": 4 * washed + doubtful, "plain": 3 * doubtful + 4 * plain, "none": 4 * len(cars)}
        wrong = {answer: int(rng.integers(0, max(2, photos // 12))) for answer, photos in certified.items()}
        errors = {
            answer: _stated(_draw(rng, wrong[answer], photos, photos // 2), photos // 2, photos)
            for answer, photos in certified.items()
        }
        truth = _spoilt(machine, wrong, rng)
        missed, stated, surest = 0, 0.0, 0.0
        for said, so in zip(machine, truth, strict=True):
            outcome = _judged(tuple(said.items()))
            missed += outcome[0] != _judged(tuple(so.items()))[0]
            rests = [
                Resting("machine", errors[said[part] or ""], look=1, delta=3 * DELTA) for part in outcome[1]
            ]
            stated += 1 - (whole(rests).bound or 0.0)
            surest += min(each.error or 0.0 for each in rests)
        exceeded += missed > stated + 1e-9
        by_the_surest += missed > surest + 1e-9
    assert exceeded <= _tolerated(3 * DELTA)
    assert by_the_surest > _tolerated(3 * DELTA), "resting on the surest answer promises too much"


@cache
def _judged(answers: tuple[tuple[tuple[str, str], str], ...]) -> tuple[str, tuple[tuple[str, str], ...]]:
    judged = judge(RULES, "failed", dict(answers))
    return judged.outcome, judged.rests_on


def _spoilt(
    machine: list[dict[tuple[str, str], str]], wrong: dict[str, int], rng: np.random.Generator
) -> list[dict[tuple[str, str], str]]:
    """What the photos show: so many of each answer are wrong, of ``foam`` the lonely ones first, of the others one a car."""
    truth = [dict(said) for said in machine]
    other = {"foam": "plain", "plain": "foam", "none": "dent"}
    for answer, n in wrong.items():
        places = []
        for car in rng.permutation(len(machine)).tolist():
            parts = [part for part, said in machine[car].items() if said == answer]
            # Of foam by how many its car has; of the others by the how manieth of its car it is.
            places += [
                (len(parts) if answer == "foam" else turn, car, part) for turn, part in enumerate(parts)
            ]
        for _rank, car, part in sorted(places, key=lambda place: place[0])[:n]:
            truth[car][part] = other[answer]
    return truth


@pytest.mark.parametrize(
    ("parts", "bound", "says"),
    [
        ([Resting("people"), Resting("reviewer")], None, ["2 answers were settled by people"]),
        (
            [Resting("machine", 0.02, 1, 0.05)] * 3 + [Resting("people")],
            0.94,
            [
                "1 answer was settled",
                "3 answers were decided with the machine, each proven right in at least 98 %",
                "So all 3 together are right in at least 94 %",
                "at most 5 %",
            ],
        ),
        (
            [Resting("machine", 0.02, 1, 0.05), Resting("machine", 0.1, 2, 0.1)],
            0.88,
            ["98 %", "90 %", "88 %", "at most 15 %"],
        ),
        ([Resting("machine", 0.02, 1, 0.05), Resting("imported")], None, ["98 %", "nothing is proven"]),
        (
            [Resting("machine", 0.4, 1, 0.05)] * 3,
            0.0,
            ["60 %", "So all 3 together are right in at least 0 %", "5 %"],
        ),
    ],
)
def test_the_bound_is_said_in_plain_words(parts: list[Resting], bound: float | None, says: list[str]) -> None:
    told = whole(parts)
    assert told.bound == (None if bound is None else pytest.approx(bound))
    assert len(told.says()) == len(says)
    for sentence, part in zip(told.says(), says, strict=True):
        assert part.replace(" %", "\u00a0%") in sentence


@pytest.mark.parametrize(
    ("share", "said"),
    [(0.98801, "98.8\u00a0%"), (0.9969, "99.6\u00a0%"), (0.9999, "99.9\u00a0%"), (0.96, "96\u00a0%")],
)
def test_what_is_stated_is_cut_never_rounded_up(share: float, said: str) -> None:
    assert share_proven(share) == said
