"""Whether words tell a pool's photos better than its first labels do: by which of them a young project is ordered.

Words (``inference.words.zero_shot``) had no label, so each label is new to them. What labels teach is asked out of fold, of
the head whose ends would order the pool (``inference.strategies.ends``). Both are held to as much confidence as so few
labels can bear out, by Laplace's rule of succession, (n p + 1) / (n + k): else one mistake made with certainty would decide.

Knows nothing of projects or where photos are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from inference.heads.folds import stratified_folds
from inference.strategies.ends import provisional

Floats = npt.NDArray[np.floating[Any]]
Columns = npt.NDArray[np.integer[Any]]

_FOLDS = 5


@dataclass(frozen=True)
class Verdict:
    """Mean log-loss (nats) of words and of labels on the ``judged`` photos."""

    judged: int
    words: float
    labels: float

    @property
    def words_win(self) -> bool:
        return self.words < self.labels


def judge(
    words: Floats, rows: npt.NDArray[np.float32], y: Columns, judging: npt.NDArray[np.bool_], *, least: int
) -> Verdict | None:
    """Compare the two on the labeled photos that may judge, those that words had no part in choosing.

    Args:
        words: (n, k) probabilities of all labeled photos by words alone.
        rows: (n, d) their embeddings, from which a head learns.
        y: (n,) their labels, columns of ``words``.
        judging: (n,) which of them judge. All others teach.
        least: with fewer judges, or of one class only, there is no verdict.
    """
    if judging.sum() < least or len(np.unique(y[judging])) < 2:
        return None
    fold = stratified_folds(y.astype(np.intp), _FOLDS, seed=0)
    labels = np.zeros_like(words, dtype=np.float64)
    for each in np.unique(fold[judging]).tolist():
        held, taught = fold == each, fold != each
        known = np.unique(y[taught])
        labels[np.ix_(held, known)] = (
            provisional(rows[taught], y[taught]).predict_proba(rows[held]) if len(known) > 1 else 1.0
        )
    n, k = words.shape
    losses = [-np.log((n * p[judging, y[judging]] + 1) / (n + k)).mean() for p in (words, labels)]
    return Verdict(int(judging.sum()), float(losses[0]), float(losses[1]))
