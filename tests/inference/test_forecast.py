"""A forecast of more labels is monotone, within bounds, wide where little is known, and right as often as it says."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from inference.forecast import LEVEL, CurvePoint, fit, forecast
from inference.heads import CosineHead, Head, LdaHead, LogisticHead, MlpHead, RidgeHead, choose_head
from inference.subsampling import curve, refit

SIZES = (10, 20, 40, 80, 160)


def drawn(
    rng: np.random.Generator,
    *,
    floor: float,
    first: float,
    exponent: float,
    judged: int,
    sizes: tuple[int, ...] = SIZES,
) -> list[CurvePoint]:
    """Points of a known power law, each with its own noise, and one noise that all share."""

    def error(n: int) -> float:
        return floor + (first - floor) * (n / sizes[0]) ** -exponent

    level = error(sizes[-1])
    together = rng.normal(0, np.sqrt(level * (1 - level) / judged))
    return [CurvePoint(n, 1 - error(n) - together + rng.normal(0, 0.01), 0.01, judged) for n in sizes]


def test_two_sizes_tell_no_curve() -> None:
    points = [CurvePoint(10, 0.7, 0.02, 50), CurvePoint(20, 0.75, 0.02, 50)]
    assert fit(points) is None and forecast(points, labels=30) is None
    assert fit([*points, CurvePoint(20, 0.76, 0.02, 50)]) is None


def test_a_forecast_never_falls_and_stays_between_0_and_1() -> None:
    rising_too_far = [CurvePoint(n, min(1.0, 0.5 + 0.2 * i), 0.0, 40) for i, n in enumerate((8, 16, 32, 64))]
    falling = [CurvePoint(n, 0.9 - 0.1 * i, 0.01, 40) for i, n in enumerate((8, 16, 32, 64))]
    for points in (rising_too_far, falling):
        told = forecast(points, labels=80)
        assert told is not None
        for end in ("low", "value", "high"):
            line = [each[end] for each in told["band"]]
            assert all(0.0 <= value <= 1.0 for value in line)
            assert all(b >= a - 1e-9 for a, b in itertools.pairwise(line))
        assert told["ceiling"]["low"] <= told["ceiling"]["value"] <= told["ceiling"]["high"] <= 1.0


def test_a_higher_wish_takes_more_labels_or_is_out_of_reach() -> None:
    told = forecast(
        drawn(np.random.default_rng(1), floor=0.1, first=0.4, exponent=0.6, judged=400), labels=200
    )
    assert told is not None
    last, likely = -1, 1.0
    for each in told["reach"]:
        assert each["probability"] <= likely + 1e-9
        likely = each["probability"]
        if each["more"] is None:
            last = 10**9
        else:
            assert each["more"] >= last
            last = each["more"]
        if each["low"] is not None and each["high"] is not None:
            assert each["low"] <= each["more"] <= each["high"]
    assert told["reach"][-1]["accuracy"] == 0.995 and told["reach"][-1]["more"] is None, "the floor is .1"


def test_what_is_reached_already_needs_no_more_labels() -> None:
    told = forecast([CurvePoint(n, 0.95, 0.01, 500) for n in SIZES], labels=200)
    assert told is not None
    assert told["reach"][0]["more"] == 0 and told["reach"][0]["probability"] > 0.5


def test_three_points_are_told_with_a_wider_interval_than_eight() -> None:
    few = drawn(np.random.default_rng(2), floor=0.1, first=0.35, exponent=0.5, judged=60, sizes=(10, 20, 40))
    many = drawn(
        np.random.default_rng(2),
        floor=0.1,
        first=0.35,
        exponent=0.5,
        judged=2000,
        sizes=(10, 20, 40, 80, 160, 320, 640, 1280),
    )

    def width(points: list[CurvePoint]) -> float:
        told = forecast(points, labels=points[-1].n)
        assert told is not None
        return told["band"][-1]["high"] - told["band"][-1]["low"]

    assert width(few) > 3 * width(many)


def test_the_true_accuracy_lies_in_the_interval_about_as_often_as_stated() -> None:
    """Curves drawn as the model believes them to be, forecast to four times the labels."""
    rng = np.random.default_rng(5)
    inside = 0
    for _ in range(50):
        floor, exponent = rng.uniform(0.02, 0.2), float(np.exp(rng.normal(np.log(0.5), 0.5)))
        first = rng.uniform(0.3, 0.45)
        points = drawn(rng, floor=floor, first=first, exponent=exponent, judged=200)
        told = forecast(points, labels=160)
        assert told is not None
        last = told["band"][-1]
        assert last["n"] == 640
        truth = 1 - (floor + (first - floor) * (640 / SIZES[0]) ** -exponent)
        inside += last["low"] <= truth <= last["high"]
    assert 0.65 <= inside / 50 <= 0.97, f"stated {LEVEL}, found {inside / 50}"


@pytest.mark.parametrize("apart", [0.6, 0.0])
def test_labels_that_mean_something_give_a_rising_curve_and_others_a_flat_one(apart: float) -> None:
    rng = np.random.default_rng(0)
    column = np.tile([0, 1], 100)
    X = rng.normal(size=(200, 60))
    X[:, :10] += apart * column[:, None]
    head = LogisticHead(seed=0).fit(X, column)
    points = curve(
        X, column, head.out_of_fold_proba_, oof_size=head.out_of_fold_size_, fit=refit(head), seed=0
    )
    assert [point.n for point in points] == sorted({point.n for point in points})
    assert points[-1].n == 160 and len(points) >= 4
    assert points[-1].accuracy == pytest.approx((head.out_of_fold_proba_.argmax(axis=1) == column).mean())
    rise = points[-1].accuracy - points[0].accuracy
    assert rise > 0.08 if apart else abs(rise) < 0.12


def test_near_duplicates_on_one_side_teach_nothing_about_each_other() -> None:
    """Labels that mean nothing, each photo twice: whoever parts the two finds them by heart."""
    rng = np.random.default_rng(0)
    twice = np.repeat(np.arange(80), 2)
    X, column = rng.normal(size=(80, 120))[twice], rng.permutation(np.arange(80) % 2)[twice]
    parted, together = (
        curve(
            X,
            column,
            np.eye(2)[column],
            oof_size=128,
            fit=refit(LogisticHead(strengths=[1.0])),
            seed=0,
            groups=groups,
        )
        for groups in (None, twice)
    )
    assert parted[-2].accuracy > 0.65
    assert max(point.accuracy for point in together[:-1]) < 0.62


@pytest.mark.parametrize(
    ("head", "size"),
    [(LogisticHead(), 80), (LdaHead(), 80), (RidgeHead(), 80), (CosineHead(), 80), (MlpHead(epochs=2), 80)],
)
def test_the_last_point_stands_at_the_labels_that_the_heads_own_rows_were_fitted_on(
    head: Head, size: int
) -> None:
    rng = np.random.default_rng(0)
    column = np.arange(100) % 2
    X = rng.normal(size=(100, 20)) + 0.4 * column[:, None]
    head.fit(X, column)
    points = curve(
        X, column, head.out_of_fold_proba_, oof_size=head.out_of_fold_size_, fit=refit(head), seed=0
    )
    assert points[-1].n == size and points[-1].judged == 100


def test_a_class_of_two_labels_makes_two_folds_and_the_last_point_knows() -> None:
    column = np.repeat([0, 1, 2], [48, 50, 2])
    X = np.random.default_rng(0).normal(size=(100, 20)) + column[:, None]
    head = LogisticHead().fit(X, column)
    points = curve(
        X, column, head.out_of_fold_proba_, oof_size=head.out_of_fold_size_, fit=refit(head), seed=0
    )
    assert points[-1].n == 50
    assert [point.n for point in points] == sorted({point.n for point in points})


def test_of_a_choice_the_size_is_that_of_the_kinds_it_took_rows_from() -> None:
    column = np.arange(100) % 2
    X = np.random.default_rng(0).normal(size=(100, 20)) + 0.4 * column[:, None]
    chosen = choose_head(X, column, kinds=["lda"])
    assert chosen.out_of_fold_size == choose_head(X, column).out_of_fold_size == pytest.approx(80)


def test_a_dozen_labels_give_a_curve_too_and_a_lone_one_none() -> None:
    rng = np.random.default_rng(0)
    column = np.array([0] * 6 + [1] * 6)
    X = rng.normal(size=(12, 20)) + column[:, None]
    head = LogisticHead(seed=0).fit(X, column)
    points = curve(
        X, column, head.out_of_fold_proba_, oof_size=head.out_of_fold_size_, fit=refit(head), seed=0
    )
    assert len({point.n for point in points}) >= 3 and forecast(points, labels=12) is not None
    lone = np.array([0] * 11 + [1])
    head = LogisticHead(seed=0).fit(X, lone)
    assert (
        curve(X, lone, head.out_of_fold_proba_, oof_size=head.out_of_fold_size_, fit=refit(head), seed=0)
        == []
    )


def test_the_same_seed_gives_the_same_points() -> None:
    rng = np.random.default_rng(0)
    column = np.tile([0, 1, 2], 20)
    X = rng.normal(size=(60, 12)) + column[:, None]
    head = LogisticHead(seed=0).fit(X, column)
    twice = [
        curve(X, column, head.out_of_fold_proba_, oof_size=head.out_of_fold_size_, fit=refit(head), seed=3)
        for _ in range(2)
    ]
    assert twice[0] == twice[1]


def test_a_curve_can_be_stopped() -> None:
    rng = np.random.default_rng(0)
    column = np.tile([0, 1], 30)
    X = rng.normal(size=(60, 12)) + column[:, None]
    head = LogisticHead(seed=0).fit(X, column)

    def stop(done: int, total: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        curve(
            X,
            column,
            head.out_of_fold_proba_,
            oof_size=head.out_of_fold_size_,
            fit=refit(head),
            seed=0,
            on_progress=stop,
        )


def test_a_curve_that_is_perfect_throughout_leaves_nothing_to_reach() -> None:
    told = forecast([CurvePoint(n, 1.0, 0.0, 40) for n in (8, 16, 32)], labels=40)
    assert told is not None and told["reach"] == []
    assert 0.9 < told["now"]["low"] <= told["now"]["value"] <= 1.0
