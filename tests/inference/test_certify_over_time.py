"""Bounds that hold at every look: their probability of ever being wrong, by simulation with fixed seeds."""

from __future__ import annotations

import json

import numpy as np
import numpy.typing as npt
import pytest
from scipy.stats import binom

from inference.certify import Ladder, PrecisionMonitor, Sample, p_value
from inference.certify.betting import (
    RATIOS,
    anytime_lower,
    bet,
    further_labels_anytime,
    ratios_for,
)
from inference.certify.monitor import running_interval
from inference.certify.walk import decide


def tolerated(runs: int, rate: float) -> int:
    """So many of ``runs`` are exceeded once in a thousand if each happens with ``rate``."""
    return int(binom.ppf(0.999, runs, rate))


def log_wealth(losses: npt.ArrayLike, precision: float) -> npt.NDArray[np.float64]:
    """As the docstring of ``betting`` has it: after each label (n,), step by step."""
    x, missed = np.asarray(losses), 1.0 - precision
    steps = np.log1p(np.outer((missed - x) / (1.0 - missed), 1.0 - RATIOS))
    return np.asarray(np.logaddexp.reduce(np.cumsum(steps, axis=0), axis=1) - np.log(len(RATIOS)))


# -- betting ---------------------------------------------------------------------------------------


def test_the_wealth_is_the_likelihood_ratio_mixed_over_the_grid() -> None:
    x = (np.random.default_rng(0).random(300) < 0.02).astype(float)
    errors, rights = x.sum(), (1 - x).sum()
    ratios = RATIOS**errors * ((1 - RATIOS * 0.05) / 0.95) ** rights
    assert bet(x, 0.95).log_now == pytest.approx(np.log(ratios.mean()))


def test_the_peak_is_found_without_looking_everywhere() -> None:
    rng = np.random.default_rng(1)
    for rate in (0.0, 0.01, 0.05, 0.5, 1.0):
        x = (rng.random(200) < rate) * rng.uniform(0.5, 1.0, 200)
        path, found = log_wealth(x, 0.9), bet(x, 0.9)
        assert found.log_now == pytest.approx(path[-1])
        assert found.log_best == pytest.approx(max(path.max(), 0.0))
        assert found.best_at == (path.argmax() + 1 if path.max() > 0 else 0)


def test_a_bet_on_nothing_wins_nothing() -> None:
    assert bet([], 0.95).p_value == 1.0
    assert anytime_lower([], 0.05) == 0.0


def test_losses_that_the_bound_does_not_allow_are_refused() -> None:
    for loss in (2.0, -0.1):
        with pytest.raises(ValueError, match="outside"):
            bet([loss], 0.95)


def test_looking_after_every_label_certifies_a_precision_just_too_low_no_more_often_than_stated() -> None:
    rng = np.random.default_rng(2)
    runs, n, delta = 1500, 1500, 0.05
    plan = ratios_for(n, 0.95, delta)
    wrong = 0
    naive = 0
    for _ in range(runs):
        x = rng.random(n) < 0.0501
        wrong += bet(x, 0.95, ratios=plan).p_value <= delta
        sizes = np.arange(59, n + 1)
        naive += bool((p_value(np.cumsum(x)[sizes - 1], sizes, 0.95) <= delta).any())
    assert wrong <= tolerated(runs, delta)
    # The exact test, looked at every time, is what this protects from.
    assert naive > 2 * tolerated(runs, delta)


def test_the_anytime_bound_is_where_the_wealth_just_refutes() -> None:
    x = np.random.default_rng(4).random(800) < 0.02
    lower = anytime_lower(x, 0.05)
    assert 0.95 < lower < 0.98
    assert bet(x, lower - 1e-4).p_value <= 0.05 < bet(x, lower + 1e-4).p_value


def test_further_labels_at_any_time_are_just_enough() -> None:
    x = np.r_[np.zeros(30), 1.0, np.zeros(20)]
    more = further_labels_anytime(1, 51, 0.95, 0.05)
    assert more is not None
    assert bet(np.r_[x, np.zeros(more)], 0.95).p_value <= 0.05
    assert bet(np.r_[x, np.zeros(more - 1)], 0.95).p_value > 0.05
    assert further_labels_anytime(10, 50, 0.95, 0.05, rate="present") is None


