"""Projected vectors keep who lies near whom, and a fit that was written down is the same one."""

from __future__ import annotations

import numpy as np
import pytest

from inference import explain
from inference.projection import BITS, DIM, Projection, sign_codes


def groups(count: int, dim: int, *, seed: int = 0) -> np.ndarray:
    dice = np.random.default_rng(seed)
    centres = dice.normal(size=(count // 20, dim))
    rows = np.repeat(centres, 20, axis=0) + 0.3 * dice.normal(size=(count // 20 * 20, dim))
    return rows.astype(np.float32)


def test_squared_distances_are_what_the_cosine_leaves() -> None:
    rows = groups(200, 60)
    projected = Projection.fit(rows)(rows)
    assert projected.shape == (200, DIM) and not projected[:, 60:].any()
    apart = ((projected[:, None] - projected[None]) ** 2).sum(axis=2)
    np.testing.assert_allclose(apart, 2 - 2 * explain.similarities(rows, rows), atol=0.02)


def test_in_fewer_dimensions_neighbours_stay() -> None:
    rows = groups(400, 600)
    fit = Projection.fit(rows)
    assert 0.5 < fit.kept <= 1.0
    projected = fit(rows)
    apart = ((projected[:, None] - projected[None]) ** 2).sum(axis=2)
    nearest = np.argsort(apart, axis=1)[:, :20] // 20
    assert (nearest == np.arange(400)[:, None] // 20).mean() > 0.99
    codes = np.unpackbits(sign_codes(projected), axis=1)
    assert codes.shape == (400, BITS)
    differ = (codes[:, None] != codes[None]).sum(axis=2)
    same = np.arange(400)[:, None] // 20 == np.arange(400)[None] // 20
    assert differ[same].mean() + 50 < differ[~same].mean()


def test_a_fit_is_kept_and_late_rows_are_projected_as_the_first_ones() -> None:
    rows = groups(200, 60)
    fit = Projection.fit(rows)
    again = Projection.from_bytes(fit.to_bytes())
    np.testing.assert_allclose(again(rows[:7]), fit(rows)[:7], atol=1e-6)
    assert again.kept == fit.kept


def test_one_row_and_none() -> None:
    one = np.ones((1, 5), dtype=np.float32)
    assert np.isfinite(Projection.fit(one)(one)).all()
    with pytest.raises(ValueError, match="at least one"):
        Projection.fit(np.empty((0, 5), dtype=np.float32))
