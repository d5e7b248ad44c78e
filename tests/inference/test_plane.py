"""On the plane neighbours stay neighbours, and a point that comes later stands where those stand that it is like."""

from __future__ import annotations

import numpy as np
import pytest

from inference import plane
from tests.inference.test_projection import groups


def all_of(rows: np.ndarray, known: np.ndarray, places: np.ndarray) -> np.ndarray:
    return np.concatenate([part for _start, part in plane.place(rows, known, places)])


def test_groups_lie_apart_and_late_points_among_their_own() -> None:
    rows = groups(200, 20)
    known, late = rows[::2], rows[1::2]
    places = plane.lay_out(known)
    assert places.min() >= 0 and places.max() < plane.SIDE
    own = np.arange(100) // 10
    centres = np.stack([places[own == group].mean(axis=0) for group in range(10)])
    stand = all_of(late, known, places)
    nearest = np.argmin(((stand[:, None] - centres[None]) ** 2).sum(axis=2), axis=1)
    assert (nearest == own).mean() > 0.95
    # A landmark stands at its place, whatever comes with it.
    np.testing.assert_allclose(all_of(rows, known, places)[::2], places, atol=1.0)


def test_the_same_points_and_seed_give_the_same_plane() -> None:
    rows = groups(100, 10)
    np.testing.assert_array_equal(plane.lay_out(rows, seed=3), plane.lay_out(rows, seed=3))


@pytest.mark.parametrize("count", [1, 2, 3, 11, 12])
def test_few_points_and_equal_ones_are_laid_out(count: int) -> None:
    dice = np.random.default_rng(0)
    for rows in (dice.normal(size=(count, 6)), np.ones((count, 6))):
        places = plane.lay_out(rows.astype(np.float32))
        assert places.shape == (count, 2) and np.isfinite(places).all()
        assert np.isfinite(all_of(rows.astype(np.float32), rows.astype(np.float32), places)).all()


def test_of_many_points_a_fixed_number_are_landmarks() -> None:
    drawn = plane.landmarks(3 * plane.LANDMARKS)
    assert len(np.unique(drawn)) == plane.LANDMARKS and (np.diff(drawn) > 0).all()
    np.testing.assert_array_equal(plane.landmarks(5), np.arange(5))
