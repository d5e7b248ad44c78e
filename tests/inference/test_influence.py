"""Influence agrees with fitting again without the label; wrong labels are found; slices are judged with care."""

from __future__ import annotations

import numpy as np
import pytest

from inference.calibrate import softmax
from inference.heads import LogisticHead
from inference.influence import leave_one_out, suspicious
from inference.metrics import wilson
from inference.slices import by_slice, holm, quantile_slices


def scene(k: int, n: int = 60, d: int = 30, apart: float = 0.5) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    column = np.arange(n) % k
    means = rng.normal(size=(k, d))
    return rng.normal(size=(n, d)) + apart * means[column], column, rng.normal(size=(200, d)) * 1.2


@pytest.mark.parametrize(("k", "least", "off"), [(2, 0.97, 0.1), (3, 0.9, 0.4)])
def test_influence_on_the_pool_is_what_a_fit_without_the_label_shows(
    k: int, least: float, off: float
) -> None:
    X, column, pool = scene(k)
    strength = 1.0 / X.shape[1]
    head = LogisticHead(strengths=[strength], cv=2, balanced=False).fit(X, column)
    found = leave_one_out(
        X,
        column,
        coef=head.coef_,
        intercept=head.intercept_,
        strength=strength,
        others=pool,
        balanced=False,
    )
    before = softmax(pool @ head.coef_.T + head.intercept_)
    real, own = [], []
    for row in range(len(X)):
        keep = np.arange(len(X)) != row
        without = LogisticHead(strengths=[strength], cv=2, balanced=False).fit(X[keep], column[keep])
        after = softmax(pool @ without.coef_.T + without.intercept_)
        real.append(np.abs(after - before).max(axis=1).mean())
        own.append((X[row] @ without.coef_.T + without.intercept_)[column[row]])
    assert np.corrcoef(found.shift, real)[0, 1] > least
    assert np.median(found.shift / np.array(real)) == pytest.approx(1.0, abs=off)
    mine = softmax(found.own)[np.arange(len(X)), column]
    assert mine.mean() < softmax(X @ head.coef_.T + head.intercept_)[np.arange(len(X)), column].mean()


def test_influence_agrees_also_where_classes_differ_in_size_and_spread() -> None:
    rng = np.random.default_rng(0)
    d, many, few = 40, 110, 10
    rare = rng.normal(size=(few, d)) * np.linspace(0.3, 3.0, d) + 0.4 * (np.arange(d) % 3 == 0)
    X = np.concatenate([rng.normal(size=(many, d)), rare])
    column = np.repeat([0, 1], [many, few])
    pool, strength = rng.normal(size=(200, d)), 30.0 / d

    def logit(head: LogisticHead, rows: np.ndarray) -> np.ndarray:
        return np.asarray(rows @ (head.coef_[1] - head.coef_[0]) + head.intercept_[1] - head.intercept_[0])

    head = LogisticHead(strengths=[strength], cv=2).fit(X, column)
    found = leave_one_out(
        X, column, coef=head.coef_, intercept=head.intercept_, strength=strength, others=pool
    )
    before = 1 / (1 + np.exp(-logit(head, pool)))
    rows = [*range(0, many, 8), *range(many, many + few)]
    real, own = [], []
    for row in rows:
        keep = np.arange(len(X)) != row
        without = LogisticHead(strengths=[strength], cv=2).fit(X[keep], column[keep])
        real.append(np.abs(1 / (1 + np.exp(-logit(without, pool))) - before).mean())
        own.append(logit(without, X[row : row + 1])[0])
    assert np.median(found.shift[rows] / np.array(real)) == pytest.approx(1.0, abs=0.1)
    assert np.abs(found.own[rows, 1] - found.own[rows, 0] - own).mean() < 0.4


