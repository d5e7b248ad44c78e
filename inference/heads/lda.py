"""Linear discriminant analysis with a shrunken covariance."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from inference.heads.base import Array, Examples, LinearHead, Progress
from inference.heads.folds import Columns
from inference.logistic import Space, space_of

_SHRINKAGES = (0.01, 0.03, 0.1, 0.2, 0.4, 0.6, 0.8, 0.9, 0.97)


class LdaHead(LinearHead):
    """Gaussian classes with one covariance, shrunken towards the identity of standardised features.

    Covariance: (1 - a) * S / n + a * I, with S the scatter within classes and a the shrinkage (Friedman 1989; Ledoit & Wolf
    2004 derive a for least squared error, here it is the one with the least log-loss on held-out rows). One decomposition
    of S serves all shrinkages.

    Args:
        shrinkages: the grid for a, each in (0, 1].
        balanced: True: equal priors; False: the classes' shares; None: held-out rows choose how far the shares count.
        seed, cv: of the folds.

    Attributes:
        strength_: the shrinkage chosen.
    """

    kind = "lda"

    def __init__(
        self,
        *,
        shrinkages: Sequence[float] = _SHRINKAGES,
        cv: int = 5,
        balanced: bool | None = None,
        seed: int = 0,
    ) -> None:
        self.shrinkages = shrinkages
        self.cv = cv
        self.balanced = balanced
        self.seed = seed

    def _space(self, given: Examples) -> Space:
        return space_of(given.rows)

    def _counts_alike(self) -> bool | None:
        return self.balanced

    def _held_out(self, space: Space, given: Examples, fold: npt.NDArray[np.intp], report: Progress) -> Array:
        n, d, k, folds = *given.rows.shape, len(given.classes), int(fold.max()) + 1
        rows = space.design[:, :-1].double().numpy()
        held_out = np.zeros((len(self.shrinkages), n, k))
        for f in range(folds):
            inside = fold == f
            if not inside.all():
                fit = _Fit(rows[~inside], given.column[~inside], given.sample_weight[~inside], k, d)
                held_out[:, inside] = [fit.scores(rows[inside], a) for a in self.shrinkages]
            report(f + 1, folds + 1)
        return held_out

    def _settle(self, space: Space, given: Examples, setting: int, report: Progress) -> None:
        self.strength_ = float(self.shrinkages[setting])
        rows = space.design[:, :-1].double().numpy()
        fit = _Fit(rows, given.column, given.sample_weight, len(given.classes), given.rows.shape[1])
        self._place(*fit.coefficients(self.strength_), space)
        report(1, 1)


class _Fit:
    """Class means and the eigenbasis of the scatter within classes."""

    def __init__(self, rows: Array, column: Columns, weight: Array, k: int, features: int) -> None:
        mass = np.bincount(column, weights=weight, minlength=k)
        self.total = float(weight.sum())
        share = np.eye(k)[column] * weight[:, None]
        means = (share.T @ rows) / np.where(mass > 0, mass, 1.0)[:, None]
        centred = np.sqrt(weight)[:, None] * (rows - means[column])
        spectrum, self.basis = np.linalg.eigh(centred.T @ centred)
        self.spectrum = np.maximum(spectrum, 0.0)
        self.means = means @ self.basis
        # Distances grow with the features; divided by this, scores stay within a temperature's reach.
        self.unit = float(np.sqrt(features))

    def coefficients(self, shrinkage: float) -> tuple[Array, Array]:
        """(r, k) weights and (k,) intercepts."""
        inverse = 1.0 / ((1.0 - shrinkage) / self.total * self.spectrum + shrinkage)
        weights = (self.means * inverse).T
        bias = -0.5 * np.einsum("kr,rk->k", self.means, weights)
        return self.basis @ weights / self.unit, bias / self.unit

    def scores(self, rows: Array, shrinkage: float) -> Array:
        """(rows, k) scores of other rows."""
        weights, bias = self.coefficients(shrinkage)
        return np.asarray(rows @ weights + bias)