# -- the whole walk, boundary cases ----------------------------------------------------------------


@pytest.mark.parametrize("kind", ["everywhere", "from the middle on", "at the extreme"])
@pytest.mark.parametrize("method", ["anytime", "exact", "planned"])
@pytest.mark.parametrize("hopeful", [False, True])
def test_walks_over_regions_just_too_bad_are_wrong_no_more_often_than_stated(
    kind: str, method: str, hopeful: bool
) -> None:
    rng = np.random.default_rng(5)
    bands, n, runs, delta = 10, 600, 400, 0.1
    share = np.arange(1, bands + 1) / bands
    cumulative = {
        "everywhere": np.full(bands, 0.1005),
        "from the middle on": np.where(share < 0.45, 0.03, 0.1005),
        "at the extreme": np.r_[0.1005, 0.1005, np.linspace(0.08, 0.1005, bands - 2)],
    }[kind]
    rates = np.diff(cumulative * share, prepend=0.0) * bands
    # Hopes, right or wrong, only say how δ is laid out over the starts.
    rungs = Ladder(1.0 - share, share, 1.0 - 0.06 * share if hopeful else None)
    wrong = 0
    for _ in range(runs):
        confidence = rng.random(n)
        band = np.minimum(((1 - confidence) * bands).astype(int), bands - 1)
        sample = Sample(confidence, rng.random(n) >= rates[band])
        found = decide(
            {"a": sample},
            {"a": rungs},
            precision=0.9,
            delta=delta,
            method=method,  # type: ignore[arg-type]
            planned={"a": n},
        )["a"]
        wrong += found.certified is not None and cumulative[found.certified] > 0.1
    assert wrong <= tolerated(runs, delta)


def test_asking_for_the_labels_that_the_next_region_lacks_keeps_the_promise() -> None:
    rng = np.random.default_rng(11)
    share = np.array([0.25, 0.5, 0.75, 1.0])
    # Just too many errors from the second region on.
    cumulative = np.array([0.04, 0.1005, 0.1005, 0.1005])
    rates = np.diff(cumulative * share, prepend=0.0) * 4
    rungs = Ladder(1.0 - share, share)
    runs, wrong, grown = 300, 0, 0
    for _ in range(runs):
        confidence, correct, frame = np.zeros(0), np.zeros(0, dtype=bool), np.zeros(0)
        edge, certified = 0.0, []
        for _ in range(6):
            more = edge + (1.0 - edge) * rng.random(100)
            band = np.minimum(((1 - more) * 4).astype(int), 3)
            confidence = np.r_[confidence, more]
            correct = np.r_[correct, rng.random(100) >= rates[band]]
            frame = np.r_[frame, np.full(100, edge)]
            sample = Sample(confidence, correct, frame=frame)
            found = decide({"a": sample}, {"a": rungs}, precision=0.9, delta=0.1, planned={"a": 600})["a"]
            certified.append(-1 if found.certified is None else found.certified)
            # All further labels from the first region that is not certified.
            edge = float(rungs.thresholds[min(max(certified[-1] + 1, found.start or 0), 3)])
        grown += certified[-1] >= 0
        wrong += certified[-1] >= 1
    assert grown > runs / 3
    assert wrong <= tolerated(runs, 0.1)


def test_a_planned_look_is_worth_labels_and_keeps_the_promise_with_looks_at_all_times() -> None:
    rng = np.random.default_rng(13)
    runs, n, rungs = 400, 800, Ladder(np.array([0.0]), np.array([1.0]))
    found = {"anytime": 0, "planned": 0}
    wrong = 0
    for _ in range(runs):
        for rate, count in ((0.1002, False), (0.076, True)):
            sample = Sample(np.full(n, 0.5), rng.random(n) >= rate)
            for method in ("anytime", "planned"):
                issued = (
                    decide(
                        {"a": sample},
                        {"a": rungs},
                        precision=0.9,
                        delta=0.1,
                        method=method,  # type: ignore[arg-type]
                        planned={"a": 700},
                    )["a"].certified
                    is not None
                )
                if count:
                    found[method] += issued
                elif method == "planned":
                    wrong += issued
    assert wrong <= tolerated(runs, 0.1)
    assert found["planned"] > found["anytime"] + runs / 50


