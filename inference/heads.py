"""The small classifier on top of frozen embeddings: L2 logistic regression, strength by cross-validation, calibrated.

With about 100 labels and 1,000 or more features the problem lives in the row space: each training matrix is rotated
onto its singular directions first, so a fit costs what its labels cost, not what its features cost. All strengths are
then solved together (``inference.logistic``).

Knows nothing of backbones, projects or where labels come from.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from inference import calibrate
from inference.logistic import LogisticPath, fit_path

# Called with (fits done, fits in all) after each fit; may raise to cancel.
Progress = Callable[[int, int], None]

# The grid, times 1 / d: standardised features have d times the squared length of one, so this is free of scale.
_GRID = tuple(float(c) for c in 30.0 * np.logspace(-2, 1, 7))
# Cross-validation on a few dozen labels tells strengths apart badly. A prior on log(strength * d), with this middle
# and this deviation (in factors of e), settles what the labels leave open and fades as they grow.
_PRIOR_MIDDLE, _PRIOR_WIDTH = 30.0, 1.0


class TooFewLabels(ValueError):
    """A classifier needs labels of at least two classes."""


class LogisticHead(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """L2 multinomial logistic regression on standardised features.

    Minimises sum_i v_i * logloss_i + ||W||^2 / (2 * strength), with class-balanced weights v_i that sum to n and an
    unpenalised intercept. The strength with the least held-out log-loss, after its own temperature and a weak prior on
    the strength, wins; probabilities are softmax(logits / temperature_), the temperature fitted on held-out
    logits (Guo et al. 2017).

    Follows scikit-learn's estimator rules, so it can be cloned and taught by modAL's ActiveLearner and Committee.

    Args:
        strengths: the grid, inverse penalties as scikit-learn's ``C``; None for 0.3 / d to 300 / d in seven steps.
        cv: folds; fewer when the smallest class has fewer labels (never below 2).
        balanced: weigh classes equally; otherwise each label counts 1.
        seed: shuffles the folds. Same X, y, seed and device give the same head.

    Attributes:
        classes_: (k,) labels seen, sorted; the order of all columns.
        coef_, intercept_: (k, d), (k,) on raw features, before the temperature.
        strength_: the strength chosen.
        temperature_: the temperature of ``predict_proba``.
        out_of_fold_proba_: (n, k) probabilities for the training rows, each from a fit, a strength and a temperature
            that its own label had no part in.
    """

    classes_: npt.NDArray[Any]
    coef_: npt.NDArray[np.float64]
    intercept_: npt.NDArray[np.float64]
    strength_: float
    temperature_: float
    out_of_fold_proba_: npt.NDArray[np.float64]

    def __init__(
        self,
        *,
        strengths: Sequence[float] | None = None,
        cv: int = 5,
        balanced: bool = True,
        seed: int = 0,
    ) -> None:
        self.strengths = strengths
        self.cv = cv
        self.balanced = balanced
        self.seed = seed

    def fit(self, X: npt.ArrayLike, y: npt.ArrayLike, *, on_progress: Progress | None = None) -> LogisticHead:
        """Fit on X (n, d) and labels y (n,).

        Args:
            on_progress: called after each fold and after the final fit; whatever it raises comes out of here.

        Raises:
            TooFewLabels: fewer than two classes in ``y``.
            ValueError: X and y differ in length, or X holds NaN or infinity.
        """
        rows = np.asarray(X, dtype=np.float64)
        labels = np.asarray(y)
        if rows.ndim != 2 or len(rows) != len(labels):
            raise ValueError(f"X must be (n, d) and y (n,); got {rows.shape} and {labels.shape}.")
        if not np.isfinite(rows).all():
            raise ValueError("X holds NaN or infinity.")
        classes, column = np.unique(labels, return_inverse=True)
        if len(classes) < 2:
            raise TooFewLabels(
                f"Training needs ground truths of at least two classes; there are {len(labels)} of {len(classes)} class."
            )
        k, d = len(classes), rows.shape[1]
        strengths = [c / d for c in _GRID] if self.strengths is None else list(self.strengths)
        prior = 0.5 * (np.log(np.asarray(strengths) * d / _PRIOR_MIDDLE) / _PRIOR_WIDTH) ** 2
        fold = _stratified_folds(column, self.cv, self.seed)
        folds = int(fold.max()) + 1
        report = on_progress or (lambda done, total: None)

        held_out = np.zeros((len(strengths), len(rows), k))
        for f in range(folds):
            inside = fold != f
            path = self._fit_path(rows[inside], column[inside], strengths, k)
            held_out[:, ~inside] = path.logits(rows[~inside])
            report(f + 1, folds + 1)

        best, self.temperature_ = _choose(held_out, column, prior)
        self.strength_ = float(strengths[best])
        self.out_of_fold_proba_ = _cross_fitted(held_out, column, fold, prior)
        final = self._fit_path(rows, column, [self.strength_], k)
        self.coef_, self.intercept_ = final.coefficients(0)
        self.classes_ = classes
        self.n_features_in_ = rows.shape[1]
        report(folds + 1, folds + 1)
        return self

    def logits(self, X: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """(n, k) calibrated logits: their softmax is ``predict_proba``."""
        check_is_fitted(self, "coef_")
        rows = np.asarray(X)
        if rows.ndim != 2 or rows.shape[1] != self.coef_.shape[1]:
            raise ValueError(f"This head takes rows of {self.coef_.shape[1]} features; got {rows.shape}.")
        return np.asarray((rows @ self.coef_.T + self.intercept_) / self.temperature_)

    def decision_function(self, X: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Calibrated logits: (n,) for two classes (positive means ``classes_[1]``), else (n, k)."""
        logits = self.logits(X)
        return logits[:, 1] - logits[:, 0] if logits.shape[1] == 2 else logits

    def predict_proba(self, X: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """(n, k) calibrated probabilities, columns as ``classes_``."""
        return calibrate.softmax(self.logits(X))

    def predict(self, X: npt.ArrayLike) -> npt.NDArray[Any]:
        """(n,) the most probable class of each row."""
        return np.asarray(self.classes_[self.logits(X).argmax(axis=1)])

    def to_arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Everything that predictions need, as plain arrays (class labels excepted: they go into the manifest)."""
        check_is_fitted(self, "coef_")
        return {
            # safetensors writes memory as it lies, whatever the strides.
            "coef": np.ascontiguousarray(self.coef_),
            "intercept": self.intercept_,
            "temperature": np.asarray([self.temperature_]),
            "strength": np.asarray([self.strength_]),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]], classes: Sequence[Any]) -> LogisticHead:
        """A fitted head from ``to_arrays()`` and its class labels; it predicts, but holds no out-of-fold rows.

        Raises:
            ValueError: shapes do not belong together.
        """
        head = cls()
        head.classes_ = np.asarray(classes)
        head.coef_ = np.asarray(arrays["coef"], dtype=np.float64)
        head.intercept_ = np.asarray(arrays["intercept"], dtype=np.float64)
        head.temperature_ = float(arrays["temperature"][0])
        head.strength_ = float(arrays["strength"][0])
        k = len(head.classes_)
        if head.coef_.ndim != 2 or head.coef_.shape[0] != k or head.intercept_.shape != (k,):
            raise ValueError(
                f"Arrays do not fit {k} classes: coef {head.coef_.shape}, intercept {head.intercept_.shape}."
            )
        head.n_features_in_ = head.coef_.shape[1]
        return head

    def _fit_path(
        self, rows: npt.NDArray[np.float64], column: npt.NDArray[np.intp], strengths: Sequence[float], k: int
    ) -> LogisticPath:
        counts = np.bincount(column, minlength=k)
        if self.balanced:
            weight = len(column) / (np.count_nonzero(counts) * counts[column].astype(np.float64))
        else:
            weight = np.ones(len(column))
        return fit_path(rows, column, weight, strengths=strengths, n_classes=k)


def _stratified_folds(column: npt.NDArray[np.intp], cv: int, seed: int) -> npt.NDArray[np.intp]:
    """(n,) fold of each row: every class spread evenly, and the folds' sizes too.

    As many folds as ``cv``, but no more than the second smallest need be: a class of one or two labels must not force
    everything into two folds, it is simply absent from the training half of its own fold.
    """
    rng = np.random.default_rng(seed)
    counts = np.bincount(column)
    folds = max(2, min(cv, int(counts[counts > 0].max()), len(column)))
    if counts.min() >= 2:
        folds = max(2, min(folds, int(counts.min())))
    fold = np.empty(len(column), dtype=np.intp)
    offset = 0
    for c in range(len(counts)):
        members = rng.permutation(np.flatnonzero(column == c))
        # Going on where the last class stopped keeps small classes from all landing in fold 0.
        fold[members] = (offset + np.arange(len(members))) % folds
        offset += len(members)
    return fold


def _choose(
    held_out: npt.NDArray[np.float64], column: npt.NDArray[np.intp], prior: npt.NDArray[np.float64]
) -> tuple[int, float]:
    """Index of the strength with the least log-loss at its own temperature plus ``prior`` (nats), and its temperature."""
    temperatures = calibrate.temperatures(held_out, column)
    losses = [
        calibrate.log_loss(logits / t, column) for logits, t in zip(held_out, temperatures, strict=True)
    ]
    best = int(np.argmin(len(column) * np.asarray(losses) + prior))
    return best, float(temperatures[best])


def _cross_fitted(
    held_out: npt.NDArray[np.float64],
    column: npt.NDArray[np.intp],
    fold: npt.NDArray[np.intp],
    prior: npt.NDArray[np.float64],
) -> npt.NDArray[np.float64]:
    """(n, k) held-out probabilities; strength and temperature of each fold are chosen on the other folds."""
    proba = np.empty(held_out.shape[1:])
    for f in range(int(fold.max()) + 1):
        inside = fold == f
        best, t = _choose(held_out[:, ~inside], column[~inside], prior)
        proba[inside] = calibrate.softmax(held_out[best, inside] / t)
    return proba
