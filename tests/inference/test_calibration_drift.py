"""The test of stated confidences: right as often as it says under calibration, awake where it is off."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

from inference.calibrate import ece
from inference.drift import calibration_test


def outcomes(rng: np.random.Generator, n: int, off: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    stated = rng.uniform(0.5, 1.0, n)
    return stated, rng.random(n) < np.clip(stated - off, 0, 1)


def test_a_calibrated_model_is_accused_no_more_often_than_stated() -> None:
    rng = np.random.default_rng(0)
    runs = 200
    p = np.array([calibration_test(*outcomes(rng, 80), seed=run).p_value for run in range(runs)])
    for level in (0.05, 0.2):
        assert (p <= level).sum() <= binom.ppf(0.999, runs, level)


@pytest.mark.parametrize("off", [0.2, -0.2])
def test_stating_too_much_and_too_little_are_both_noticed(off: float) -> None:
    rng = np.random.default_rng(1)
    found = calibration_test(*outcomes(rng, 200, off))
    assert found.p_value <= 0.005 and found.ece > found.chance
    assert np.sign(found.stated - found.right) == np.sign(off)


def test_errors_that_cancel_on_average_are_noticed_all_the_same() -> None:
    stated = np.repeat([0.55, 0.95], 100)
    right = np.tile(np.arange(100) < 75, 2)  # 75 % in both: too little stated here, too much there
    found = calibration_test(stated, right)
    assert abs(found.stated - found.right) < 1e-9
    assert found.p_value <= 0.005


def test_the_error_is_the_expected_calibration_error_and_drivers_are_the_surest_errors() -> None:
    rng = np.random.default_rng(2)
    stated, right = outcomes(rng, 120, 0.1)
    found = calibration_test(stated, right)
    proba = np.stack([stated, 1 - stated], axis=1)
    assert found.ece == pytest.approx(ece(proba, np.where(right, 0, 1)))
    wrong = np.flatnonzero(~right)
    assert list(found.drivers) == sorted(wrong, key=lambda i: -stated[i])[:12]


@pytest.mark.parametrize(
    ("stated", "right"), [([], []), ([0.5], [True, False]), ([1.2], [True]), ([np.nan], [True])]
)
def test_what_is_no_confidence_is_refused(stated: list[float], right: list[bool]) -> None:
    with pytest.raises(ValueError):
        calibration_test(np.array(stated), np.array(right, dtype=bool))
