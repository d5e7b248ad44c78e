"""Pools that end: what is certified is what people left to the machine, whatever they took."""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt
import pytest
from scipy.stats import binom, hypergeom

from inference.certify import Ladder, Rest, Sample, aimed, certify, finite, ladder
from inference.certify.ladder import OWN, SPREAD
from inference.certify.walk import decide

Bools = npt.NDArray[np.bool_]


def tolerated(runs: int, rate: float) -> int:
    """So many of ``runs`` are exceeded once in a thousand if each happens with ``rate``."""
    return int(binom.ppf(0.999, runs, rate))


# -- one region ------------------------------------------------------------------------------------


def test_p_values_are_scipys_and_fall_with_the_total() -> None:
    rng = np.random.default_rng(0)
    for _ in range(200):
        photos = int(rng.integers(1, 5000))
        n = int(rng.integers(1, photos + 1))
        errors = int(rng.integers(0, min(n, 30) + 1))
        total = int(rng.integers(errors, photos + 1))
        expected = 1.0 if total == errors else hypergeom.cdf(errors, photos, total, n)
        assert finite.p_value(errors, n, total, photos) == pytest.approx(expected, rel=1e-6, abs=1e-12)
    for errors, n, photos in ((0, 10, 20), (3, 40, 60), (5, 300, 1000)):
        exact = [finite.p_value(errors, n, total, photos) for total in range(photos + 2)]
        wrong = np.arange(n) < errors
        bets = finite.bets_for(n, photos // 10, photos, 0.05)
        betted = [finite.bet_p(wrong, total, photos, bets) for total in range(photos + 2)]
        for path in (exact, betted):
            assert all(a >= b for a, b in itertools.pairwise(path))
            assert path[0] == 1.0 and path[-1] == 0.0


def test_numbers_that_cannot_be_are_refused() -> None:
    for bad in ((3, 2, 5, 10), (0, 11, 5, 10), (-1, 2, 5, 10)):
        with pytest.raises(ValueError, match="rise"):
            finite.p_value(*bad)


@pytest.mark.parametrize(("photos", "n"), [(30, 8), (60, 40), (1000, 600)])
@pytest.mark.parametrize("level", [0.05, 0.2])
def test_the_rest_of_a_pool_is_worse_than_stated_with_delta_at_most_by_enumeration(
    photos: int, n: int, level: float
) -> None:
    for stated in (0.8, 0.9):
        too_many = int((1 - stated) * (photos - n) + 1e-9) + 1
        refuted = np.array(
            [
                finite.p_value(e, n, min(e + too_many, photos), photos) <= level
                for e in range(min(n, photos - too_many) + 1)
            ]
            + [False] * (n - min(n, photos - too_many))
        )
        assert refuted.any() or photos == 30
        for total in range(0, photos + 1, max(1, photos // 60)):
            errors = np.arange(max(0, n + total - photos), min(n, total) + 1)
            probability = hypergeom.pmf(errors, photos, total, n)
            # "So many or more are wrong besides those found" is refuted, and true: e of the labels, total − e of the rest.
            false = refuted[errors] & (total - errors >= too_many)
            assert probability[false].sum() <= level + 1e-9


def test_a_bet_refutes_the_truth_at_any_look_no_more_often_than_stated_by_enumeration() -> None:
    # All orders of a small pool: where its wrong ones lie in the order of the draw.
    photos, total = 14, 4
    bets = finite.bets_for(photos, total, photos, 0.2)
    paths = list(itertools.combinations(range(photos), total))
    for level in (0.1, 0.2, 0.5):
        bad = 0
        for places in paths:
            wrong = np.isin(np.arange(photos), places)
            # The p-value keeps the highest wealth on the way, so the last look says it all, until all are found.
            last = max(places)
            bad += finite.bet_p(wrong[:last], total, photos, bets) <= level
        assert bad / len(paths) <= level


# -- the walk --------------------------------------------------------------------------------------


def pool(photos: int, rates: list[float], rng: np.random.Generator) -> tuple[npt.NDArray[np.float64], Bools]:
    """Confidence falling evenly; wrong ones spread evenly in each band, as many as the rate says."""
    confidence = 1.0 - (np.arange(photos) + 0.5) / photos
    wrong = np.zeros(photos, dtype=bool)
    for band, places in enumerate(np.array_split(np.arange(photos), len(rates))):
        wrong[rng.choice(places, round(rates[band] * len(places)), replace=False)] = True
    return confidence, wrong


def left(rungs: Ladder, confidence: npt.NDArray[np.float64], wrong: Bools, taken: Bools) -> Rest:
    inside = confidence[None, :] >= rungs.thresholds[:, None]
    return Rest((inside & ~taken).sum(axis=1), (inside & taken & wrong).sum(axis=1))


#: Error rates of four bands, by stated .9: just too many of the rest everywhere, from the second region on, at the extreme.
PROFILES = {
    "everywhere": [0.102] * 4,
    "from the second on": [0.04, 0.164, 0.102, 0.102],
    "at the extreme": [0.16, 0.044, 0.102, 0.102],
    "a little less than allowed": [0.096] * 4,
}


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("people", ["none", "the surest", "right ones, after a look"])
def test_what_is_certified_is_what_people_left(profile: str, people: str) -> None:
    """By ``right ones``: people who knew the truth take away the right ones of whatever is certified, as many as they
    like."""
    rng = np.random.default_rng([1, len(profile), len(people)])
    photos, labels, delta, runs = 1200, 500, 0.1, 100
    bad = issued = 0
    for _ in range(runs):
        confidence, wrong = pool(photos, PROFILES[profile], rng)
        order = rng.permutation(photos)
        rungs = ladder(confidence, bands=4)
        taken = np.zeros(photos, dtype=bool)
        false = False
        for n in (150, 300, labels):
            drawn = order[:n]
            taken[drawn] = True
            if people == "the surest":
                taken[np.flatnonzero(~taken)[: photos // 20]] = True
            rest = left(rungs, confidence, wrong, taken)
            sample = Sample(confidence[drawn], ~wrong[drawn])
            asked = {"precision": 0.9, "delta": delta, "method": "planned", "planned": {"a": labels}}
            found = decide({"a": sample}, {"a": rungs}, rests={"a": rest}, **asked)["a"]  # type: ignore[arg-type]
            false |= is_false(found.certified, rungs, confidence, wrong, taken)
            issued += found.certified is not None
            if people == "right ones, after a look" and n < labels:
                inner = int(rng.integers(4))
                right = np.flatnonzero(~taken & ~wrong & (confidence >= rungs.thresholds[inner]))
                taken[rng.permutation(right)[: photos // 20]] = True
        bad += false
    assert bad <= tolerated(runs, delta)
    assert issued < 3 * runs


def is_false(
    certified: int | None,
    rungs: Ladder,
    confidence: npt.NDArray[np.float64],
    wrong: Bools,
    taken: Bools,
) -> bool:
    if certified is None:
        return False
    rest = ~taken & (confidence >= rungs.thresholds[certified])
    return bool(wrong[rest].mean() > 0.1 + 1e-9)


def test_a_good_pool_is_certified_and_the_bound_is_one_of_the_rest() -> None:
    rng = np.random.default_rng(2)
    confidence, wrong = pool(4000, [0.0, 0.01, 0.02, 0.3], rng)
    drawn = rng.permutation(4000)[:800]
    rungs = ladder(confidence, bands=8)
    walk = certify(
        {"a": Sample(confidence[drawn], ~wrong[drawn])},
        {"a": rungs},
        precision=0.95,
        delta=0.05,
        method="planned",
        planned={"a": 800},
    )["a"]
    assert walk.certified == 5
    for step in walk.steps:
        inside = confidence >= step.threshold
        assert (step.photos, step.n) == (int(inside.sum()), int(inside[drawn].sum()))
        assert step.rest == step.photos - step.n and step.known == step.errors
        assert step.most_wrong is not None and step.most_wrong >= wrong[inside].sum()
        assert (step.lower >= 0.95 - 1e-9) == (step.state == "certified")


def test_people_who_take_the_surest_take_the_certificate_with_them() -> None:
    rng = np.random.default_rng(3)
    confidence, wrong = pool(4000, [0.0, 0.0, 0.06, 0.3], rng)
    drawn = rng.permutation(4000)[:1000]
    rungs = ladder(confidence, bands=4)
    sample = Sample(confidence[drawn], ~wrong[drawn])
    asked = {"precision": 0.95, "delta": 0.05, "method": "planned", "planned": {"a": 1000}}
    taken = np.zeros(4000, dtype=bool)
    taken[drawn] = True
    before = certify(
        {"a": sample},
        {"a": rungs},
        rests={"a": left(rungs, confidence, wrong, taken)},
        **asked,  # type: ignore[arg-type]
    )["a"]
    assert before.certified == 2
    # Of the third region only its inner band is left, 6 % of it wrong.
    taken[:2000] = True
    after = certify(
        {"a": sample},
        {"a": rungs},
        rests={"a": left(rungs, confidence, wrong, taken)},
        **asked,  # type: ignore[arg-type]
    )["a"]
    assert after.certified is None and after.steps[2].rest == (~taken[:3000]).sum()


def test_a_target_leaves_no_gap_between_the_walk_and_the_regions_own_bound() -> None:
    for photos, labels in ((1000, 100), (5000, 1000), (400, 390)):
        rungs = aimed(Ladder(np.array([0.0]), np.array([1.0]), None, np.array([photos])), labels, 0.9, 0.05)
        assert rungs.targets is not None
        target = int(rungs.targets[0])
        # As many more labels as may come by chance.
        labels = min(labels + int(SPREAD * labels**0.5), photos)
        allowed = int(0.1 * (photos - labels) + 1e-9)
        for errors in range(labels // 10):
            by_walk = target - 1 - errors <= allowed
            own = finite.p_value(errors, labels, min(errors + allowed + 1, photos), photos) <= OWN * 0.05
            assert by_walk or own


def test_a_pool_without_end_and_a_very_large_one_are_much_the_same() -> None:
    rng = np.random.default_rng(4)
    confidence = rng.random(1000)
    sample = Sample(confidence, rng.random(1000) >= 0.1 * (1 - confidence))
    share = np.arange(1, 11) / 10
    asked = {"precision": 0.93, "delta": 0.05, "method": "planned", "planned": {"a": 1000}}
    endless = certify({"a": sample}, {"a": Ladder(1 - share, share)}, **asked)["a"]  # type: ignore[arg-type]
    large = Ladder(1 - share, share, None, np.round(share * 10**7).astype(np.int64))
    ends = certify({"a": sample}, {"a": large}, **asked)["a"]  # type: ignore[arg-type]
    for a, b in zip(endless.steps, ends.steps, strict=True):
        assert b.p_value == pytest.approx(a.p_value, rel=0.02, abs=1e-9)
