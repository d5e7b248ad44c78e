"""Near-duplicates are told in the measure of their own pool, whatever that shows and however large its vectors are."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from inference.alike import LEAST_TO_FIND, NEIGHBOURS, Alikeness


def pool(count: int = 60, *, kind: float = 0.0, seed: int = 0) -> npt.NDArray[np.float32]:
    """Photos that share ``kind`` of what they show."""
    rng = np.random.default_rng(seed)
    return (rng.normal(size=(count, 40)) + kind * rng.normal(size=40)).astype(np.float32)


def saved_again(row: npt.NDArray[np.float32], times: int = 1, *, seed: int = 1) -> npt.NDArray[np.float32]:
    noise = np.random.default_rng(seed).normal(size=(times, len(row)))
    return (row + 0.2 * noise).astype(np.float32)


@pytest.mark.parametrize("kind", [0.0, 6.0])
@pytest.mark.parametrize("length", [1.0, 1000.0])
def test_a_photo_saved_again_is_found_among_photos_however_alike(kind: float, length: float) -> None:
    rows = pool(kind=kind)
    rows = np.concatenate([rows, saved_again(rows[7])]) * np.float32(length)
    alike = Alikeness(rows, np.arange(len(rows)))
    assert set(alike.find(np.arange(len(rows)), below=0.65)) == {(7, 60), (60, 7)}
    assert alike.find(np.array([60]), below=0.65) == [(60, 7)]
    near, far = alike.ratios(np.array([7, 3]), np.array([60, 4]))
    assert near < 0.4 and far > 0.9


def test_a_burst_is_found_whole() -> None:
    rows = np.concatenate([pool(), saved_again(pool()[7], NEIGHBOURS - 1)])
    burst = {7, *range(60, 60 + NEIGHBOURS - 1)}
    found = Alikeness(rows, np.arange(len(rows))).find(np.arange(len(rows)), below=0.65)
    assert set(found) == {(one, other) for one in burst for other in burst - {one}}


def test_those_of_a_group_are_no_measure_for_each_other() -> None:
    copies = saved_again(pool()[7], 20)
    rows = np.concatenate([pool(), copies])
    groups = np.arange(len(rows))
    assert Alikeness(rows, groups).ratios(np.array([7]), np.array([60]))[0] > 0.9
    groups[60:] = 7
    assert Alikeness(rows, groups).ratios(np.array([7]), np.array([60]))[0] < 0.4


def test_few_others_tell_nothing() -> None:
    rows = np.concatenate([pool(2), saved_again(pool(2)[0])])
    assert np.isnan(Alikeness(rows, [0, 1, 0]).ratios(np.array([0]), np.array([2]))).all()
    rows = np.concatenate([pool(LEAST_TO_FIND - 1), saved_again(pool()[0])])
    assert Alikeness(rows, np.arange(len(rows))).find(np.arange(len(rows)), below=0.65) == []


def test_photos_that_are_all_one_are_no_pairs() -> None:
    rows = np.ones((30, 8), np.float32)
    alike = Alikeness(rows, np.arange(30))
    assert alike.find(np.arange(30), below=0.65) == []
    assert not (alike.ratios(np.array([0]), np.array([1])) < 0.65).any()
    assert Alikeness(rows[:0], []).find(np.array([], dtype=np.int64), below=0.65) == []
