"""The exact binomial, the walk inward, and what δ is spent on."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from scipy.stats import beta, binom, binomtest

from inference.certify import (
    Ladder,
    Overspent,
    Sample,
    certify,
    clopper_pearson_lower,
    further_labels,
    labels_needed,
    ladder,
    next_share,
    p_value,
)
from inference.certify.betting import bet, ratios_for
from inference.certify.binomial import errors_allowed
from inference.certify.evidence import EARLY
from inference.certify.graph import chains, reject
from inference.certify.ladder import begin, hopes, starts
from inference.certify.walk import decide


@pytest.mark.parametrize(
    ("errors", "expected"), [(0, (59, 149, 299)), (1, (93, 236, 473))], ids=["no error", "one error"]
)
def test_labels_needed_are_those_of_the_table(errors: int, expected: tuple[int, ...]) -> None:
    assert tuple(labels_needed(p, 0.05, errors) for p in (0.95, 0.98, 0.99)) == expected


def test_bounds_and_p_values_are_scipys() -> None:
    rng = np.random.default_rng(0)
    for _ in range(200):
        n = int(rng.integers(1, 800))
        errors, stated, delta = int(rng.integers(0, n + 1)), rng.uniform(0.5, 0.999), rng.uniform(0.001, 0.3)
        test = binomtest(n - errors, n, stated, alternative="greater")
        assert p_value(errors, n, stated) == pytest.approx(test.pvalue, rel=1e-9, abs=1e-300)
        expected = test.proportion_ci(1 - delta, method="exact").low
        assert clopper_pearson_lower(errors, n, delta) == pytest.approx(expected, abs=1e-9)


def test_the_bound_reaches_the_stated_precision_exactly_where_the_test_passes() -> None:
    n, errors = (a.ravel() for a in np.meshgrid(np.arange(1, 400), np.arange(0, 20)))
    n, errors = n[errors <= n], errors[errors <= n]
    passes = p_value(errors, n, 0.95) <= 0.05
    assert passes.any() and not passes.all()
    np.testing.assert_array_equal(passes, clopper_pearson_lower(errors, n, 0.05) >= 0.95)


def test_the_bound_is_too_high_at_most_as_often_as_stated() -> None:
    for n, truth in ((60, 0.95), (149, 0.97), (700, 0.9)):
        errors = np.arange(n + 1)
        too_high = clopper_pearson_lower(errors, n, 0.05) > truth
        # Not simulated: the probability itself.
        assert binom.pmf(errors, n, 1 - truth)[too_high].sum() <= 0.05


def test_no_label_proves_nothing() -> None:
    assert p_value(0, 0, 0.95) == 1.0
    assert clopper_pearson_lower(0, 0, 0.05) == 0.0
    assert clopper_pearson_lower(5, 5, 0.05) == 0.0


@pytest.mark.parametrize("bad", [(-1, 5), (6, 5)])
def test_impossible_counts_are_refused(bad: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="between 0 and n"):
        p_value(*bad, 0.95)
    with pytest.raises(ValueError, match="between 0 and n"):
        clopper_pearson_lower(*bad, 0.05)


@pytest.mark.parametrize("level", [0.0, 1.0, -1.0, float("nan")])
def test_levels_outside_0_and_1_are_refused(level: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        p_value(0, 10, level)
    with pytest.raises(ValueError, match="between 0 and 1"):
        labels_needed(0.95, level)
    with pytest.raises(ValueError, match="between 0 and 1"):
        next_share(level)


def test_errors_allowed_are_the_most_that_pass() -> None:
    sizes = np.arange(0, 1200, 7)
    allowed = errors_allowed(sizes, 0.95, 0.05)
    for n, k in zip(sizes.tolist(), allowed.tolist(), strict=True):
        assert k < 0 or p_value(k, n, 0.95) <= 0.05
        assert k + 1 > n or p_value(k + 1, n, 0.95) > 0.05
    assert errors_allowed(58, 0.95, 0.05) == -1 and errors_allowed(59, 0.95, 0.05) == 0


def test_further_labels_without_errors_are_just_enough() -> None:
    for errors, n in ((0, 0), (0, 30), (1, 40), (4, 100)):
        more = further_labels(errors, n, 0.95, 0.05)
        assert more is not None
        assert p_value(errors, n + more, 0.95) <= 0.05 < p_value(errors, n + more - 1, 0.95)
    assert further_labels(0, 59, 0.95, 0.05) == 0


def test_a_rate_that_is_too_high_never_gets_there() -> None:
    assert further_labels(10, 100, 0.95, 0.05, rate="present") is None
    assert further_labels(0, 0, 0.95, 0.05, rate=0.05) is None
    few, many = (further_labels(k, 100, 0.95, 0.05, rate="present") for k in (2, 3))
    assert few is not None and many is not None and few < many


# -- graphs ----------------------------------------------------------------------------------------


def test_one_chain_is_the_fixed_sequence() -> None:
    weights, transitions = chains([[1.0, 0.0, 0.0, 0.0]])
    rejected, levels = reject([0.01, 0.04, 0.06, 0.001], weights, transitions, 0.05)
    assert rejected.tolist() == [True, True, False, False]
    assert levels.tolist() == pytest.approx([0.05, 0.05, 0.05, 0.0])


def test_a_threshold_that_fails_does_not_stop_those_that_begin_behind_it() -> None:
    weights, transitions = chains([[0.5, 0.0, 0.5, 0.0]])
    rejected, levels = reject([0.2, 0.001, 0.02, 0.02], weights, transitions, 0.05)
    assert rejected.tolist() == [False, False, True, True]
    assert levels.tolist() == pytest.approx([0.025, 0.0, 0.025, 0.025])
    # What falls outside is handed to where another one begins.
    rejected, levels = reject([0.02, 0.001, 0.04, 0.06], weights, transitions, 0.05)
    assert rejected.tolist() == [True, True, True, False]
    assert levels[2:].tolist() == pytest.approx([0.05, 0.05])


def test_a_class_that_is_done_hands_its_delta_to_the_others() -> None:
    weights, transitions = chains([[0.5, 0.0], [0.5, 0.0, 0.0]])
    alone, _ = reject([0.01, 0.03, 0.02, 0.04, 0.2], weights, transitions, 0.05)
    assert alone.tolist() == [True, False, True, False, False]
    helped, levels = reject([0.01, 0.02, 0.02, 0.04, 0.2], weights, transitions, 0.05)
    assert helped.tolist() == [True, True, True, True, False]
    assert levels[3] == pytest.approx(0.05)


def test_single_thresholds_give_holms_procedure() -> None:
    rng = np.random.default_rng(1)
    weights, transitions = chains([[1 / 3]] * 3)
    for _ in range(200):
        p = rng.uniform(0, 0.08, 3)
        order, holm = np.argsort(p), np.zeros(3, dtype=bool)
        for rank, i in enumerate(order):
            if p[i] > 0.05 / (3 - rank):
                break
            holm[i] = True
        np.testing.assert_array_equal(reject(p, weights, transitions, 0.05)[0], holm)


def test_shares_that_exceed_the_whole_are_refused() -> None:
    with pytest.raises(ValueError, match="shares"):
        reject([0.1, 0.1], [0.6, 0.6], np.zeros((2, 2)), 0.05)
    with pytest.raises(ValueError, match="itself"):
        reject([0.1], [1.0], [[1.0]], 0.05)


# -- ladders and where to begin --------------------------------------------------------------------


def test_a_ladder_has_equal_shares_of_the_pool_and_falls() -> None:
    rungs = ladder(np.random.default_rng(0).random(5000), bands=10)
    assert len(rungs) == 10 and (np.diff(rungs.thresholds) < 0).all()
    np.testing.assert_allclose(rungs.share, np.arange(1, 11) / 10, atol=1e-3)


def test_a_ladder_of_equal_confidences_has_one_rung_and_one_of_nothing_has_none() -> None:
    assert len(ladder(np.full(50, 0.7))) == 1
    assert len(ladder([])) == 0


def test_thresholds_that_rise_are_refused() -> None:
    with pytest.raises(ValueError, match="fall"):
        Ladder(np.array([0.5, 0.9]), np.array([0.1, 0.5]))


def test_the_walk_begins_where_a_sample_could_pass_with_some_errors() -> None:
    rungs = ladder(np.random.default_rng(0).random(5000))
    assert begin(rungs, 50, 0.95, 0.05) is None
    assert begin(rungs, 0, 0.95, 0.05) is None
    for labels in (80, 300, 1000, 5000):
        start = begin(rungs, labels, 0.95, 0.05)
        assert start is not None
        assert errors_allowed(int(rungs.share[start] * labels), 0.95, 0.05) >= 0
    few, many = begin(rungs, 300, 0.95, 0.05), begin(rungs, 5000, 0.95, 0.05)
    assert few is not None and many is not None and many < few


def test_hopes_move_the_start_to_where_the_region_is_good() -> None:
    confidence = np.random.default_rng(0).random(5000)
    even, worst_first = ladder(confidence), ladder(confidence)
    good_inside = Ladder(even.thresholds, even.share, np.where(even.share < 0.5, 0.93, 0.99))
    start = begin(good_inside, 1000, 0.95, 0.05)
    assert start is not None and good_inside.share[start] >= 0.5
    plain = begin(worst_first, 1000, 0.95, 0.05)
    assert plain is not None and plain < start


def test_hopes_count_what_lies_beyond_each_threshold() -> None:
    got = hopes([0.95, 0.9, 0.6, 0.55], [True, True, False, True], [0.8, 0.5, 0.99])
    np.testing.assert_allclose(got, [2.5 / 3, 3.5 / 5, 0.5])


# -- the walk --------------------------------------------------------------------------------------


def made(n: int, error: float, seed: int = 0, *, inner: float = 0.4) -> Sample:
    """Labels with ``error`` at confidences above .5 and ``inner`` below."""
    rng = np.random.default_rng(seed)
    confidence = rng.random(n)
    return Sample(confidence, rng.random(n) >= np.where(confidence > 0.5, error, inner))


# A pool without end.
RUNGS = Ladder(1.0 - np.arange(1, 21) / 20, np.arange(1, 21) / 20)


@pytest.mark.parametrize("method", ["exact", "anytime"])
def test_a_walk_certifies_the_good_half_and_stops_where_errors_begin(method: str) -> None:
    sample = made(3000, 0.01)
    walk = certify(
        {"a": sample},
        {"a": RUNGS},
        precision=0.95,
        delta=0.05,
        method=method,  # type: ignore[arg-type]
        planned={"a": 3000},
    )["a"]
    assert walk.threshold is not None and 0.4 <= walk.threshold <= 0.5
    assert 0.5 <= walk.coverage <= 0.6
    states = [step.state for step in walk.steps]
    assert walk.start is not None and walk.certified is not None
    assert set(states[: walk.start]) <= {"before the start"}
    # Four even starts: what the farthest one proves carries what lies outside of it.
    assert set(states[: walk.certified + 1]) <= {"before the start", "certified"}
    assert states[walk.certified] == "certified"
    assert states[walk.certified + 1] == "failed" and set(states[walk.certified + 2 :]) == {"not reached"}
    assert walk.next is walk.steps[walk.certified + 1]
    for step in walk.steps:
        inside = sample.confidence >= step.threshold
        assert (step.n, step.errors) == (inside.sum(), (inside & ~sample.correct).sum())
        assert (step.lower >= 0.95 - 1e-4) == (step.p_value <= step.level) or step.state == "before the start"
    assert sum(step.band_n for step in walk.steps) == 3000


def test_the_exact_walk_shows_clopper_pearson_bounds() -> None:
    walk = certify({"a": made(900, 0.01)}, {"a": RUNGS}, precision=0.95, delta=0.05, method="exact")["a"]
    step = walk.steps[9]
    assert step.lower == pytest.approx(beta.ppf(0.05, step.n - step.errors, step.errors + 1))


def test_a_region_that_would_pass_behind_one_that_fails_is_not_certified() -> None:
    # Twenty errors at the very extreme, and none anywhere else; too few labels for more than one start.
    confidence = np.linspace(1, 0, 900, endpoint=False)
    correct = np.arange(900) >= 20
    walk = certify(
        {"a": Sample(confidence, correct)}, {"a": RUNGS}, precision=0.95, delta=0.05, method="exact"
    )["a"]
    assert walk.certified is None
    assert walk.steps[-1].p_value < 1e-4 and walk.steps[-1].state == "not reached"
    assert walk.next is not None and walk.next.more_without_errors not in (None, 0)


@pytest.mark.parametrize("method", ["exact", "anytime", "planned"])
def test_the_labels_that_the_next_band_needs_do_certify_it(method: str) -> None:
    # All right, so further right ones keep the present rate at nought.
    n = 64
    sample = Sample(np.linspace(1, 0, n, endpoint=False), np.ones(n, dtype=bool))
    rungs = Ladder(np.array([0.0]), np.array([1.0]))
    asked = {"precision": 0.98, "delta": 0.05, "method": method, "planned": {"a": 200}}
    step = certify({"a": sample}, {"a": rungs}, **asked)["a"].steps[0]  # type: ignore[arg-type]
    assert step.state == "failed" and step.more_without_errors is not None
    for more, expected in ((step.more_without_errors, 0), (step.more_without_errors - 1, None)):
        longer = Sample(np.ones(n + more), np.ones(n + more, dtype=bool))
        assert certify({"a": longer}, {"a": rungs}, **asked)["a"].certified == expected  # type: ignore[arg-type]


@pytest.mark.parametrize("method", ["exact", "anytime"])
def test_classes_without_labels_and_without_a_pool_certify_nothing(method: str) -> None:
    nothing = Sample(np.zeros(0), np.zeros(0, dtype=bool))
    walks = certify(
        {"a": nothing, "b": nothing, "c": made(500, 0.0)},
        {"a": RUNGS, "b": ladder([]), "c": RUNGS},
        precision=0.95,
        delta=0.05,
        method=method,  # type: ignore[arg-type]
        planned={"a": 500, "b": 0, "c": 500},
    )
    assert walks["a"].certified is None and walks["b"].steps == ()
    assert walks["a"].next is not None and walks["b"].next is None
    assert walks["c"].certified is not None
    assert certify({}, {}, precision=0.95, delta=0.05) == {}


def test_all_wrong_certifies_nothing_and_no_number_of_labels_would() -> None:
    wrong = Sample(np.random.default_rng(0).random(400), np.zeros(400, dtype=bool))
    walk = certify({"a": wrong}, {"a": RUNGS}, precision=0.95, delta=0.05, planned={"a": 400})["a"]
    assert walk.certified is None and walk.next is not None
    assert walk.next.more_at_present_rate is None


def test_looking_at_any_time_needs_a_plan() -> None:
    with pytest.raises(ValueError, match="planned"):
        certify({"a": made(100, 0.0)}, {"a": RUNGS}, precision=0.95, delta=0.05)


def test_samples_of_other_classes_than_the_ladders_are_refused() -> None:
    with pytest.raises(ValueError, match="same classes"):
        certify({"a": made(10, 0.0)}, {"b": RUNGS}, precision=0.95, delta=0.05, method="exact")
    with pytest.raises(ValueError, match="confidence"):
        Sample(np.zeros(3), np.zeros(2, dtype=bool))


def test_a_walk_is_plain_json() -> None:
    import json

    walk = certify({"a": made(300, 0.01)}, {"a": RUNGS}, precision=0.95, delta=0.05, method="exact")["a"]
    assert json.loads(json.dumps(walk.as_json()))["threshold"] == walk.threshold


def test_more_labels_never_take_a_certificate_back() -> None:
    rng = np.random.default_rng(3)
    confidence = rng.random(1500)
    sample = Sample(confidence, rng.random(1500) >= 0.07 * (1 - confidence))
    found = []
    for n in range(50, 1501, 25):
        part = Sample(sample.confidence[:n], sample.correct[:n])
        now = decide({"a": part}, {"a": RUNGS}, precision=0.95, delta=0.05, planned={"a": 1500})[
            "a"
        ].certified
        found.append(-1 if now is None else now)
    assert found == sorted(found)
    # It came, and it grew.
    assert found[0] == -1 and len(set(found)) > 2


def test_labels_drawn_for_one_region_count_there_and_outside_it_but_not_farther_inward() -> None:
    rng = np.random.default_rng(4)
    even, asked = rng.random(300), rng.uniform(0.6, 1.0, 200)
    confidence = np.r_[even, asked]
    frame = np.r_[np.zeros(300), np.full(200, 0.6)]
    sample = Sample(confidence, np.ones(500, dtype=bool), frame=frame)
    rungs = Ladder(np.array([0.8, 0.6, 0.4, 0.0]), np.array([0.2, 0.4, 0.6, 1.0]))
    walk = certify({"a": sample}, {"a": rungs}, precision=0.95, delta=0.05, planned={"a": 300})["a"]
    assert [step.n for step in walk.steps] == [
        int((confidence >= 0.8).sum()),
        int((even >= 0.6).sum()) + 200,
        int((even >= 0.4).sum()),
        300,
    ]
    assert [step.band_n for step in walk.steps][2] == int(((even >= 0.4) & (even < 0.6)).sum())


def test_frames_are_refused_where_they_would_void_the_bound() -> None:
    sample = Sample(np.ones(3), np.ones(3, dtype=bool), frame=np.zeros(3))
    with pytest.raises(ValueError, match="anytime"):
        certify({"a": sample}, {"a": RUNGS}, precision=0.95, delta=0.05, method="exact")
    with pytest.raises(ValueError, match="outside the region"):
        Sample(np.zeros(3), np.ones(3, dtype=bool), frame=np.ones(3))
    with pytest.raises(ValueError, match="or none"):
        Sample(np.ones(3), np.ones(3, dtype=bool), photo=np.zeros(2, dtype=int))


def test_a_photo_that_was_drawn_twice_counts_once_in_each_region() -> None:
    # Photo 7 was asked for from the outer region first, and then drawn from the whole class.
    confidence = np.array([0.9, 0.3, 0.9])
    sample = Sample(confidence, np.ones(3, dtype=bool), np.array([0.8, 0.0, 0.0]), np.array([7, 8, 7]))
    rungs = Ladder(np.array([0.8, 0.0]), np.array([0.2, 1.0]))
    walk = certify({"a": sample}, {"a": rungs}, precision=0.95, delta=0.05, planned={"a": 3})["a"]
    assert [step.n for step in walk.steps] == [1, 2] and walk.labels == 2


def test_with_hopes_all_hopeful_thresholds_share_delta_and_the_best_gets_most() -> None:
    share = np.linspace(0.1, 1.0, 10)
    hopeful = Ladder(1.0 - share, share, 1.0 - 0.1 * share)
    found = starts(hopeful, 1000, 0.95, 0.05)
    assert found.sum() == pytest.approx(1.0)
    assert found.argmax() == begin(hopeful, 1000, 0.95, 0.05)
    assert found.max() > 0.5 and (found > 0.01).sum() > 2
    # Hardly anything where hopes are poor.
    assert found[-1] < 0.01
    assert not starts(hopeful, 10, 0.95, 0.05).any()


def test_without_hopes_four_even_starts_share_delta_where_labels_are_many() -> None:
    share = np.linspace(0.1, 1.0, 10)
    rungs = Ladder(1.0 - share, share)
    assert starts(rungs, 999, 0.95, 0.05).max() == 1.0
    many = starts(rungs, 2000, 0.95, 0.05)
    assert many[many > 0].tolist() == [0.25] * 4
    assert many[-1] > 0 and np.ptp(np.diff(np.flatnonzero(many))) <= 1
    # A small class's few regions that could pass are fewer than four.
    two = starts(Ladder(np.array([0.5, 0.0]), np.array([0.5, 1.0])), 2000, 0.95, 0.05)
    assert two.tolist() == [0.5, 0.5]


def test_one_unlucky_start_without_hopes_does_not_block_the_class() -> None:
    """Thirty errors at the very extreme, and none elsewhere."""
    confidence = np.linspace(1, 0, 2000, endpoint=False)
    sample = Sample(confidence, np.arange(2000) >= 30)
    told = {"precision": 0.95, "delta": 0.05, "method": "planned", "planned": {"a": 2000}}
    walk = certify({"a": sample}, {"a": RUNGS}, **told)["a"]  # type: ignore[arg-type]
    assert walk.coverage == 1.0


def test_a_start_that_fails_by_bad_hopes_does_not_block_the_class() -> None:
    share = np.array([0.25, 0.5, 0.75, 1.0])
    # Hoped to be best where the errors are: thirty of them at the extreme.
    rungs = Ladder(1.0 - share, share, np.array([0.999, 0.99, 0.985, 0.98]))
    confidence = np.linspace(1, 0, 2000, endpoint=False)
    sample = Sample(confidence, np.arange(2000) >= 30)
    walk = certify({"a": sample}, {"a": rungs}, precision=0.95, delta=0.05, planned={"a": 2000})["a"]
    assert walk.steps[0].state == "before the start" and walk.steps[0].p_value > 0.05
    assert walk.certified == 3


# -- the planned look ------------------------------------------------------------------------------


def test_the_exact_look_comes_once_at_the_planned_number_of_even_labels() -> None:
    rungs = Ladder(np.array([0.0]), np.array([1.0]))
    right = np.ones(130, dtype=bool)
    right[100] = False
    asked = {"precision": 0.97, "delta": 0.05, "method": "planned", "planned": {"a": 110}}

    def p(n: int, **extra: Any) -> float:
        sample = Sample(np.full(n, 0.5), right[:n], **extra)
        return certify({"a": sample}, {"a": rungs}, **asked)["a"].steps[0].p_value  # type: ignore[arg-type]

    early, due, later = p(100), p(110), p(130)
    assert early == pytest.approx(min(1.0, bet_p(right[:100], 110) / EARLY))
    assert due == pytest.approx(min(float(p_value(1, 110, 0.97)) / (1 - EARLY), early))
    # Labels beyond the plan are for the bets: the exact look is not taken again.
    assert later == pytest.approx(min(due, bet_p(right, 110) / EARLY))


def bet_p(right: npt.NDArray[np.bool_], planned: int) -> float:
    return bet(~right, 0.97, ratios=ratios_for(planned, 0.97, 0.05 * EARLY)).p_value


def test_labels_that_were_asked_for_by_band_take_no_part_in_the_exact_look() -> None:
    rungs = Ladder(np.array([0.4, 0.0]), np.array([0.5, 1.0]))
    n = 200
    asked = Sample(np.full(n, 0.5), np.ones(n, dtype=bool), frame=np.full(n, 0.4))
    step = certify(
        {"a": asked}, {"a": rungs}, precision=0.97, delta=0.05, method="planned", planned={"a": 100}
    )["a"].steps[0]
    assert step.p_value == pytest.approx(bet_p(np.ones(n, dtype=bool), 50) / EARLY)


# -- the ledger ------------------------------------------------------------------------------------


def test_uses_of_the_same_labels_never_spend_more_than_delta() -> None:
    spent: list[float] = []
    for _use in range(1000):
        spent.append(next_share(0.05, spent))
    assert spent[:3] == pytest.approx([0.04, 0.005, 0.05 / 30])
    assert sum(spent) == pytest.approx(0.05, rel=2e-3) and sum(spent) <= 0.05


def test_a_wish_for_less_delta_than_is_spent_is_refused() -> None:
    assert next_share(0.05, [0.04]) == pytest.approx(0.005)
    assert next_share(0.045, [0.04]) == pytest.approx(0.0045)
    with pytest.raises(Overspent, match="spent"):
        next_share(0.02, [0.04])