def test_a_wrong_label_hurts_the_others_and_is_doubted_first() -> None:
    X, column, pool = scene(2, n=80, apart=0.9)
    wrong = [3, 10, 31]
    labels = column.copy()
    labels[wrong] = 1 - labels[wrong]
    head = LogisticHead(seed=0).fit(X, labels)
    doubted = suspicious(head.out_of_fold_proba_, labels)
    assert set(wrong) <= {each.row for each in doubted[:8]}
    assert all(each.given != each.suggested and each.margin < 0 for each in doubted)
    assert [each.margin for each in doubted] == sorted(each.margin for each in doubted)
    found = leave_one_out(
        X,
        labels,
        coef=head.coef_,
        intercept=head.intercept_,
        strength=head.strength_,
        others=pool,
    )
    right = np.setdiff1d(np.arange(len(X)), wrong)
    assert found.loss[wrong].mean() < found.loss[right].mean()
    assert ((found.leverage >= 0) & (found.leverage < 1)).all()


def test_labels_that_the_head_agrees_with_are_not_doubted() -> None:
    proba = np.array([[0.9, 0.1], [0.8, 0.2], [0.1, 0.9], [0.3, 0.7], [0.15, 0.85]])
    assert suspicious(proba, np.array([0, 0, 1, 1, 1])) == []
    assert [each.row for each in suspicious(proba, np.array([0, 0, 1, 1, 0]))] == [4]


def test_a_head_that_is_nearly_always_certain_still_doubts_what_it_contradicts() -> None:
    """Its usual certainty is .99; a label of which it says the contrary with .93 is no less doubtful for that."""
    proba = np.array([[0.99, 0.01]] * 10 + [[0.01, 0.99]] * 10 + [[0.93, 0.07]])
    labels = np.array([0] * 10 + [1] * 11)
    assert [each.row for each in suspicious(proba, labels)] == [20]


def test_influence_refuses_what_does_not_fit() -> None:
    X, column, pool = scene(2)
    with pytest.raises(ValueError, match="do not fit"):
        leave_one_out(
            X, column[:-1], coef=np.zeros((2, 30)), intercept=np.zeros(2), strength=1.0, others=pool
        )


def test_a_bad_slice_is_named_and_chance_is_not() -> None:
    rng = np.random.default_rng(0)
    source = np.repeat(["line 1", "line 2", "line 3", "line 4"], 60)
    right = rng.uniform(size=240) < 0.9
    right[source == "line 3"] = rng.uniform(size=60) < 0.6
    rows = by_slice(right, {"source": list(source)})
    assert [row["slice"] for row in rows if row["worse"]] == ["line 3"]
    assert rows[0]["slice"] == "line 3"
    n, good = 60, int(right[source == "line 3"].sum())
    assert (rows[0]["accuracy"]["low"], rows[0]["accuracy"]["high"]) == wilson(good, n)
    assert rows[0]["rest"] == pytest.approx(right[source != "line 3"].mean())


def test_among_many_slices_without_a_difference_none_is_called_worse() -> None:
    """Twenty looks at the 5 % level would each time find one; Holm's correction finds one in twenty times at most."""
    alarms = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        groups = {f"dimension {d}": [f"group {g}" for g in rng.integers(0, 4, size=200)] for d in range(5)}
        alarms += any(row["worse"] for row in by_slice(rng.uniform(size=200) < 0.8, groups))
    assert alarms <= 5


def test_small_and_unknown_slices_are_left_out() -> None:
    right = [True] * 30
    sliced = ["a"] * 14 + ["b"] * 12 + ["c"] * 2 + [None] * 2
    assert {row["slice"] for row in by_slice(right, {"source": sliced})} == {"a", "b"}
    assert by_slice(right, {"source": ["a"] * 30}) == []


def test_holm_steps_down_and_never_decreases() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([]) == []


def test_numbers_are_cut_into_quarters() -> None:
    found = quantile_slices([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, None])
    assert found[-1] is None and len(set(found[:-1])) == 4
    assert found[0] == found[1] != found[-2]
    assert quantile_slices([1.0, 1.0, 2.0, None]) == [None] * 4
