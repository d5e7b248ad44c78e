"""Linear discriminant analysis with a shrunken covariance, with exact leave-one-out scores at the price of one fit."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from inference.heads.base import Array, Examples, LinearHead, Progress
from inference.heads.folds import Columns, choose, cross_fitted, training_size
from inference.logistic import space_of

_SHRINKAGES = (0.01, 0.03, 0.1, 0.2, 0.4, 0.6, 0.8, 0.9, 0.97)


class LdaHead(LinearHead):
    """Gaussian classes with one covariance, shrunken towards the identity of standardised features.

    Covariance: (1 - a) * S / n + a * I, with S the scatter within classes and a the shrinkage (Friedman 1989; Ledoit & Wolf
    2004 derive a for least squared error, here it is the one with the least log-loss on leave-one-out scores). Leaving
    row x of class c out takes a rank-one piece from the scatter and moves one mean,

        S' = S - n_c / (n_c - 1) * (x - m_c)(x - m_c)^T,     x - m_c' = n_c / (n_c - 1) * (x - m_c),

    so the inverse follows from Sherman and Morrison's formula, exactly and for every row at once, in the eigenbasis of S.
    Weighted or grouped rows are scored by folds instead.

    Args:
        shrinkages: the grid for a, each in (0, 1].
        balanced: equal priors; otherwise the classes' shares.
        seed, cv: of the folds.

    Attributes:
        strength_: the shrinkage chosen.
    """

    kind = "lda"

    def __init__(
        self, *, shrinkages: Sequence[float] = _SHRINKAGES, cv: int = 5, balanced: bool = True, seed: int = 0
    ) -> None:
        self.shrinkages = shrinkages
        self.cv = cv
        self.balanced = balanced
        self.seed = seed

    def _learn(
        self, given: Examples, fold: npt.NDArray[np.intp], groups: npt.ArrayLike | None, report: Progress
    ) -> None:
        k = len(given.classes)
        counts = given.sample_weight if given.weighted else None
        space = space_of(given.rows)
        rows = space.design[:, :-1].double().numpy()
        d = given.rows.shape[1]
        fit = _Fit(rows, given.column, given.sample_weight, k, self.balanced, d)
        alone = groups is None and not given.weighted
        self.out_of_fold_size_ = training_size(np.arange(len(rows)) if alone else fold)
        if alone:
            held_out = np.stack([fit.left_out_scores(a) for a in self.shrinkages])
        else:
            held_out = np.empty((len(self.shrinkages), len(rows), k))
            for f in range(int(fold.max()) + 1):
                inside = fold == f
                other = _Fit(
                    rows[~inside],
                    given.column[~inside],
                    given.sample_weight[~inside],
                    k,
                    self.balanced,
                    d,
                )
                held_out[:, inside] = [other.scores(rows[inside], a) for a in self.shrinkages]
        best, self.temperature_ = choose(held_out, given.column, weight=counts)
        self.out_of_fold_proba_ = cross_fitted(held_out, given.column, fold, weight=counts)
        weights, bias = fit.coefficients(self.shrinkages[best])
        basis, scale = space.basis.double().numpy(), space.scale.numpy()
        self.coef_ = (basis @ weights).T / scale
        self.intercept_ = bias - self.coef_ @ space.mean.numpy()
        self.strength_ = float(self.shrinkages[best])
        report(1, 1)


class _Fit:
    """Class means and the eigenbasis of the scatter within classes."""

    def __init__(
        self, rows: Array, column: Columns, weight: Array, k: int, balanced: bool, features: int = 1
    ) -> None:
        self.column, self.k = column, k
        self.mass = np.bincount(column, weights=weight, minlength=k)
        self.total = float(weight.sum())
        share = np.eye(k)[column] * weight[:, None]
        means = (share.T @ rows) / np.where(self.mass > 0, self.mass, 1.0)[:, None]
        centred = np.sqrt(weight)[:, None] * (rows - means[column])
        spectrum, self.basis = np.linalg.eigh(centred.T @ centred)
        self.spectrum = np.maximum(spectrum, 0.0)
        self.rows, self.means = rows @ self.basis, means @ self.basis
        # Distances grow with the features; divided by this, scores stay within a temperature's reach.
        self.unit = float(np.sqrt(features))
        self.prior = np.zeros(k) if balanced else np.log(np.maximum(self.mass, 1e-9) / self.total)

    def coefficients(self, shrinkage: float) -> tuple[Array, Array]:
        """(r, k) weights and (k,) intercepts."""
        inverse = 1.0 / ((1.0 - shrinkage) / self.total * self.spectrum + shrinkage)
        weights = (self.means * inverse).T
        bias = self.prior - 0.5 * np.einsum("kr,rk->k", self.means, weights)
        return self.basis @ weights / self.unit, bias / self.unit

    def scores(self, rows: Array, shrinkage: float) -> Array:
        """(rows, k) scores of other rows; a class without rows gets Laplace's 1 / (n + 1)."""
        weights, bias = self.coefficients(shrinkage)
        return self._absent(rows @ weights + bias, np.tile(self.mass == 0, (len(rows), 1)))

    def left_out_scores(self, shrinkage: float) -> Array:
        """(n, k) scores, each from the fit without its row."""
        inverse = 1.0 / ((1.0 - shrinkage) / max(self.total - 1.0, 1.0) * self.spectrum + shrinkage)
        at = np.arange(len(self.column))
        own, size = self.column, self.mass[self.column]
        single = size < 2
        factor = np.where(single, 1.0, size / np.where(single, 1.0, size - 1.0))
        scaled = self.rows * inverse
        square = np.einsum("ir,ir->i", self.rows, scaled)[:, None]
        cross = scaled @ self.means.T
        between = (self.means * inverse) @ self.means.T
        to_mean = square - 2.0 * cross + np.diag(between)
        # (x - m_j) against (x - m_c), in the metric of all rows.
        against = square - cross[at, own][:, None] - cross + between[own]
        piece = (1.0 - shrinkage) / max(self.total - 1.0, 1.0) * factor
        bend = 1.0 - piece * to_mean[at, own]
        distance = to_mean + (piece / np.maximum(bend, 1e-12))[:, None] * against**2
        distance[at, own] *= factor**2
        gone = np.zeros(distance.shape, dtype=bool)
        gone[at[single], own[single]] = True
        return self._absent((self.prior - 0.5 * distance) / self.unit, gone)

    def _absent(self, scores: Array, gone: npt.NDArray[np.bool_]) -> Array:
        if not gone.any():
            return scores
        seen = np.where(gone, -np.inf, scores)
        top = seen.max(axis=1, keepdims=True)
        level = top + np.log(np.exp(seen - top).sum(axis=1, keepdims=True))
        return np.where(gone, level - np.log(self.total + 1.0), scores)
