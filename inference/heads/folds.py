"""Folds for cross-validation, and honest choices from what they held out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from inference import calibrate

Array = npt.NDArray[np.float64]
Columns = npt.NDArray[np.intp]
Mask = npt.NDArray[np.bool_]

# How much of the classes' log-shares may count; in this order, the first where several are equally good.
_PRIORS = (0.0, 0.5, 1.0)
# Where a class has less than this share of the labels of the most frequent one, shares do not count: they would make a
# head silent about what people look for.
_RARE = 0.25


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


@dataclass(frozen=True)
class Chosen:
    """The place of the setting, the temperature, and how much of the classes' log-shares is added after it."""

    setting: int
    temperature: float
    prior: float


@dataclass(frozen=True)
class HeldOut:
    """What fits said of rows that they had not seen.

    Attributes:
        logits: (S, n, k) under S settings, before any temperature. A class that a fold's fit had no label of has no logit;
            whatever stands there is not looked at.
        column: (n,) true columns.
        fold: (n,) rows of one fold were held out together.
        penalty: (S,) nats that count against a setting, over all rows together.
        weight: (n,) how much each row counts; 1 each if None.
        balanced: whether classes count the same; None to choose by log-loss, unless one is rare, when they do.
    """

    logits: Array
    column: Columns
    fold: Columns
    penalty: Array | None = None
    weight: Array | None = None
    balanced: bool | None = True

    @cached_property
    def _others(self) -> Array:
        """(folds, k) weight of each class outside of each fold."""
        k = self.logits.shape[2]
        every = np.bincount(self.column, weights=self.weight, minlength=k)
        inside = np.zeros((int(self.fold.max()) + 1, k))
        np.add.at(inside, (self.fold, self.column), 1.0 if self.weight is None else self.weight)
        return np.asarray(every - inside)

    @cached_property
    def known(self) -> Mask:
        """(n, k) whether the row's fit had labels of the class."""
        counts = np.zeros((int(self.fold.max()) + 1, self.logits.shape[2]), dtype=np.intp)
        np.add.at(counts, (self.fold, self.column), 1)
        return np.asarray((counts.sum(axis=0) - counts > 0)[self.fold])

    @cached_property
    def seen(self) -> Array:
        """(n,) labels behind each row's fit."""
        return np.asarray((len(self.fold) - np.bincount(self.fold))[self.fold], dtype=np.float64)

    def chosen(self, rows: Mask | None = None) -> Chosen:
        """The setting with the least held-out log-loss at its own temperature, and then the prior with the least.

        Rows whose own class the fit did not know say nothing of either: no setting would have made them right.
        """
        there = self.known[np.arange(len(self.column)), self.column]
        if rows is not None:
            there &= rows
        column, weight = self.column[there], None if self.weight is None else self.weight[there]
        logits = np.where(self.known[there], self.logits[:, there], -np.inf)
        losses, _ = _fitted(logits, column, weight, 0.0)
        if self.penalty is None and not len(column):
            setting = len(losses) // 2
        else:
            setting = int(np.argmin(losses if self.penalty is None else losses + self.penalty))
        shares = self._log_shares[self.fold[there]]
        priors = self._priors
        tilted = [_fitted(logits[[setting]], column, weight, prior * shares) for prior in priors]
        best = int(np.argmin([loss[0] for loss, _ in tilted]))
        return Chosen(setting, float(tilted[best][1][0]), priors[best])

    def proba(self, apart: Sequence[Chosen] | None = None) -> Array:
        """(n, k) probabilities; what ``chosen`` says is chosen for each fold on the other folds.

        Args:
            apart: what was chosen for each fold without its labels having taught the other folds' fits either.

        A class that the fit had no label of gets Laplace's rule of succession, whatever the temperature: 1 / (n + 1 + m)
        after n labels, with m such classes.
        """
        out = np.empty(self.logits.shape[1:])
        for f in range(int(self.fold.max()) + 1):
            inside = self.fold == f
            found = self.chosen(~inside) if apart is None else apart[f]
            logits = self.logits[found.setting, inside] / found.temperature
            out[inside] = np.where(self.known[inside], logits + found.prior * self._log_shares[f], -np.inf)
        absent = (~self.known).sum(axis=1, keepdims=True)
        unseen = 1.0 / (self.seen[:, None] + 1.0 + absent)
        return np.asarray(np.where(self.known, calibrate.softmax(out) * (1.0 - absent * unseen), unseen))

    @cached_property
    def _priors(self) -> tuple[float, ...]:
        if self.balanced is not None:
            return (0.0,) if self.balanced else (1.0,)
        mass = np.bincount(self.column, weights=self.weight)
        return _PRIORS if mass.min() >= _RARE * mass.max() else (0.0,)

    @cached_property
    def _log_shares(self) -> Array:
        """(folds, k) log of each class's share outside of each fold; 0 where it has none."""
        return log_shares(self._others)


def log_shares(mass: Array) -> Array:
    """Log of each class's share of the weight (..., k); 0 for a class without any."""
    share = mass / np.maximum(mass.sum(axis=-1, keepdims=True), 1e-300)
    return np.asarray(np.log(np.where(mass > 1e-12, share, 1.0)))


def _fitted(
    logits: Array, column: Columns, weight: Array | None, offset: Array | float
) -> tuple[Array, Array]:
    """(S,) total log-losses of logits (S, n, k), each at its own temperature, and (S,) these."""
    temperatures = calibrate.temperatures(logits, column, weight=weight, offset=offset)
    if not len(column):
        return np.zeros(len(logits)), temperatures
    total = float(len(column) if weight is None else weight.sum())
    losses = [
        total * calibrate.log_loss(each / t + offset, column, weight=weight)
        for each, t in zip(logits, temperatures, strict=True)
    ]
    return np.array(losses), temperatures
