"""Folds for cross-validation, and honest choices from what they held out."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from inference import calibrate

Array = npt.NDArray[np.float64]
Columns = npt.NDArray[np.intp]


def stratified_folds(column: Columns, cv: int, seed: int, groups: npt.ArrayLike | None = None) -> Columns:
    """(n,) fold of each row: every class spread evenly, and the folds' sizes too.

    As many folds as ``cv``, but no more than the smallest class can fill; a class of a single label must not force
    everything into two folds, it is simply absent from the training half of its own fold.

    Args:
        column: (n,) classes, 0 .. k - 1.
        groups: (n,) rows with the same entry stay in one fold, as photos of one thing should.

    Raises:
        ValueError: groups of another length, or all rows in one group.
    """
    if groups is None:
        return _spread(column, cv, seed)
    names, member = np.unique(np.asarray(groups), return_inverse=True)
    member = member.reshape(-1)
    if len(member) != len(column):
        raise ValueError(f"{len(member)} groups for {len(column)} rows.")
    if len(names) < 2:
        raise ValueError("Cross-validation needs rows of at least two groups.")
    votes = np.zeros((len(names), int(column.max()) + 1))
    np.add.at(votes, (member, column), 1.0)
    return _spread(votes.argmax(axis=1), cv, seed)[member]


def _spread(column: Columns, cv: int, seed: int) -> Columns:
    rng = np.random.default_rng(seed)
    counts = np.bincount(column)
    there = counts[counts > 0]
    folds = max(2, min(cv, int(there.max()), len(column)))
    if there.min() >= 2:
        folds = max(2, min(folds, int(there.min())))
    fold = np.empty(len(column), dtype=np.intp)
    offset = 0
    for c in range(len(counts)):
        members = rng.permutation(np.flatnonzero(column == c))
        # Going on where the last class stopped keeps small classes from all landing in fold 0.
        fold[members] = (offset + np.arange(len(members))) % folds
        offset += len(members)
    return fold


def training_size(group: Columns) -> float:
    """Labels behind a held-out row's fit, on average over the rows, where rows of one group (n,) are held out together."""
    counts = np.bincount(group).astype(np.float64)
    return float(len(group) - (counts**2).sum() / max(1, len(group)))


def choose(
    held_out: Array, column: Columns, prior: Array | None = None, weight: Array | None = None
) -> tuple[int, float]:
    """The setting with the least held-out log-loss at its own temperature plus ``prior``, and that temperature.

    Args:
        held_out: (S, n, k) logits under S settings.
        column: (n,) true columns.
        prior: (S,) nats that count against a setting, over all rows together.
        weight: (n,) how much each row counts; 1 each if None.
    """
    temperatures = calibrate.temperatures(held_out, column, weight=weight)
    total = float(len(column) if weight is None else weight.sum())
    losses = np.array(
        [
            total * calibrate.log_loss(logits / t, column, weight=weight)
            for logits, t in zip(held_out, temperatures, strict=True)
        ]
    )
    best = int(np.argmin(losses if prior is None else losses + prior))
    return best, float(temperatures[best])


def cross_fitted(
    held_out: Array,
    column: Columns,
    fold: Columns,
    prior: Array | None = None,
    weight: Array | None = None,
) -> Array:
    """(n, k) held-out probabilities; setting and temperature of each fold are chosen on the other folds."""
    proba = np.empty(held_out.shape[1:])
    for f in range(int(fold.max()) + 1):
        inside = fold == f
        others = None if weight is None else weight[~inside]
        best, t = choose(held_out[:, ~inside], column[~inside], prior, others)
        proba[inside] = calibrate.softmax(held_out[best, inside] / t)
    return proba
