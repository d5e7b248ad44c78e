"""What the watch rests on: open answers, other wishes and moments of risk raise no false alarm, and hide no fall."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from inference.certify import PrecisionMonitor
from inference.certify.monitor import running_interval


def wealth(
    answers: Sequence[bool | None], stated: Sequence[float], risks: Collection[int] = ()
) -> list[float]:
    """Log of the wealth after each game."""
    monitor, found = PrecisionMonitor(0.95), []
    for number, (answer, each) in enumerate(zip(answers, stated, strict=True)):
        monitor.update(answer, stated=each, risk=number in risks)
        found.append(monitor.log_e_value)
    return found


GAMES = st.lists(
    st.tuples(
        st.sampled_from([True, False, None]), st.sampled_from([0.3, 0.5, 0.9, 0.95, 0.999]), st.booleans()
    ),
    min_size=1,
    max_size=40,
)


@given(GAMES)
def test_an_open_audit_taken_as_right_leaves_at_no_time_more_wealth_than_any_answer(
    games: list[tuple[bool | None, float, bool]],
) -> None:
    answers, stated, still_open = zip(*games, strict=True)
    seen = [True if is_open else answer for answer, is_open in zip(answers, still_open, strict=True)]
    for now, then in zip(wealth(seen, stated, {3, 9}), wealth(answers, stated, {3, 9}), strict=True):
        assert now <= then + 1e-9


@given(GAMES, st.floats(0.01, 0.99))
def test_a_stricter_wish_over_the_same_audits_never_leaves_less_wealth(
    games: list[tuple[bool | None, float, bool]], part: float
) -> None:
    answers = [answer for answer, _stated, _open in games]
    stated = [each for _answer, each, _open in games]
    stricter = [each + (1 - each) * part for each in stated]
    for loose, strict in zip(wealth(answers, stated), wealth(answers, stricter), strict=True):
        assert loose <= strict + 1e-9


def test_a_wish_changed_in_between_forgets_no_error() -> None:
    rng = np.random.default_rng(9)
    answers = (rng.random(400) >= 0.12).tolist()
    changed = [0.95 if number < 200 else 0.9501 for number in range(400)]
    same, other = wealth(answers, [0.95] * 400), wealth(answers, changed)
    assert same[-1] > 3.0
    assert same[199] == other[199] and same[-1] <= other[-1] < same[-1] + 0.1


def test_a_varying_stated_precision_and_moments_of_risk_raise_no_more_false_alarms() -> None:
    rng = np.random.default_rng(10)
    runs, alarms = 120, 0
    for _ in range(runs):
        monitor = PrecisionMonitor(0.95, alpha=0.1)
        for number in range(600):
            stated = 0.95 if number % 200 < 100 else 0.9
            if monitor.update(bool(rng.random() >= 1 - stated), stated=stated, risk=number % 100 == 0):
                break
        alarms += monitor.alarmed
    assert alarms <= binom.ppf(0.999, runs, 0.1)


def test_after_a_moment_of_risk_a_fall_is_noticed_sooner() -> None:
    def delay(seed: int, *, told: bool) -> int:
        rng = np.random.default_rng(seed)
        monitor = PrecisionMonitor(0.95)
        monitor.update_many(rng.random(1000) >= 0.02)
        number = 0
        while not monitor.update(bool(rng.random() >= 0.15), risk=told and not number):
            number += 1
        return number

    told, untold = (np.mean([delay(seed, told=each) for seed in range(20)]) for each in (True, False))
    assert told < 0.85 * untold


def test_a_hold_that_counts_neither_way_is_neither_right_nor_wrong() -> None:
    monitor = PrecisionMonitor(0.9)
    monitor.update_many([None] * 500)
    assert (monitor.n, monitor.errors, round(monitor.p_value, 9)) == (0, 0, 1.0)
    assert monitor.precision_interval() == (0.0, 1.0)


def test_with_answers_still_open_the_interval_holds_whatever_they_will_be() -> None:
    monitor = PrecisionMonitor(0.9)
    monitor.update_many([True] * 95 + [False] * 5)
    low, high = monitor.precision_interval(still_open=20)
    assert (low, high) == (running_interval(25, 100, 0.95)[0], running_interval(5, 100, 0.95)[1])
