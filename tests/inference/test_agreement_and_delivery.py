"""Two ways to earn more from each answer: the machine as second reader, and one promise over all that leaves."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, hypergeom

from benchmarks.certify.scenarios import delivered_set, second_reader
from inference.certify import Ladder, Sample, agreement, certify, ladder
from inference.certify.delivery import Outcomes, Path, begin, certify_delivery, mended, path

STATED = 0.95


def _sample(rng: np.random.Generator, n: int, wrong: float) -> tuple[Sample, np.ndarray]:
    """Labels that are wrong so often, and of which nine in ten agree where they are right, none where they are wrong."""
    right = rng.random(n) >= wrong
    return Sample(rng.random(n), right), right & (rng.random(n) < 0.9)


# --- the second reader ------------------------------------------------------------------------------------------------


def test_agreement_is_certified_where_the_machine_alone_is_not() -> None:
    rng = np.random.default_rng(1)
    sample, agrees = _sample(rng, 800, wrong=0.2)
    rungs = ladder(rng.random(5000))
    machine, agree = agreement.certify_both(
        {"a": sample}, {"a": agrees}, {"a": rungs}, precision=STATED, delta=0.05, planned={"a": 800}
    )
    assert machine["a"].certified is None
    assert agree["a"].coverage == 1.0
    innermost = agree["a"].steps[-1]
    assert innermost.n == (agrees & (sample.confidence >= innermost.threshold)).sum()


@given(seed=st.integers(0, 10_000), classes=st.integers(1, 3))
@settings(max_examples=25, deadline=None)
def test_both_kinds_of_walks_share_one_delta(seed: int, classes: int) -> None:
    rng = np.random.default_rng(seed)
    names = [str(number) for number in range(classes)]
    found = {name: _sample(rng, 150, wrong=rng.uniform(0, 0.2)) for name in names}
    both = agreement.together(
        {name: each[0] for name, each in found.items()},
        {name: each[1] for name, each in found.items()},
        {name: ladder(rng.random(500), bands=5) for name in names},
        dict.fromkeys(names, 150),
    )
    assert sum(both.shares.values()) == pytest.approx(1.0)
    for name in names:
        kept = both.samples[agreement.key("agreement", name)]
        sample, agrees = found[name]
        assert kept.confidence.tolist() == sample.confidence[agrees].tolist()  # in the order of the draw
        assert both.planned[agreement.key("agreement", name)] <= both.planned[agreement.key("machine", name)]


def test_without_a_share_for_agreement_the_machine_walks_as_ever() -> None:
    rng = np.random.default_rng(3)
    sample, agrees = _sample(rng, 400, wrong=0.01)
    rungs = ladder(rng.random(5000), out_of_fold=(rng.random(300), rng.random(300) > 0.02))
    told = {"precision": STATED, "delta": 0.05, "planned": {"a": 400}}
    machine, agree = agreement.certify_both({"a": sample}, {"a": agrees}, {"a": rungs}, share=0.0, **told)
    alone = certify({"a": sample}, {"a": rungs}, method="planned", **told)
    assert machine["a"].threshold == alone["a"].threshold is not None
    # What the machine's walk hands on when it has come to its end is all that agreement may spend then.
    assert agree["a"].certified is None or machine["a"].coverage == 1.0


def test_a_label_without_a_word_on_agreement_is_refused() -> None:
    rng = np.random.default_rng(4)
    sample, agrees = _sample(rng, 20, wrong=0.0)
    with pytest.raises(ValueError, match="first answer agreed"):
        agreement.agreeing(sample, agrees[:-1])
    with pytest.raises(ValueError, match="same classes"):
        agreement.together({"a": sample}, {}, {"a": Ladder(np.array([0.5]), np.array([1.0]))}, {"a": 20})
    with pytest.raises(ValueError, match="share of δ"):
        agreement.together(
            {"a": sample},
            {"a": agrees},
            {"a": Ladder(np.array([0.5]), np.array([1.0]))},
            {"a": 20},
            share=1.0,
        )


def test_labels_asked_for_by_band_keep_their_frame() -> None:
    sample = Sample(np.array([0.9, 0.8, 0.7]), np.ones(3, dtype=bool), frame=np.array([0.0, 0.5, 0.6]))
    kept = agreement.agreeing(sample, [True, False, True])
    assert kept.frame is not None and kept.frame.tolist() == [0.0, 0.6]


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
    counted_on = mended(5000, 1000, STATED, 0.045)
    assert 0 < counted_on <= rung.errors
    assert rung.p_value >= hypergeom.cdf(rung.errors, 5000, 251 + counted_on, 1000) > 0
    assert rung.p_value <= rung.level * (1 + 1e-9)
    machine = doubt <= rung.machine
    assert (rung.machine_errors, rung.machine_n) == ((wrong & machine)[drawn].sum(), machine[drawn].sum())
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
    assert late == due


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
