"""Words order a young pool only where they tell its labeled photos better than the labels themselves do."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from inference import strategies
from inference.cold_start import judge
from inference.strategies import Pool

N = 16
Y = np.arange(N) % 2
EVERYONE = np.ones(N, dtype=bool)
RIGHT = np.eye(2)[Y] * 0.9 + 0.05


def rows(apart: float) -> np.ndarray:
    noise = np.random.default_rng(0).normal(size=(N, 12)).astype(np.float32)
    noise[:, 0] += apart * (2 * Y - 1)
    return noise


def test_words_that_are_right_win_over_labels_that_teach_nothing_and_lose_where_they_are_wrong() -> None:
    right = judge(RIGHT, rows(0.0), Y, EVERYONE, least=10)
    wrong = judge(RIGHT[:, ::-1], rows(0.0), Y, EVERYONE, least=10)
    assert right is not None and right.words_win and right.judged == N
    assert wrong is not None and not wrong.words_win
    # No better than even: labels that do teach are better.
    even = judge(np.full((N, 2), 0.5), rows(4.0), Y, EVERYONE, least=10)
    assert even is not None and not even.words_win


def test_one_mistake_made_with_certainty_does_not_decide() -> None:
    sure = np.eye(2)[Y]
    sure[3] = sure[3, ::-1]
    verdict = judge(sure, rows(0.0), Y, EVERYONE, least=10)
    assert verdict is not None and verdict.words_win


def test_only_those_that_may_judge_are_counted_and_without_two_classes_there_is_no_verdict() -> None:
    few = EVERYONE & (np.arange(N) < 12)
    words = RIGHT.copy()
    words[12:] = words[12:, ::-1]
    verdict = judge(words, rows(0.0), Y, few, least=10)
    assert verdict is not None and verdict.judged == 12 and verdict.words_win
    assert judge(RIGHT, rows(0.0), Y, few, least=13) is None
    assert judge(RIGHT, rows(0.0), np.zeros(N, dtype=int), EVERYONE, least=10) is None
    # A class of one label is held out as a whole: what is left teaches one class.
    lone = np.zeros(N, dtype=int)
    lone[4] = 2
    three = np.full((N, 3), 1 / 3)
    assert judge(three, rows(0.0), lone, EVERYONE, least=10) is not None


@pytest.mark.parametrize("labels", [0, 1, 12])
def test_inward_begins_with_both_ends_that_words_tell(labels: int) -> None:
    dice = np.random.default_rng(1)
    n = 60
    embeddings = dice.normal(size=(n, 8)).astype(np.float32)
    rare = np.zeros(n, dtype=bool)
    rare[[5, 17, 40]] = True
    words = np.where(
        rare[:, None], [0.02, 0.98], np.column_stack([np.linspace(0.6, 0.99, n), np.linspace(0.4, 0.01, n)])
    )
    pool = Pool(
        ids=np.arange(n),
        embeddings=embeddings,
        proba=None,
        labeled_embeddings=dice.normal(size=(labels, 8)).astype(np.float32),
        labeled_y=np.zeros(labels, dtype=np.int64),
        words=words,
    )
    ordering = strategies.get("inward").order(pool, bands=5, seed=0)
    assert sorted(ordering.order.tolist()) == list(range(n))
    assert rare[ordering.order[:6]].tolist() == [False, True] * 3
    assert set(ordering.ladder.tolist()) == {-1}
    # While nothing says whether that helps, every second photo, of those that words may bring.
    tried = np.arange(n) % 3 > 0
    turns = strategies.get("inward").order(replace(pool, tried=tried), bands=5, seed=0).order
    assert sorted(turns.tolist()) == list(range(n))
    assert tried[turns[0:40:2]].all() and rare[turns[0:8:2]].tolist() == [False, True] * 2
    without = strategies.get("inward").order(replace(pool, words=None), bands=5, seed=0).order
    assert turns[1:40:2].tolist() == [at for at in without.tolist() if not tried[at]][:20]
