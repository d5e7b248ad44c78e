"""Two ways to earn more from each answer: the machine as second reader, and one promise over all that leaves."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, hypergeom

from benchmarks.certify.scenarios import delivered_set, second_reader
from inference.certify import Ladder, Sample, ladder
from inference.certify.agreement import certify_agreement
from inference.certify.delivery import Outcomes, Path, begin, certify_delivery, mended, path
from inference.certify.ways import lay, starts

STATED = 0.95


def _cohort(rng: np.random.Generator, photos: int, wrong: float) -> tuple[Sample, np.ndarray]:
    """All photos of a class, wrong so often; of the right ones nine in ten are agreed on, of the wrong ones none."""
    right = rng.random(photos) >= wrong
    return Sample(rng.random(photos), right), right & (rng.random(photos) < 0.9)


def _drawn(all_of_it: Sample, agrees: np.ndarray, n: int) -> tuple[dict, dict, dict]:
    """Labels, agreement and ladder of a class whose photos come in no order."""
    labels = Sample(all_of_it.confidence[:n], all_of_it.correct[:n])
    return {"a": labels}, {"a": agrees[:n]}, {"a": ladder(all_of_it.confidence)}


# --- the second reader ------------------------------------------------------------------------------------------------


TOLD = {"precision": STATED, "delta": 0.05}


def test_agreement_is_certified_where_the_machine_alone_is_not() -> None:
    cohort, agreed = _cohort(np.random.default_rng(1), 5000, wrong=0.2)
    samples, agrees, ladders = _drawn(cohort, agreed, 800)
    found = certify_agreement(samples, agrees, ladders, planned={"a": 800}, **TOLD)["a"]
    assert found.machine == np.inf and (found.n, found.photos, found.most_wrong) == (0, 0, 0)
    assert found.assisted == ladders["a"].thresholds[-1] and found.share_ring == 1.0
    assert found.ring_n == agrees["a"].sum() == found.ring_taken
    assert found.ring_errors == 0 == found.ring_known
    # So much it has to spare: as many of those that would be agreed on may be wrong, less those that are.
    assert (1 - STATED) * found.ring_taken <= found.ring_spare <= (1 - STATED) * agreed.sum()
    assert found.ring_photos == 5000


def test_the_ring_is_tested_as_the_machine_leaves_it() -> None:
    """The surest half is right and would carry the ring: the machine takes it, and what is left is worse than stated."""
    rng = np.random.default_rng(2)
    confidence = rng.random(20_000)
    # Where answers agree in the inner half, one in twelve is wrong: one in twenty-four over all.
    wrong = (confidence < 0.5) & (rng.random(20_000) < 1 / 12)
    samples, agrees, ladders = _drawn(Sample(confidence, ~wrong), np.ones(20_000, dtype=bool), 4000)
    found = certify_agreement(samples, agrees, ladders, planned={"a": 4000}, **TOLD)["a"]
    ring = (confidence < found.machine) & (confidence >= found.assisted)
    assert wrong.mean() < 1 - STATED < wrong[confidence < 0.5].mean()
    alone = confidence >= found.machine
    assert alone.any() or ring.any()
    assert not alone.any() or wrong[alone].mean() <= 1 - STATED
    assert not ring.any() or wrong[ring].mean() <= 1 - STATED


@given(
    seed=st.integers(0, 10_000),
    hopes=st.booleans(),
    planned=st.integers(1, 4000),
    precision=st.sampled_from([0.9, 0.95, 0.98]),
)
@settings(max_examples=60, deadline=None)
def test_ways_part_a_class_and_spend_delta_once_or_not_at_all(
    seed: int, hopes: bool, planned: int, precision: float
) -> None:
    rng = np.random.default_rng(seed)
    taught = rng.random(200)
    known = (taught, rng.random(200) < 0.6 + 0.4 * taught) if hopes else None
    ways = lay(ladder(rng.random(800), out_of_fold=known), precision, planned, 0.05)
    assert (ways.assisted <= ways.machine).all()
    assert (ways.share_machine + ways.share_ring <= 1 + 1e-9).all()
    assert np.isinf(ways.machine[ways.share_machine == 0]).all()
    # Rings come before the machine's part, and that grows.
    assert (np.diff(ways.share_machine) >= 0).all()
    shares = starts(ways, planned, precision, 0.05)
    assert (shares >= 0).all()
    assert shares.sum() == pytest.approx(1.0) or shares.sum() == 0.0


def test_nothing_is_certified_before_the_plan_is_fulfilled() -> None:
    cohort, agreed = _cohort(np.random.default_rng(3), 5000, wrong=0.0)
    found = certify_agreement(*_drawn(cohort, agreed, 399), planned={"a": 400}, **TOLD)["a"]
    assert (found.assisted, found.lacks) == (None, 1)
    assert (
        certify_agreement(*_drawn(cohort, agreed, 400), planned={"a": 400}, **TOLD)["a"].assisted is not None
    )


def test_a_label_without_a_word_on_agreement_is_refused() -> None:
    sample, agrees = _cohort(np.random.default_rng(4), 20, wrong=0.0)
    rungs = {"a": Ladder(np.array([0.5]), np.array([1.0]), photos=np.array([50]))}
    with pytest.raises(ValueError, match="first answer agreed"):
        certify_agreement({"a": sample}, {"a": agrees[:-1]}, rungs, planned={"a": 20}, **TOLD)
    with pytest.raises(ValueError, match="same classes"):
        certify_agreement({"a": sample}, {}, rungs, planned={"a": 20}, **TOLD)
    assert certify_agreement({}, {}, {}, planned={}, **TOLD) == {}


# --- the delivered set ------------------------------------------------------------------------------------------------


def _pool(rng: np.random.Generator, photos: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    doubt = rng.beta(0.6, 2.0, photos) / 2.0
    wrong = rng.random(photos) < doubt
    return doubt, wrong, np.where(wrong, rng.random(photos) < 0.1, rng.random(photos) < 0.97)


@given(
    seed=st.integers(0, 10_000),
    photos=st.integers(1, 400),
    precision=st.sampled_from([0.8, 0.9, 0.95, 0.98]),
)
@settings(max_examples=60, deadline=None)
def test_a_path_goes_from_few_errors_to_many_and_each_photo_one_way(
    seed: int, photos: int, precision: float
) -> None:
    ways = path(np.random.default_rng(seed).beta(0.5, 1.5, photos) / 2.0, precision=precision)
    assert (np.diff(ways.machine) >= 0).all()
    assert (ways.assisted >= ways.machine).all()
    assert (ways.share_machine + ways.share_assisted <= 1 + 1e-9).all()
    assert (np.diff(ways.expected) >= -1e-12).all()
    assert len(np.unique(np.stack([ways.share_machine, ways.share_assisted]), axis=1).T) == len(ways)


def test_the_rungs_that_fell_are_proven_by_the_tail_they_claim() -> None:
    rng = np.random.default_rng(5)
    doubt, wrong, agreed = _pool(rng, 5000)
    drawn = rng.permutation(5000)[:1000]
    ways = path(doubt, precision=STATED)
    found = certify_delivery(
        Outcomes(doubt[drawn], wrong[drawn], agreed[drawn]),
        ways,
        precision=STATED,
        floor=0.9,
        delta=0.05,
        planned=1000,
    )
    assert found.certified is not None
    rung = found.rungs[found.certified]
    lost = wrong & ((doubt <= rung.machine) | ((doubt <= rung.assisted) & agreed))
    assert rung.errors == lost[drawn].sum()
    # So many of the pool's may be wrong: 250 that leave, and those that the certifying labels are counted on to mend.
    counted_on = mended(5000, 1000, STATED, 0.04)
    assert 0 < counted_on <= rung.errors
    assert rung.p_value >= hypergeom.cdf(rung.errors, 5000, 251 + counted_on, 1000) > 0
    assert rung.p_value <= rung.level * (1 + 1e-9)
    machine = doubt <= rung.machine
    part = rung
    assert (part.machine_errors, part.machine_n) == ((wrong & machine)[drawn].sum(), machine[drawn].sum())
    assert (part.photos, part.rest, part.known) == (
        machine.sum(),
        machine.sum() - part.machine_n,
        part.machine_errors,
    )
    assert wrong[machine].sum() <= part.most_wrong <= part.known + 0.1 * part.rest
    assert part.lower == 1 - (part.most_wrong - part.known) / part.rest >= 0.9
    assert rung.mended == rung.errors and rung.most_lost == 250 + counted_on
    assert lost.sum() - rung.errors <= 250


def test_a_model_without_errors_is_proven_though_nothing_is_mended() -> None:
    doubt = np.full(3000, 0.01)
    nothing = np.zeros(600, dtype=bool)
    found = certify_delivery(
        Outcomes(doubt[:600], nothing, ~nothing),
        path(doubt, precision=STATED),
        precision=STATED,
        floor=0.9,
        delta=0.05,
        planned=600,
    )
    assert found.machine is not None and found.machine >= 0.01
    assert found.rungs[-1].errors == 0 and found.rungs[-1].fell


def test_the_floor_holds_a_machine_back_that_the_whole_would_carry() -> None:
    """Half of the pool is surely right and asked of people anyway; what is decided alone is wrong in one of seven."""
    rng = np.random.default_rng(6)
    photos = 4000
    doubt = np.where(np.arange(photos) < 1000, 0.02, 0.4)
    wrong = np.where(doubt < 0.1, rng.random(photos) < 1 / 7, False)
    agreed = ~wrong
    drawn = rng.permutation(photos)[:1200]
    labels = Outcomes(doubt[drawn], wrong[drawn], agreed[drawn])
    told = {"precision": STATED, "delta": 0.05, "planned": 1200}
    ways = path(doubt, precision=STATED)
    low = certify_delivery(labels, ways, floor=0.5, **told)
    high = certify_delivery(labels, ways, floor=0.9, **told)
    assert low.machine is not None and low.machine >= 0.02
    assert high.machine is None or high.machine < 0.02


def test_nothing_is_looked_at_before_the_plan_is_fulfilled_nor_after() -> None:
    rng = np.random.default_rng(7)
    doubt, wrong, agreed = _pool(rng, 3000)
    drawn = rng.permutation(3000)[:900]
    ways = path(doubt, precision=STATED)
    told = {"precision": STATED, "floor": 0.9, "delta": 0.05, "planned": 600}

    def look(n: int):
        at = drawn[:n]
        return certify_delivery(Outcomes(doubt[at], wrong[at], agreed[at]), ways, **told)

    early, due, late = look(599), look(600), look(900)
    assert early.certified is None and early.lacks == 1 and not early.rungs
    assert due.rungs and due.lacks == 0
    # What is proven stays; what is left of it does not.
    assert [(each.p_value, each.fell, each.most_lost, each.errors) for each in late.rungs] == [
        (each.p_value, each.fell, each.most_lost, each.errors) for each in due.rungs
    ]
    assert all(a.most_wrong == b.most_wrong for a, b in zip(late.rungs, due.rungs, strict=True))
    assert late.rungs[-1].rest < due.rungs[-1].rest


def test_a_pool_smaller_than_its_plan_and_labels_of_unequal_length_are_refused() -> None:
    ways = path(np.full(10, 0.1), precision=STATED)
    with pytest.raises(ValueError, match="pool of 10"):
        certify_delivery(
            Outcomes(np.zeros(0), np.zeros(0, bool), np.zeros(0, bool)),
            ways,
            precision=STATED,
            floor=0.9,
            delta=0.05,
            planned=11,
        )
    with pytest.raises(ValueError, match="every label"):
        Outcomes(np.zeros(2), np.zeros(2, bool), np.zeros(1, bool))


def test_an_empty_pool_has_no_path() -> None:
    ways = path(np.zeros(0), precision=STATED)
    assert len(ways) == 0 and ways.photos == 0


@given(seed=st.integers(0, 10_000), planned=st.integers(1, 2000))
@settings(max_examples=40, deadline=None)
def test_the_walk_begins_where_the_floor_can_pass_or_not_at_all(seed: int, planned: int) -> None:
    ways: Path = path(np.random.default_rng(seed).beta(0.6, 2.0, 2500) / 2.0, precision=STATED)
    first = begin(ways, 0.9, 0.05, planned)
    if planned < 22:
        assert first is None  # not even right ones alone would prove .9
    if first is not None:
        mine = int(ways.share_machine[first] * planned)
        assert binom.cdf(0, mine, 0.1) <= 0.05
        assert first == 0 or ways.share_machine[first - 1] < ways.share_machine[first]


def test_a_model_surer_than_it_should_be_costs_coverage_and_not_everything() -> None:
    """Errors are five times as many as the doubts say: the walk ends early, and does not fail to begin."""
    rng = np.random.default_rng(9)
    doubt = rng.beta(0.6, 4.0, 20_000) / 5.0
    wrong = rng.random(20_000) < 5.0 * doubt
    agreed = np.where(wrong, rng.random(20_000) < 0.1, True)
    at = np.arange(2000)
    found = certify_delivery(
        Outcomes(doubt[at], wrong[at], agreed[at]),
        path(doubt, precision=STATED),
        precision=STATED,
        floor=0.9,
        delta=0.05,
        planned=2000,
    )
    assert found.machine is not None
    assert 0.1 < (doubt <= found.machine).mean() < 0.9


@pytest.mark.parametrize(
    "scenario", [second_reader.SCENARIO, delivered_set.SCENARIO], ids=lambda each: each.name
)
def test_in_simulation_it_is_violated_at_most_as_often_as_stated(scenario) -> None:
    """A few hundred projects here; two thousand in ``benchmarks.certify``."""
    found = scenario.simulate(np.random.default_rng(0), 120)
    bad, runs = int(found["after"].violated.sum()), 120
    assert bad <= 12, f"{bad} of {runs} at δ {scenario.delta}"
    assert found["before"].violated.mean() > found["after"].violated.mean()
    assert np.nanmean(found["after"].coverage) > 0
