"""One strategy under one seed, from the first photo to the last checkpoint.

A cold start without a model (``typical``; a strategy that needs no model goes its own way) until two classes have five
ground truths, then a head on all ground truths so far, trained again and the rest of the pool ordered again every few.

Knows nothing of what photos show or of where belief in their answers comes from.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from sklearn.metrics import roc_auc_score

from inference import strategies
from inference.heads import LogisticHead
from inference.replay.pace import Pace
from inference.replay.people import HELD, People
from inference.strategies import Pool, Strategy

#: A model before two classes have so many ground truths would be a guess.
LEAST_A_CLASS = 5

Floats = npt.NDArray[np.float32]
Indexes = npt.NDArray[np.int64]


class Head(Protocol):
    """What a replay asks of a classifier: scikit-learn's rules."""

    classes_: npt.NDArray[Any]

    def fit(self, X: npt.ArrayLike, y: npt.ArrayLike, *, groups: npt.ArrayLike | None = None) -> Any: ...
    def predict_proba(self, X: npt.ArrayLike) -> npt.NDArray[np.float64]: ...


#: seed -> an unfitted head.
MakeHead = Callable[[int], Head]
#: Called with the number of ground truths after each training; may raise to stop.
OnProgress = Callable[[int], None]


@dataclass(frozen=True)
class Point:
    """Where a replay stands at one number of ground truths.

    Attributes:
        accuracy: on the photos set aside.
        accuracy_unlabeled: on those and on all of the pool that no one labeled: what a machine would decide.
        auroc: on the photos set aside; macro over classes, one against the rest; 0.5 without a model.
        human_decisions: labelers' answers and reviewers' rulings so far, those on held photos included.
        wrong: share of the ground truths that contradict the truth.
        right: (len(test),) whether each photo set aside is judged right.
    """

    labels: int
    accuracy: float
    accuracy_unlabeled: float
    auroc: float
    human_decisions: int
    wrong: float
    right: npt.NDArray[np.bool_] = field(compare=False, repr=False)


def split(
    truth: npt.NDArray[np.int64],
    seed: int,
    share: float = 0.25,
    groups: npt.NDArray[np.int64] | None = None,
) -> Indexes:
    """Sorted indexes of the photos set aside: this share of each class, drawn at random; groups (n,) are drawn whole."""
    rng = np.random.default_rng([seed, 3])
    named = np.arange(len(truth)) if groups is None else np.unique(groups, return_index=True)[1]
    parts = [rng.permutation(named[truth[named] == c]) for c in np.unique(truth)]
    drawn = np.concatenate([part[: round(len(part) * share)] for part in parts])
    return np.sort(drawn) if groups is None else np.flatnonzero(np.isin(groups, groups[drawn]))


def pool_beside(
    test: Indexes, photos: int, groups: npt.NDArray[np.int64] | None = None
) -> npt.NDArray[np.bool_]:
    """(photos,) what may be labeled: neither set aside, nor a near-duplicate of what is."""
    pool = np.ones(photos, dtype=bool)
    pool[test] = False
    return pool if groups is None else pool & ~np.isin(groups, groups[test])


def replay(
    X: Floats,
    people: People,
    strategy: str | Strategy,
    *,
    test: Indexes,
    seed: int,
    pace: Pace | None = None,
    checkpoints: Sequence[int],
    groups: npt.NDArray[np.int64] | None = None,
    make_head: MakeHead = lambda seed: LogisticHead(seed=seed),
    on_progress: OnProgress | None = None,
) -> list[Point]:
    """A point at each checkpoint.

    Args:
        X: (n, d) embeddings of all photos.
        test: indexes of the photos set aside; all others are the pool.
        checkpoints: ascending numbers of ground truths, none above the pool's size.
        groups: (n,) photos with the same entry are near-duplicates: see :func:`pool_beside`.
    """
    pace = pace or Pace()
    chosen = strategies.get(strategy) if isinstance(strategy, str) else strategy
    checkpoints = list(checkpoints)
    pool = pool_beside(test, len(X), groups)
    if not checkpoints or checkpoints != sorted(set(checkpoints)) or checkpoints[0] < 1:
        raise ValueError("checkpoints must be ascending and positive.")
    if checkpoints[-1] > pool.sum():
        raise ValueError(f"The pool has {pool.sum()} photos, too few for the checkpoint {checkpoints[-1]}.")
    known = _Known()
    points: list[Point] = []
    proba: npt.NDArray[np.float64] | None = None
    queue: list[tuple[int, bool]] = []
    stops = sorted({*checkpoints, *range(pace.retrain_every, checkpoints[-1], pace.retrain_every)})
    for stop in stops:
        while len(known.photos) < stop:
            if not queue:
                ready = proba is not None and _may_train(people, known, pace)
                queue = _next(X, pool, known, people, chosen, proba if ready else None, pace, seed)
            photo, at_boundary = queue.pop(0)
            pool[photo] = False
            known.take(photo, *people.asked(photo, at_boundary=at_boundary))
        at_training = stop % pace.retrain_every == 0
        if at_training:
            queue = []
        if stop in checkpoints or (at_training and _may_train(people, known, pace)):
            proba = _fit(X, known, people, make_head(seed), groups)
        if stop in checkpoints:
            points.append(_measure(proba, people, test, pool, known))
        if on_progress is not None:
            on_progress(len(known.photos))
    return points