# -- the monitor -----------------------------------------------------------------------------------


def test_a_monitor_of_decisions_just_good_enough_hardly_ever_gives_a_false_alarm() -> None:
    rng = np.random.default_rng(6)
    runs, alarms = 200, 0
    for _ in range(runs):
        monitor = PrecisionMonitor(0.95, alpha=0.1)
        alarms += monitor.update_many(rng.random(1500) >= 0.05)
    assert alarms <= tolerated(runs, 0.1)


def test_a_monitor_notices_a_fall_long_after_it_began() -> None:
    for seed in range(5):
        rng = np.random.default_rng(seed)
        monitor = PrecisionMonitor(0.95)
        assert not monitor.update_many(rng.random(3000) >= 0.02)
        assert monitor.update_many(rng.random(400) >= 0.25)
        assert monitor.alarmed_at is not None and 3000 < monitor.alarmed_at <= 3250
        assert monitor.p_value <= 0.05


def test_an_alarm_stays() -> None:
    monitor = PrecisionMonitor(0.95)
    monitor.update_many([False] * 10)
    at = monitor.alarmed_at
    assert at is not None and at <= 10
    assert monitor.update_many([True] * 500)
    assert monitor.alarmed_at == at


def test_a_monitor_goes_on_from_json_to_the_last_bit() -> None:
    answers = np.random.default_rng(7).random(400) >= 0.08
    whole, part = PrecisionMonitor(0.95), PrecisionMonitor(0.95)
    whole.update_many(answers)
    for answer in answers:
        part = PrecisionMonitor.from_json(json.loads(json.dumps(part.as_json(), allow_nan=False)))
        part.update(bool(answer))
    assert part.as_json() == whole.as_json()
    assert (part.n, part.errors) == (400, int((~answers).sum()))


def test_a_state_of_other_bets_is_refused() -> None:
    state = PrecisionMonitor(0.95).as_json()
    state["log_staked"] = state["log_staked"][:-1]
    with pytest.raises(ValueError, match="another version"):
        PrecisionMonitor.from_json(state)


@pytest.mark.parametrize("stated", [0.05, 0.5, 0.9999])
def test_a_monitor_works_for_any_stated_precision(stated: float) -> None:
    monitor = PrecisionMonitor(stated)
    assert monitor.update_many([False] * 2000)
    assert not PrecisionMonitor(stated).update_many([True] * 2000)


def test_the_interval_holds_at_all_times_together_for_a_precision_that_drifts() -> None:
    rng = np.random.default_rng(8)
    runs, n, missed = 200, 600, 0
    rates = np.r_[np.full(200, 0.01), np.linspace(0.01, 0.2, 400)]
    running = 1 - np.cumsum(rates) / np.arange(1, n + 1)
    looks = np.unique(np.geomspace(5, n, 25).astype(int))
    for _ in range(runs):
        errors = np.cumsum(rng.random(n) < rates)
        bounds = [running_interval(int(errors[look - 1]), int(look), 0.9) for look in looks]
        missed += any(
            not low <= running[look - 1] <= high for (low, high), look in zip(bounds, looks, strict=True)
        )
    assert missed <= tolerated(runs, 0.1)


def test_the_interval_narrows_and_knows_nothing_at_first() -> None:
    monitor = PrecisionMonitor(0.95)
    assert monitor.precision_interval() == (0.0, 1.0)
    widths = []
    for n in (20, 200, 2000):
        low, high = running_interval(n // 20, n, 0.95)
        assert low < 0.95 < high
        widths.append(high - low)
    assert widths[0] > widths[1] > widths[2] and widths[2] < 0.04
    assert running_interval(30, 30, 0.95)[0] == 0.0 and running_interval(0, 30, 0.95)[1] == 1.0
