"""What all heads share: scikit-learn's rules, checked input, calibrated logits, plain arrays."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from inference import calibrate
from inference.heads.folds import stratified_folds
from inference.threads import one_thread_each

Array = npt.NDArray[np.float64]

# Called with (fits done, fits in all) after each fit; may raise to cancel.
Progress = Callable[[int, int], None]


class TooFewLabels(ValueError):
    """A classifier needs labels of at least two classes."""


@dataclass(frozen=True)
class Examples:
    """Checked training data.

    Attributes:
        rows: (n, d) finite, float32 or float64.
        column: (n,) the place of each label in ``classes``.
        classes: (k,) labels seen, sorted; k is at least 2.
        sample_weight: (n,) positive; ones unless the caller weighs rows.
        weighted: whether the caller did.
    """

    rows: npt.NDArray[np.floating[Any]]
    column: npt.NDArray[np.intp]
    classes: npt.NDArray[Any]
    sample_weight: Array
    weighted: bool

    def class_weight(self, balanced: bool, inside: npt.NDArray[np.bool_] | None = None) -> Array:
        """(n,) sample weights, scaled so that the classes among the rows ``inside`` weigh the same.

        Over ``inside`` they sum to what the sample weights sum to there; elsewhere they are 0.
        """
        weight = self.sample_weight if inside is None else np.where(inside, self.sample_weight, 0.0)
        if not balanced:
            return np.array(weight)
        mass = np.bincount(self.column, weights=weight, minlength=len(self.classes))
        share = weight.sum() / (np.count_nonzero(mass) * np.where(mass > 0, mass, 1.0))
        return np.asarray(weight * share[self.column])


def examples(X: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None) -> Examples:
    """Check rows (n, d), labels (n,) and weights (n,).

    Raises:
        TooFewLabels: fewer than two classes in ``y``.
        ValueError: lengths differ, X holds NaN or infinity, or a weight is not positive.
    """
    rows = np.asarray(X)
    if rows.dtype not in (np.float32, np.float64):
        rows = rows.astype(np.float64)
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
    weight = np.ones(len(rows)) if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
    if weight.shape != (len(rows),) or not (np.isfinite(weight).all() and (weight > 0).all()):
        raise ValueError("Sample weights must be positive, one a row.")
    return Examples(rows, column, classes, weight, sample_weight is not None)


class Head(ABC, ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A small classifier on embeddings.

    Attributes:
        kind: its name in manifests.
        link: "softmax" over k exclusive classes, or "sigmoid" for k questions of their own.
        classes_: (k,) labels seen, sorted; the order of all columns.
        temperature_: calibration of ``predict_proba``, fitted on held-out logits (Guo et al. 2017).
        out_of_fold_proba_: (n, k) probabilities for the training rows, each from a fit, settings and a temperature
            that its own label had no part in.
        out_of_fold_size_: labels behind each of those fits, on average: all but a fold, or all but one.
    """

    kind: ClassVar[str]
    link: ClassVar[str] = "softmax"

    classes_: npt.NDArray[Any]
    temperature_: Any
    out_of_fold_proba_: Array
    out_of_fold_size_: Any
    n_features_in_: int

    cv: int
    seed: int

    def fit(
        self,
        X: npt.ArrayLike,
        y: npt.ArrayLike,
        *,
        on_progress: Progress | None = None,
        sample_weight: npt.ArrayLike | None = None,
        groups: npt.ArrayLike | None = None,
    ) -> Self:
        """Fit on X (n, d) and labels y (n,).

        Args:
            on_progress: called with (done, total) fits; whatever it raises comes out of here.
            sample_weight: (n,) positive; how much each row counts.
            groups: (n,) rows with the same entry are never on both sides of a split: views of one photo, say.

        Raises:
            TooFewLabels: fewer than two classes in ``y``.
            ValueError: lengths differ, X holds NaN or infinity, or a weight is not positive.
        """
        with one_thread_each():
            self._fit(X, y, sample_weight, groups, on_progress or (lambda done, total: None))
        return self

    def _fit(
        self,
        X: npt.ArrayLike,
        y: npt.ArrayLike,
        sample_weight: npt.ArrayLike | None,
        groups: npt.ArrayLike | None,
        report: Progress,
    ) -> None:
        """One label a row. A head that takes something else overrides this and needs no ``_learn``."""
        given = examples(X, y, sample_weight)
        fold = stratified_folds(given.column, self.cv, self.seed, groups)
        self._learn(given, fold, groups, report)
        self.classes_ = given.classes
        self.n_features_in_ = given.rows.shape[1]

    def _learn(
        self, given: Examples, fold: npt.NDArray[np.intp], groups: npt.ArrayLike | None, report: Progress
    ) -> None:
        """Set all fitted attributes but ``classes_`` and ``n_features_in_``. ``fold`` (n,) holds each row's fold."""
        raise NotImplementedError

    @abstractmethod
    def logits(self, X: npt.ArrayLike) -> Array:
        """(n, k) calibrated logits: their softmax is ``predict_proba``."""

    @abstractmethod
    def to_arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Everything that predictions need, as plain arrays (class labels excepted: they go into the manifest)."""

    @classmethod
    @abstractmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]], classes: Sequence[Any]) -> Self:
        """A fitted head from ``to_arrays()`` and its class labels; it predicts, but holds no out-of-fold rows.

        Raises:
            KeyError, ValueError: arrays are missing, or shapes do not belong together.
        """

    def settings(self) -> dict[str, Any]:
        """What fitting chose, for a manifest; JSON-ready."""
        return {"temperature": float(self.temperature_)}

    def decision_function(self, X: npt.ArrayLike) -> Array:
        """Calibrated logits: (n,) for two classes (positive means ``classes_[1]``), else (n, k)."""
        logits = self.logits(X)
        return np.asarray(logits[:, 1] - logits[:, 0]) if logits.shape[1] == 2 else logits

    def predict_proba(self, X: npt.ArrayLike) -> Array:
        """(n, k) calibrated probabilities, columns as ``classes_``."""
        return calibrate.softmax(self.logits(X))

    def predict(self, X: npt.ArrayLike) -> npt.NDArray[Any]:
        """(n,) the most probable class of each row."""
        return np.asarray(self.classes_[self.logits(X).argmax(axis=1)])

    def _rows(self, X: npt.ArrayLike) -> npt.NDArray[Any]:
        check_is_fitted(self, "n_features_in_")
        rows = np.asarray(X)
        if rows.ndim != 2 or rows.shape[1] != self.n_features_in_:
            raise ValueError(f"This head takes rows of {self.n_features_in_} features; got {rows.shape}.")
        return rows


class LinearHead(Head):
    """A head whose logits are linear in the raw features.

    Attributes:
        coef_, intercept_: (k, d), (k,) on raw features, before the temperature.
        strength_: the setting chosen (see the kind).
    """

    coef_: Array
    intercept_: Array
    strength_: Any

    def settings(self) -> dict[str, Any]:
        return {"temperature": float(self.temperature_), "strength": float(self.strength_)}

    def logits(self, X: npt.ArrayLike) -> Array:
        return np.asarray((self._rows(X) @ self.coef_.T + self.intercept_) / self.temperature_)

    def to_arrays(self) -> dict[str, npt.NDArray[Any]]:
        check_is_fitted(self, "coef_")
        return {
            # safetensors writes memory as it lies, whatever the strides.
            "coef": np.ascontiguousarray(self.coef_),
            "intercept": np.ascontiguousarray(self.intercept_),
            "temperature": np.asarray([self.temperature_]),
            "strength": np.asarray([self.strength_]),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]], classes: Sequence[Any]) -> Self:
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
