"""Two-sample tests: right under no drift, awake under one, and pointing at the photos that drive it."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.stats import binom, fisher_exact, ks_2samp

from inference.drift import (
    Photos,
    balance_drift,
    compare,
    embedding_drift,
    level_of,
    score_drift,
    value_drift,
)
from inference.drift.result import holm
from inference.photo import quality


def cloud(rng: np.random.Generator, n: int, d: int = 20, shift: float = 0.0) -> np.ndarray:
    return (rng.normal(size=(n, d)) * np.linspace(0.1, 3, d) + shift).astype(np.float32)


def tolerated(runs: int, rate: float) -> int:
    return int(binom.ppf(0.999, runs, rate))


def test_photos_of_the_same_kind_are_told_apart_no_more_often_than_stated() -> None:
    rng = np.random.default_rng(0)
    runs = 150
    p = np.array([embedding_drift(cloud(rng, 60), cloud(rng, 30), seed=s).p_value for s in range(runs)])
    assert (p <= 0.1).sum() <= tolerated(runs, 0.1)


def test_a_shift_in_one_direction_is_noticed_and_its_photos_are_named() -> None:
    rng = np.random.default_rng(1)
    reference, window = cloud(rng, 300), cloud(rng, 80)
    moved = np.arange(0, 80, 4)
    window[moved] += 4.0
    found = embedding_drift(reference, window)
    assert found.p_value < 0.01 and found.statistic > 0.55
    assert set(found.drivers) <= set(moved.tolist())


def test_the_order_of_the_reference_changes_little_and_the_same_seed_nothing() -> None:
    rng = np.random.default_rng(2)
    reference, window = cloud(rng, 200), cloud(rng, 60, shift=0.5)
    assert embedding_drift(reference, window, seed=3) == embedding_drift(reference, window, seed=3)
    assert embedding_drift(reference[::-1], window, seed=3).p_value < 1e-3


def test_too_few_or_constant_photos_speak_against_nothing() -> None:
    rng = np.random.default_rng(3)
    assert embedding_drift(cloud(rng, 100), cloud(rng, 3, shift=9)).p_value == 1.0
    assert embedding_drift(np.ones((50, 4), np.float32), np.ones((50, 4), np.float32)).p_value == 1.0
    assert value_drift([], [1.0], name="x").p_value == 1.0
    assert value_drift([np.nan, 1.0], [np.nan], name="x").p_value == 1.0
    assert balance_drift([], ["a"]).p_value == 1.0
    assert balance_drift(["a"] * 9, ["a"] * 5).p_value == 1.0


def test_matrices_that_do_not_fit_are_refused() -> None:
    rng = np.random.default_rng(4)
    with pytest.raises(ValueError, match="same number of channels"):
        embedding_drift(cloud(rng, 20, 5), cloud(rng, 20, 6))
    with pytest.raises(ValueError, match="finite"):
        embedding_drift(np.full((20, 3), np.nan, np.float32), cloud(rng, 20, 3))
    with pytest.raises(ValueError, match="same classes"):
        score_drift(np.ones((5, 2)), np.ones((5, 3)))


def test_single_numbers_are_compared_as_scipy_does_and_drivers_lie_on_the_crowded_side() -> None:
    rng = np.random.default_rng(5)
    reference, window = rng.normal(100, 10, 200), rng.normal(90, 10, 60)
    window[7] = np.nan
    found = value_drift(reference, window, name="brightness")
    assert found.p_value == pytest.approx(ks_2samp(reference, np.delete(window, 7)).pvalue)
    assert found.n_window == 59 and 7 not in found.drivers
    assert (window[list(found.drivers)] < 95).all()
    assert found.drivers[0] == int(np.nanargmin(window))
    brighter = value_drift(reference, rng.normal(110, 10, 60), name="brightness")
    assert brighter.p_value < 1e-4 and brighter.drivers


def test_scores_of_two_classes_are_one_comparison_and_of_more_pay_for_each() -> None:
    rng = np.random.default_rng(6)
    a, b = rng.beta(2, 5, 200), rng.beta(5, 2, 60)
    two = score_drift(np.c_[1 - a, a], np.c_[1 - b, b])
    assert two.p_value == pytest.approx(ks_2samp(a, b).pvalue)
    three = score_drift(np.c_[a, (1 - a) / 2, (1 - a) / 2], np.c_[b, (1 - b) / 2, (1 - b) / 2])
    assert three.p_value == pytest.approx(min(1.0, 3 * ks_2samp(a, b).pvalue))


def test_the_balance_of_two_classes_is_fishers_test() -> None:
    reference, window = ["ok"] * 80 + ["bad"] * 20, ["ok"] * 20 + ["bad"] * 20
    found = balance_drift(reference, window)
    assert found.p_value == pytest.approx(fisher_exact([[20, 80], [20, 20]]).pvalue)
    assert found.statistic == pytest.approx(0.3)
    assert found.drivers == tuple(range(39, 27, -1))


def test_rare_classes_keep_their_promise_and_a_new_class_is_noticed() -> None:
    rng = np.random.default_rng(7)
    names = ["a", "b", "c", "d"]
    shares = [0.9, 0.06, 0.03, 0.01]
    p = [
        balance_drift(
            rng.choice(names, 100, p=shares).tolist(), rng.choice(names, 30, p=shares).tolist()
        ).p_value
        for _ in range(200)
    ]
    assert (np.array(p) <= 0.1).sum() <= tolerated(200, 0.1)
    new = balance_drift(["a"] * 90 + ["b"] * 10, ["a"] * 20 + ["e"] * 10)
    assert new.p_value < 0.01 and set(new.drivers) <= set(range(20, 30))


def test_sharpness_falls_with_blur_and_brightness_with_light() -> None:
    rng = np.random.default_rng(8)
    photo = rng.integers(0, 200, (40, 50), dtype=np.uint8)
    blurred = ((photo[:-1].astype(int) + photo[1:]) // 2).astype(np.uint8)
    assert quality.measure(blurred)[2] < quality.measure(photo)[2] / 2
    assert quality.measure(photo // 2)[0] == pytest.approx(quality.measure(photo)[0] / 2, rel=0.01)
    assert quality.measure(np.full((2, 2), 7, np.uint8)) == (7.0, 0.0, 0.0)


def test_holms_adjustment_is_monotone_and_exact() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([]) == [] and holm([0.9, 0.9]) == [1.0, 1.0]


def known(rng: np.random.Generator, n: int, *, dark: float = 0.0) -> Photos:
    score = rng.random(n)
    return Photos(
        embeddings=cloud(rng, n),
        scores=np.c_[1 - score, score],
        classes=["bad" if s > 0.7 else "ok" for s in score],
        quality={"brightness": rng.normal(100 - dark, 10, n), "sharpness": rng.normal(50, 5, n)},
    )


def test_a_window_is_tested_in_all_that_both_sides_have() -> None:
    rng = np.random.default_rng(9)
    report = compare(known(rng, 300), known(rng, 100, dark=15), level=0.01)
    assert report.alarm and report.findings[0].drift.name == "brightness"
    assert [f.drift.name for f in report.findings if f.alarm] == ["brightness"]
    assert {f.drift.name for f in report.findings} == {
        "embeddings", "scores", "class balance", "brightness", "sharpness",
    }  # fmt: skip
    assert json.loads(json.dumps(report.as_json()))["findings"][0]["alarm"] is True
    nothing = compare(known(rng, 100), Photos(), level=0.01)
    assert nothing.findings == () and not nothing.alarm


def test_windows_without_drift_give_false_alarms_no_more_often_than_stated() -> None:
    rng = np.random.default_rng(10)
    reference, runs = known(rng, 150), 100
    alarms = sum(compare(reference, known(rng, 60), level=0.1, seed=s).alarm for s in range(runs))
    assert alarms <= tolerated(runs, 0.1)


def test_levels_of_all_looks_sum_to_alpha_where_none_may_ever_be_false() -> None:
    levels = [level_of(k, 0.05, "ever") for k in range(1, 100_000)]
    assert 0.046 < sum(levels) < 0.05 and levels == sorted(levels, reverse=True)
    assert level_of(1, 0.05) == level_of(1000, 0.05) == 0.05
    with pytest.raises(ValueError, match="counted from 1"):
        level_of(0, 0.05)
    with pytest.raises(ValueError, match="alpha"):
        level_of(1, 1.5)
