"""Ridge regression on class indicators."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from inference.heads.base import Array, Examples, LinearHead, Progress
from inference.logistic import Space, space_of

# Penalties, times d: standardised rows have a squared length of about d.
_PENALTIES = tuple(float(c) for c in np.logspace(-2.5, 2.0, 10))


class RidgeHead(LinearHead):
    """Weighted ridge regression of +1 (its class) and -1 (another), one column a class.

    Minimises sum_i v_i * |t_i - W x_i - b|^2 + |W|^2 / strength on standardised features. One decomposition of the weighted
    rows serves every strength; the one with the least log-loss on held-out rows, at its own temperature, wins.

    Args:
        strengths: inverse penalties; None for ten around 1 / d.
        balanced: True: classes weigh the same; None: and held-out rows choose how far their shares count after all; False:
            each label counts 1.
        seed, cv: of the folds.

    Attributes:
        strength_: the strength chosen.
    """

    kind = "ridge"

    def __init__(
        self,
        *,
        strengths: Sequence[float] | None = None,
        cv: int = 5,
        balanced: bool | None = None,
        seed: int = 0,
    ) -> None:
        self.strengths = strengths
        self.cv = cv
        self.balanced = balanced
        self.seed = seed

    def _strengths(self, given: Examples) -> list[float]:
        d = given.rows.shape[1]
        return [1.0 / (c * d) for c in _PENALTIES] if self.strengths is None else list(self.strengths)

    def _space(self, given: Examples) -> Space:
        return space_of(given.rows)

    def _held_out(self, space: Space, given: Examples, fold: npt.NDArray[np.intp], report: Progress) -> Array:
        strengths, folds = self._strengths(given), int(fold.max()) + 1
        rows, target = _problem(space, given)
        held_out = np.zeros((len(strengths), *target.shape))
        for f in range(folds):
            inside = fold == f
            if not inside.all():
                weight = given.class_weight(self.balanced, ~inside)[~inside]
                fit = _Fit(rows[~inside], target[~inside], weight)
                held_out[:, inside] = [fit.scores(rows[inside], 1.0 / s) for s in strengths]
            report(f + 1, folds + 1)
        return held_out

    def _settle(self, space: Space, given: Examples, setting: int, report: Progress) -> None:
        self.strength_ = float(self._strengths(given)[setting])
        fit = _Fit(*_problem(space, given), given.class_weight(self.balanced))
        self._place(*fit.coefficients(1.0 / self.strength_), space)
        report(1, 1)


def _problem(space: Space, given: Examples) -> tuple[Array, Array]:
    """Rows in the coordinates of ``space``, and their targets (n, k)."""
    return space.design[:, :-1].double().numpy(), 2.0 * np.eye(len(given.classes))[given.column] - 1.0


class _Fit:
    """Weighted ridge for every penalty, from one decomposition of the centred, weighted rows."""

    def __init__(self, rows: Array, target: Array, weight: Array) -> None:
        root, total = np.sqrt(weight)[:, None], weight.sum()
        self.row_mean, self.target_mean = weight @ rows / total, weight @ target / total
        centred = root * (rows - self.row_mean)
        spectrum, self.right = np.linalg.eigh(centred.T @ centred)
        self.spectrum = np.maximum(spectrum, 0.0)
        self.moment = (centred @ self.right).T @ (root * (target - self.target_mean))

    def coefficients(self, penalty: float) -> tuple[Array, Array]:
        """(r, k) weights and (k,) intercepts."""
        weights = self.right @ (self.moment / (self.spectrum + penalty)[:, None])
        return weights, self.target_mean - self.row_mean @ weights

    def scores(self, rows: Array, penalty: float) -> Array:
        """(rows, k) scores of other rows."""
        weights, bias = self.coefficients(penalty)
        return np.asarray(rows @ weights + bias)
