from __future__ import annotations

import numpy as np
import pytest

from inference.heads import CosineHead, lda, ridge

RNG = np.random.default_rng(0)
ROWS = RNG.normal(size=(24, 40)) * RNG.uniform(0.3, 3.0, 40)
COLUMN = np.arange(24) % 3
WEIGHT = RNG.uniform(0.5, 2.0, 24)


@pytest.mark.parametrize("penalty", [0.1, 10.0])
def test_ridges_left_out_scores_are_those_of_fits_without_the_row(penalty: float) -> None:
    target = 2.0 * np.eye(3)[COLUMN] - 1.0
    scores = ridge._Fit(ROWS, target, WEIGHT).left_out_scores(penalty, None)
    for i in range(24):
        rest = np.arange(24) != i
        weights, bias = ridge._Fit(ROWS[rest], target[rest], WEIGHT[rest]).coefficients(penalty)
        assert scores[i] == pytest.approx(ROWS[i] @ weights + bias, abs=1e-8)


def test_ridges_left_out_groups_are_those_of_fits_without_the_group() -> None:
    target = 2.0 * np.eye(3)[COLUMN] - 1.0
    groups = np.arange(24) // 4
    members = ridge._members(groups)
    scores = ridge._Fit(ROWS, target, WEIGHT).left_out_scores(1.0, members)
    for group in range(6):
        rest = groups != group
        weights, bias = ridge._Fit(ROWS[rest], target[rest], WEIGHT[rest]).coefficients(1.0)
        assert scores[~rest] == pytest.approx(ROWS[~rest] @ weights + bias, abs=1e-7)


@pytest.mark.parametrize("shrinkage", [0.05, 0.5, 1.0])
def test_ldas_left_out_scores_are_those_of_fits_without_the_row(shrinkage: float) -> None:
    column = np.array([0] * 12 + [1] * 8 + [2] * 4)
    weight = np.ones(24)
    scores = lda._Fit(ROWS, column, weight, 3, True).left_out_scores(shrinkage)
    for i in range(24):
        rest = np.arange(24) != i
        alone = lda._Fit(ROWS[rest], column[rest], weight[rest], 3, True).scores(ROWS[i : i + 1], shrinkage)[
            0
        ]
        # Both are right up to what the three columns have in common.
        assert scores[i] - scores[i, 0] == pytest.approx(alone - alone[0], abs=1e-6)


def test_lda_without_its_only_row_does_not_know_the_class() -> None:
    column = np.array([0] * 12 + [1] * 11 + [2])
    scores = lda._Fit(ROWS, column, np.ones(24), 3, True).left_out_scores(0.5)
    rest = np.arange(24) != 23
    alone = lda._Fit(ROWS[rest], column[rest], np.ones(23), 3, True).scores(ROWS[23:], 0.5)[0]
    assert scores[23, 1] - scores[23, 0] == pytest.approx(alone[1] - alone[0], abs=1e-6)
    assert scores[23, 2] < scores[23, :2].max()


@pytest.mark.parametrize("groups", [None, np.arange(24) // 4])
def test_cosines_left_out_probabilities_are_those_of_means_without_the_row(groups: np.ndarray | None) -> None:
    head = CosineHead().fit(ROWS, COLUMN, groups=groups)
    names = np.arange(24) if groups is None else groups
    unit = head._unit(ROWS)
    for i in range(24):
        rest = names != names[i]
        sums = np.stack([unit[rest & (c == COLUMN)].sum(axis=0) for c in range(3)])
        cosines = unit[i] @ (sums / np.linalg.norm(sums, axis=1, keepdims=True)).T
        # Whatever its fold's temperature: log-probabilities differ as the cosines do.
        found = np.log(head.out_of_fold_proba_[i])
        assert (found[1] - found[0]) * (cosines[2] - cosines[0]) == pytest.approx(
            (found[2] - found[0]) * (cosines[1] - cosines[0]), abs=1e-9
        )