@dataclass
class _Known:
    """What people have settled so far, in turn, and the human decisions that it took."""

    photos: list[int] = field(default_factory=list)
    truths: list[int] = field(default_factory=list)
    decisions: int = 0

    @property
    def given(self) -> npt.NDArray[np.int64]:
        return np.array(self.truths, dtype=np.int64)

    def take(self, photo: int, ground_truth: int, decisions: int) -> None:
        self.decisions += decisions
        if ground_truth != HELD:
            self.photos.append(photo)
            self.truths.append(ground_truth)


def _may_train(people: People, known: _Known, pace: Pace) -> bool:
    counts = np.bincount(known.given, minlength=people.classes)
    return bool(np.sum(counts >= LEAST_A_CLASS) >= 2 and len(known.photos) >= pace.cold_start)


def _fit(
    X: Floats, known: _Known, people: People, head: Head, groups: npt.NDArray[np.int64] | None
) -> npt.NDArray[np.float64] | None:
    """(n, k) probabilities of all photos, 0 for classes without a ground truth; None with a single class or group."""
    given = known.given
    alike = None if groups is None else groups[known.photos]
    if len(np.unique(given)) < 2 or (alike is not None and len(np.unique(alike)) < 2):
        return None
    head.fit(X[known.photos], given, groups=alike)
    proba = np.zeros((len(X), people.classes))
    proba[:, np.asarray(head.classes_, dtype=np.int64)] = head.predict_proba(X)
    return proba


def _next(
    X: Floats,
    pool: npt.NDArray[np.bool_],
    known: _Known,
    people: People,
    strategy: Strategy,
    proba: npt.NDArray[np.float64] | None,
    pace: Pace,
    seed: int,
) -> list[tuple[int, bool]]:
    """The photos to show until the next training, and whether each is of the boundary band.

    Raises:
        ValueError: none is left, as people hold too many.
    """
    settled = len(known.photos)
    count = pace.retrain_every - settled % pace.retrain_every
    left = np.flatnonzero(pool)
    if not len(left):
        raise ValueError(f"The pool ends at {settled} ground truths: people hold the others.")
    # A strategy that needs a model and has none starts with typical photos by itself.
    ordering = strategy.order(
        Pool(
            ids=left,
            embeddings=X[left],
            proba=None if proba is None else proba[left],
            labeled_embeddings=X[known.photos],
            labeled_y=known.given,
        ),
        bands=pace.bands if strategy.paced else 1,
        seed=seed * 1000 + settled,
        careful=count,
    )
    order = ordering.order
    if proba is not None and strategy.paced:
        # From the band that is due inward; what was left further out comes when nothing else is left.
        due = ordering.band[order] >= pace.band(settled)
        order = np.concatenate([order[due], order[~due]])
    first = order[:count]
    inside = (proba is not None and strategy.paced) & (ordering.band[first] == pace.bands - 1)
    return list(zip(left[first].tolist(), inside.tolist(), strict=True))


def _measure(
    proba: npt.NDArray[np.float64] | None,
    people: People,
    test: Indexes,
    pool: npt.NDArray[np.bool_],
    known: _Known,
) -> Point:
    truth = people.truth
    if proba is None:
        # One class among the ground truths: the best guess is that class.
        seen = known.truths[0]
        right, auroc = truth == seen, 0.5
    else:
        right, auroc = proba.argmax(axis=1) == truth, _auroc(truth[test], proba[test])
    unlabeled = pool.copy()
    unlabeled[test] = True
    return Point(
        labels=len(known.photos),
        accuracy=float(right[test].mean()),
        accuracy_unlabeled=float(right[unlabeled].mean()),
        auroc=auroc,
        human_decisions=known.decisions,
        wrong=float((known.given != truth[known.photos]).mean()),
        right=np.asarray(right[test]),
    )


def _auroc(truth: npt.NDArray[np.int64], proba: npt.NDArray[np.float64]) -> float:
    areas = [
        roc_auc_score(truth == c, proba[:, c])
        for c in range(1 if proba.shape[1] == 2 else 0, proba.shape[1])
        if 0 < np.sum(truth == c) < len(truth)
    ]
    return float(np.mean(areas)) if areas else 0.5
