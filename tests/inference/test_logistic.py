from __future__ import annotations

import os
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from inference import calibrate, logistic
from inference.threads import one_thread_each, ordered_map


def problem(n: int, d: int, k: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, d)) * rng.uniform(0.1, 10, d) + 3
    logits = X @ rng.normal(size=(d, k)) / np.sqrt(d) / 3
    return X.astype(np.float32), (logits + rng.gumbel(size=(n, k))).argmax(axis=1)


def theirs(
    space: logistic.Space, X: np.ndarray, strength: float, y: np.ndarray, weight: np.ndarray
) -> object:
    scaled = (X - space.mean.numpy()) / space.scale.numpy()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = LogisticRegression(C=strength, tol=1e-9, max_iter=5000).fit(scaled, y, weight)
    return lambda rows: fit.predict_proba((rows - space.mean.numpy()) / space.scale.numpy())


# Few rows (their own span, float64), more rows than features (float64), many (float32, a task a fold).
@pytest.mark.parametrize(
    ("n", "d", "k"), [(60, 200, 3), (60, 200, 2), (300, 20, 3), (700, 600, 2), (900, 500, 4)]
)
def test_fits_are_scikit_learns_at_the_same_strengths(n: int, d: int, k: int) -> None:
    X, y = problem(n, d, k)
    weight = np.random.default_rng(1).uniform(0.5, 2.0, n)
    strengths = [1e-1, 1e-3, 1e-2]
    with one_thread_each():
        space = logistic.space_of(X)
        coef, intercept = logistic.coefficients(space, y, weight, strengths, k)
    for s, strength in enumerate(strengths):
        mine = calibrate.softmax(X @ coef[s].T + intercept[s])
        assert np.abs(mine - theirs(space, X, strength, y, weight)(X)).max() < 2e-3  # type: ignore[operator]


@pytest.mark.parametrize(("n", "d", "k"), [(80, 200, 3), (900, 500, 2)])
def test_held_out_logits_are_of_fits_on_the_other_folds(n: int, d: int, k: int) -> None:
    X, y = problem(n, d, k)
    fold = np.arange(n) % 4
    strengths = [3e-2, 3e-4]
    with one_thread_each():
        space = logistic.space_of(X)
        found = dict(logistic.held_out_logits(space, y, np.ones((4, n)), fold, strengths, k))
    for f in range(4):
        inside = fold != f
        for s, strength in enumerate(strengths):
            fit = theirs(space, X[inside], strength, y[inside], np.ones(inside.sum()))
            assert np.abs(calibrate.softmax(found[f][s]) - fit(X[~inside])).max() < 0.012  # type: ignore[operator]


def test_a_class_that_the_other_folds_lack_has_no_logit() -> None:
    X, y = problem(40, 10, 2)
    y[3] = 2
    fold = np.arange(40) % 4
    with one_thread_each():
        space = logistic.space_of(X)
        found = dict(logistic.held_out_logits(space, y, np.ones((4, 40)), fold, [0.01], 3))
    assert (found[3][0][:, 2] == -np.inf).all() and np.isfinite(found[3][0][:, :2]).all()
    assert np.isfinite(found[0]).all()


def test_a_fit_with_weights_of_zero_is_a_fit_without_the_rows() -> None:
    X, y = problem(100, 30, 3)
    with one_thread_each():
        space = logistic.space_of(X)
        masked = logistic.solve(
            space.design,
            y,
            np.where(np.arange(100) < 60, 1.0, 0.0)[None],
            np.array([0.01]),
            3,
            space.spectrum,
        )
        without = logistic.solve(
            space.design[:60], y[:60], np.ones((1, 60)), np.array([0.01]), 3, space.spectrum
        )
    assert np.allclose(masked, without, atol=1e-6)


FIT = """
import sys, numpy as np
from inference.heads import choose_head
rng = np.random.default_rng(0)
found = {}
for n, d in ((90, 400), (1100, 280)):  # on both sides of what counts as small
    y = np.arange(n) % 3
    X = (rng.normal(size=(n, d)) + 0.2 * rng.normal(size=(3, d))[y]).astype(np.float32)
    kinds = ("logistic", "lda", "ridge", "cosine") + (("mlp",) if n == 90 else ())
    for kind in kinds:
        chosen = choose_head(X, y, kinds=(kind,), seed=1)
        for name, array in chosen.head.to_arrays().items():
            found[f"{n}-{kind}-{name}"] = array
        found[f"{n}-{kind}-proba"] = chosen.out_of_fold_proba
np.savez(sys.argv[1], **found)
"""


def test_the_number_of_threads_does_not_change_a_bit(tmp_path: Path) -> None:
    for threads in ("1", "4"):
        environment = os.environ | dict.fromkeys(
            ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), threads
        )
        subprocess.run(
            [sys.executable, "-c", FIT, str(tmp_path / f"{threads}.npz")], env=environment, check=True
        )
    one, four = np.load(tmp_path / "1.npz"), np.load(tmp_path / "4.npz")
    assert set(one.files) == set(four.files) and len(one.files) > 40
    different = [name for name in one.files if not np.array_equal(one[name], four[name])]
    assert different == []


def test_threads_are_given_back_after_an_error() -> None:
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        with pytest.raises(InterruptedError), one_thread_each(), one_thread_each():
            assert torch.get_num_threads() == 1
            raise InterruptedError
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)


def test_tasks_answer_in_order_and_what_they_raise_comes_out() -> None:
    assert list(ordered_map(lambda x: x * x, range(20))) == [x * x for x in range(20)]
    with pytest.raises(ZeroDivisionError):
        list(ordered_map(lambda x: 1 // x, [1, 0, 1]))
