"""Ridge regression on class indicators, with exact leave-one-out scores at the price of one fit."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from inference.heads.base import Array, Examples, LinearHead, Progress
from inference.heads.folds import choose, cross_fitted, training_size
from inference.logistic import space_of

# Penalties, times d: standardised rows have a squared length of about d.
_PENALTIES = tuple(float(c) for c in np.logspace(-2.5, 2.0, 10))


class RidgeHead(LinearHead):
    """Weighted ridge regression of +1 (its class) and -1 (another), one column a class.

    Minimises sum_i v_i * |t_i - W x_i - b|^2 + |W|^2 / strength on standardised features. With H the hat matrix of the
    weighted problem, intercept included, the residual of row i under the fit without it is

        r_i / (1 - H_ii)                                (Allen 1974, PRESS; Golub, Heath & Wahba 1979),

    and that of rows G left out together is (I - H_GG)^-1 r_G, both exactly. One singular decomposition gives H for every
    strength. The strength with the least log-loss on leave-one-out scores, at its own temperature, wins.

    Args:
        strengths: inverse penalties; None for ten around 1 / d.
        balanced: weigh classes equally.
        seed: of the folds on which strengths are chosen for each other's rows in ``out_of_fold_proba_``.

    Attributes:
        strength_: the strength chosen.
    """

    kind = "ridge"

    def __init__(
        self, *, strengths: Sequence[float] | None = None, cv: int = 5, balanced: bool = True, seed: int = 0
    ) -> None:
        self.strengths = strengths
        self.cv = cv
        self.balanced = balanced
        self.seed = seed

    def _learn(
        self, given: Examples, fold: npt.NDArray[np.intp], groups: npt.ArrayLike | None, report: Progress
    ) -> None:
        d = given.rows.shape[1]
        strengths = [1.0 / (c * d) for c in _PENALTIES] if self.strengths is None else list(self.strengths)
        counts = given.sample_weight if given.weighted else None
        space = space_of(given.rows)
        fit = _Fit(
            space.design[:, :-1].double().numpy(),
            2.0 * np.eye(len(given.classes))[given.column] - 1.0,
            given.class_weight(self.balanced),
        )
        members = _members(groups)
        left_out = np.stack([fit.left_out_scores(1.0 / s, members) for s in strengths])
        best, self.temperature_ = choose(left_out, given.column, weight=counts)
        self.out_of_fold_proba_ = cross_fitted(left_out, given.column, fold, weight=counts)
        n = len(given.rows)
        self.out_of_fold_size_ = training_size(
            np.arange(n) if groups is None else np.unique(np.asarray(groups), return_inverse=True)[1]
        )
        weights, bias = fit.coefficients(1.0 / strengths[best])
        basis, scale = space.basis.double().numpy(), space.scale.numpy()
        self.coef_ = (basis @ weights).T / scale
        self.intercept_ = bias - self.coef_ @ space.mean.numpy()
        self.strength_ = float(strengths[best])
        report(1, 1)


class _Fit:
    """Weighted ridge for every penalty, from one decomposition of the centred, weighted rows."""

    def __init__(self, rows: Array, target: Array, weight: Array) -> None:
        self.rows, self.target, self.root = rows, target, np.sqrt(weight)
        total = weight.sum()
        self.row_mean, self.target_mean = weight @ rows / total, weight @ target / total
        centred = self.root[:, None] * (rows - self.row_mean)
        spectrum, self.right = np.linalg.eigh(centred.T @ centred)
        self.spectrum = np.maximum(spectrum, 0.0)
        # Left singular vectors times singular values, and what they make of the targets.
        self.turned = centred @ self.right
        self.moment = self.turned.T @ (self.root[:, None] * (target - self.target_mean))
        self.level = weight / total

    def coefficients(self, penalty: float) -> tuple[Array, Array]:
        """(r, k) weights and (k,) intercepts."""
        weights = self.right @ (self.moment / (self.spectrum + penalty)[:, None])
        return weights, self.target_mean - self.row_mean @ weights

    def left_out_scores(self, penalty: float, members: Sequence[npt.NDArray[np.intp]] | None) -> Array:
        """(n, k) scores, each from the fit without its row, or without all rows of its group."""
        shrunk = self.turned / (self.spectrum + penalty)
        residual = self.root[:, None] * (self.target - self.target_mean) - shrunk @ self.moment
        if members is None:
            hat = self.level + np.einsum("ij,ij->i", shrunk, self.turned)
            # Rounding may take a row that nothing else holds up to 1 and beyond.
            left_out = residual / np.maximum(1.0 - hat, 1e-9)[:, None]
        else:
            left_out = np.empty_like(residual)
            for group in members:
                hat_block = shrunk[group] @ self.turned[group].T + np.outer(
                    np.sqrt(self.level[group]), np.sqrt(self.level[group])
                )
                lifted = np.eye(len(group)) - hat_block
                left_out[group] = np.linalg.lstsq(lifted, residual[group], rcond=1e-9)[0]
        return np.asarray(self.target - left_out / self.root[:, None])


def _members(groups: npt.ArrayLike | None) -> list[npt.NDArray[np.intp]] | None:
    if groups is None:
        return None
    _, member = np.unique(np.asarray(groups), return_inverse=True)
    return [np.flatnonzero(member.reshape(-1) == g) for g in range(int(member.max()) + 1)]
