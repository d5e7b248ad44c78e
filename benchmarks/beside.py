"""Other classifiers beside a replay's head: taught the same labels, judged on the same photos set aside.

What a replay asks of a head is all that they need to see of it: which rows it was taught, and when.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from inference.heads import choose_head
from inference.replay.run import Head, Indexes

Labels = npt.NDArray[np.int64]
#: (rows, labels, seed) -> something with ``predict``.
Teach = Callable[[npt.NDArray[Any], Labels, int], Any]


def scikit_learn(X: npt.NDArray[Any], y: Labels, seed: int) -> Any:
    """Logistic regression on standardised features, ``C`` of nine from 1e-4 to 1e4 by five folds' accuracy.

    In the rows' own coordinates (a rotation, which an L2 penalty does not see): the same answer in less time.
    """
    folds = StratifiedKFold(5, shuffle=True, random_state=seed)
    search = GridSearchCV(LogisticRegression(max_iter=2000), {"C": np.logspace(-4, 4, 9)}, cv=folds)
    with warnings.catch_warnings():
        # Classes with fewer labels than folds: counted on whichever folds have them.
        warnings.simplefilter("ignore", UserWarning)
        return make_pipeline(StandardScaler(), PCA(svd_solver="full"), search).fit(X, y)


def automatic(X: npt.NDArray[Any], y: Labels, seed: int) -> Any:
    """What a training chooses by itself."""
    return choose_head(X, y, seed=seed).head


OTHERS: dict[str, Teach] = {"auto": automatic, "scikit-learn": scikit_learn}


@dataclass
class Beside:
    """The head of one replay, and what the others would have judged.

    Attributes:
        test: indexes of the photos set aside.
        truth: (n,) of all photos.
        at: numbers of labels at which the others are taught too.
        accuracy: name -> number of labels -> on the photos set aside. Filled in by the replay.
    """

    test: Indexes
    truth: Labels
    at: Sequence[int]
    others: Mapping[str, Teach] = field(default_factory=lambda: OTHERS)
    accuracy: dict[str, dict[int, float]] = field(default_factory=dict)

    def make_head(self, make: Callable[[int], Head]) -> Callable[[int], Head]:
        """``make``, watched."""
        return lambda seed: _Watched(make(seed), self, seed)

    def judge(self, X: npt.NDArray[Any], rows: npt.NDArray[Any], y: Labels, seed: int) -> None:
        """``X``: all photos' rows; ``rows`` and ``y``: those that are labeled."""
        if len(y) not in self.at:
            return
        for name, teach in self.others.items():
            right = teach(rows, y, seed).predict(X[self.test]) == self.truth[self.test]
            self.accuracy.setdefault(name, {})[len(y)] = float(np.mean(right))


class _Watched:
    classes_: npt.NDArray[Any]

    def __init__(self, head: Head, beside: Beside, seed: int) -> None:
        self.head, self.beside, self.seed = head, beside, seed

    def fit(self, X: npt.ArrayLike, y: npt.ArrayLike, *, groups: npt.ArrayLike | None = None) -> Self:
        self.taught = np.asarray(X), np.asarray(y)
        self.head.fit(X, y, groups=groups)
        self.classes_ = self.head.classes_
        return self

    def predict_proba(self, X: npt.ArrayLike) -> npt.NDArray[np.float64]:
        self.beside.judge(np.asarray(X), *self.taught, self.seed)
        return self.head.predict_proba(X)
