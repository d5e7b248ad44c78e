from __future__ import annotations

import numpy as np
import pytest

from inference.heads import LogisticHead
from inference.scoring import score, score_many

Blobs = tuple[np.ndarray, np.ndarray]


class Nearest:
    """A head that is not linear: nearest of two points."""

    classes_ = np.array(["near", "far"])
    n_features_in_ = 300

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        near = 1 / (1 + (X**2).mean(axis=1))
        return np.column_stack([near, 1 - near])


def test_many_heads_in_one_pass_say_what_each_says_alone(blobs: Blobs) -> None:
    X, y = blobs
    heads = [
        LogisticHead().fit(X, y),
        Nearest(),
        LogisticHead(seed=1).fit(X[y < 2], y[y < 2]),
        LogisticHead().fit(X[:60] + 3, y[:60]),
    ]
    seen = 0
    for start, stop, parts in score_many(heads, X, chunk=50):
        assert start == seen and [part.dtype for part in parts] == [np.float32] * 4
        for head, part in zip(heads, parts, strict=True):
            assert np.allclose(part, head.predict_proba(X[start:stop]), atol=2e-5)
        seen = stop
    assert seen == len(X)


def test_rows_are_read_once_and_by_slice(blobs: Blobs) -> None:
    X, y = blobs
    head = LogisticHead().fit(X, y)
    read: list[tuple[int, int]] = []

    class Stored:
        def __len__(self) -> int:
            return len(X)

        def __getitem__(self, index: slice) -> np.ndarray:
            read.append((index.start, index.stop))
            return X[index].astype(np.float16)

    parts = [part for _, _, (part, _) in score_many([head, head], Stored(), chunk=50)]
    assert read == [(0, 50), (50, 100), (100, 120)]
    assert np.allclose(np.concatenate(parts), head.predict_proba(X), atol=0.01)


def test_no_rows_and_no_heads_are_no_error(blobs: Blobs) -> None:
    X, y = blobs
    head = LogisticHead().fit(X, y)
    assert score(head, X[:0]).shape == (0, 3)
    assert [parts for _, _, parts in score_many([], X)] == [[]]


def test_heads_of_different_backbones_are_refused(blobs: Blobs) -> None:
    X, y = blobs
    whole, half = LogisticHead().fit(X, y), LogisticHead().fit(X[:, :150], y)
    with pytest.raises(ValueError, match="one length"):
        list(score_many([whole, half], X))
    with pytest.raises(ValueError, match="300 features"):
        list(score_many([whole], X[:, :150]))
    with pytest.raises(ValueError, match="at least one row"):
        list(score_many([whole], X, chunk=0))


def test_certain_logits_do_not_overflow() -> None:
    X = np.random.default_rng(0).normal(size=(40, 5)).astype(np.float32)
    head = LogisticHead().fit(X, X[:, 0] > 0)
    assert np.isfinite(score(head, X * 1e6)).all()
