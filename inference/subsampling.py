"""A project's own learning curve from the labels it has: fits on parts of them, judged by the others.

Stratified folds; in each, nested random parts of the training side in a few sizes, each judged by the fold's test side.
So every label judges every size once a round, and even the first model version has a curve. The largest size is
free: it is what cross-validation of the whole has computed already, be it in folds or leaving out one label at a time.

The curve is about labels drawn like those at hand. Where a strategy chose them they are harder than the pool, and a
curve over them is lower than one over photos drawn at random.

Knows nothing of projects: arrays in, points out.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import clone
from sklearn.model_selection import StratifiedKFold

from inference.forecast import CurvePoint
from inference.heads import FusedHead, LogisticHead, Progress
from inference.heads.folds import stratified_folds

Floats = npt.NDArray[np.floating[Any]]
Ints = npt.NDArray[np.integer[Any]]
#: Fits on (rows (m, d), columns (m,)) and gives the predicted columns of other rows.
Fit = Callable[[Floats, Ints], Callable[[Floats], Ints]]

_LEAST = 8
_SIZES = 5
_FOLDS = 5
#: Labels beyond this are not needed to see a slope, and each costs time.
_MOST = 4_000


def curve(
    X: Floats,
    column: Ints,
    oof_proba: Floats,
    *,
    oof_size: float,
    fit: Fit,
    seed: int,
    groups: npt.ArrayLike | None = None,
    on_progress: Progress | None = None,
) -> list[CurvePoint]:
    """Points of the learning curve, smallest size first; empty with too few labels for two sizes.

    Args:
        X: (n, d) embeddings.
        column: (n,) true columns.
        oof_proba: (n, k) out-of-fold probabilities of the head as it is: the point of the largest size.
        oof_size: labels behind each of its fits, on average (a head's ``out_of_fold_size_``).
        fit: makes a predictor; about ``_SIZES * _FOLDS`` times the number of rounds it is called.
        seed: draws folds and parts.
        groups: (n,) rows with the same entry stay on one side, as ``Head.fit``.
        on_progress: called with (done, total) fits; may raise to cancel.
    """
    column = np.asarray(column)
    right = np.asarray(oof_proba).argmax(axis=1) == column
    n = len(column)
    rng = np.random.default_rng(seed)
    chosen = np.sort(rng.permutation(n)[:_MOST]) if n > _MOST else np.arange(n)
    counts = np.bincount(column[chosen])
    folds = int(min(_FOLDS, np.sort(counts)[-2])) if np.count_nonzero(counts) > 1 else 0
    if folds < 2:
        return []
    # No point may stand beyond the last, which a class of two labels, in folds of its own, brings down to half.
    largest = min(int(len(chosen) * (1 - 1 / folds)), int(oof_size))
    sizes = _sizes(largest, classes=int(np.count_nonzero(counts)))
    if not sizes:
        return []
    alike = None if groups is None else np.asarray(groups)[chosen]
    rounds = 3 if n <= 200 else 2 if n <= 600 else 1
    hits: dict[int, list[float]] = {size: [] for size in sizes}
    done, total = 0, rounds * folds * len(sizes)
    for turn in range(rounds):
        splits = _splits(column[chosen], folds, (seed + 7919 * turn) % 2**31, alike)
        for inside, outside in splits:
            order = _stratified_order(column[chosen[inside]], rng)
            test = chosen[outside]
            for size in sizes:
                rows = chosen[inside[order[:size]]]
                if len(rows) == size and len(np.unique(column[rows])) > 1:
                    predict = fit(X[rows], column[rows])
                    hits[size].append(float(np.mean(predict(X[test]) == column[test])))
                done += 1
                if on_progress is not None:
                    on_progress(done, total)
    points = [
        CurvePoint(
            n=size,
            accuracy=float(np.mean(found)),
            # Fits of one round share labels: their mean is less certain than that of as many strangers would be.
            spread=float(np.std(found, ddof=1) / np.sqrt(min(len(found), 2 * folds))),
            judged=len(chosen),
        )
        for size, found in hits.items()
        if len(found) >= 2
    ]
    points.append(CurvePoint(n=int(oof_size), accuracy=float(right.mean()), spread=0.0, judged=n))
    return points


def _splits(
    column: npt.NDArray[Any], folds: int, seed: int, groups: npt.NDArray[Any] | None
) -> list[tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]]:
    """(inside, outside) rows of each fold, classes in their shares."""
    if groups is not None:
        fold = stratified_folds(column, folds, seed, groups)
        return [(np.flatnonzero(fold != f), np.flatnonzero(fold == f)) for f in np.unique(fold)]
    splitter = StratifiedKFold(folds, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        # A class may have fewer members than folds; that is allowed for here.
        warnings.simplefilter("ignore", UserWarning)
        return list(splitter.split(np.zeros(len(column)), column))


def refit(head: Any) -> Fit:
    """How to fit ``head``'s kind again, cheaply: its strength is kept instead of being chosen again.

    ``head`` follows scikit-learn's rules and is fitted. A logistic one holds nothing out any more; what cross-validation
    others still do is brought down to two folds.
    """
    bare = _settled(head)

    def once(X: Floats, column: Ints) -> Callable[[Floats], Ints]:
        fresh = clone(bare)
        if isinstance(fresh, LogisticHead) and hasattr(head, "strength_"):
            return fresh.fit_unjudged(X, column, temperature=head.temperature_, prior=head.prior_).predict
        fitted = fresh.fit(X, column)
        return lambda rows: np.asarray(fitted.classes_)[fitted.predict_proba(rows).argmax(axis=1)]

    return once


def _settled(head: Any) -> Any:
    """An unfitted head of the same kind that has nothing left to choose but a temperature."""
    bare = clone(head)
    known = bare.get_params(deep=False)
    changes: dict[str, Any] = {
        name: [float(head.strength_)]
        for name in ("strengths", "shrinkages")
        if name in known and hasattr(head, "strength_")
    }
    if isinstance(head, FusedHead):
        changes["heads"] = [_settled(part) for part in head.parts_]
        changes["widths"] = head.widths_
    if "cv" in known:
        changes["cv"] = 2
    return bare.set_params(**changes)


def _sizes(largest: int, *, classes: int) -> list[int]:
    """Up to ``_SIZES`` sizes below ``largest``, evenly spaced on a logarithmic axis."""
    least = max(_LEAST, 3 * classes)
    if largest < 2 * least:
        # A dozen labels: two small sizes still show whether more labels help at all.
        found = {max(2 * classes, largest // 3), max(2 * classes + 1, 2 * largest // 3)}
    else:
        found = {int(size) for size in np.geomspace(least, largest, _SIZES + 1)[:-1].round()}
    return sorted(size for size in found if size < largest)


def _stratified_order(column: Ints, rng: np.random.Generator) -> npt.NDArray[np.intp]:
    """A random order whose every beginning holds the classes in about their shares, each at least early once."""
    place = np.empty(len(column))
    for c in np.unique(column):
        members = rng.permutation(np.flatnonzero(column == c))
        place[members] = (np.arange(len(members)) + rng.uniform(0.0, 1.0)) / len(members)
        place[members[0]] = -1.0 + rng.uniform()
    return np.argsort(place, kind="stable")
