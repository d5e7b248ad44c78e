"""What all heads share: scikit-learn's rules, checked input, calibrated logits, plain arrays."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from inference import calibrate
from inference.heads.folds import Chosen, HeldOut, log_shares, stratified_folds
from inference.logistic import Space
from inference.onnx_graph import Graph
from inference.threads import one_thread_each

Array = npt.NDArray[np.float64]

# Called with (fits done, fits in all) after each fit; may raise to cancel.
Progress = Callable[[int, int], None]


# Up to so many rows, what is chosen for a fold is chosen on fits that its labels had no part in. The other folds' held-out
# rows come from fits that they taught: of few rows that is enough to know when to be sure (on noise, two and three labels a
# class, ridge regression's log-loss was .03 nats below chance); of more it fades.
_FEW = 60


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

    def only(self, rows: npt.NDArray[np.bool_]) -> Examples:
        """Those of ``rows`` (n,); classes stay, though they may be without any."""
        return replace(
            self, rows=self.rows[rows], column=self.column[rows], sample_weight=self.sample_weight[rows]
        )

    def class_weight(self, balanced: bool | None, inside: npt.NDArray[np.bool_] | None = None) -> Array:
        """(n,) sample weights, scaled so that the classes among the rows ``inside`` weigh the same.

        Over ``inside`` they sum to what the sample weights sum to there; elsewhere they are 0. Only where ``balanced`` is
        False do rows weigh what they weigh.
        """
        weight = self.sample_weight if inside is None else np.where(inside, self.sample_weight, 0.0)
        if balanced is False:
            return np.array(weight)
        mass = np.bincount(self.column, weights=weight, minlength=len(self.classes))
        share = weight.sum() / (np.count_nonzero(mass) * np.where(mass > 0, mass, 1.0))
        return np.asarray(weight * share[self.column])


def examples(
    X: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None, *, of: Head | None = None
) -> Examples:
    """Check rows (n, d), labels (n,) and weights (n,).

    Args:
        of: the head to fit, which learns the number (and names) of the features.

    Raises:
        TooFewLabels: fewer than two classes in ``y``.
        ValueError: what scikit-learn's estimators refuse (sparse, complex or empty rows, NaN, infinity, labels that are
            no classes, lengths that differ), or a weight that is not positive.
    """
    if np.asarray(y).shape == (0,):
        raise TooFewLabels("Training needs ground truths of at least two classes; there are none.")
    head = BaseEstimator() if of is None else of
    rows, labels = validate_data(head, X, y, dtype=[np.float64, np.float32])
    check_classification_targets(labels)
    classes, column = np.unique(labels, return_inverse=True)
    if len(classes) < 2:
        raise TooFewLabels(
            f"Training needs ground truths of at least two classes; there are {len(labels)} of {len(classes)} class."
        )
    weight = _check_sample_weight(sample_weight, rows, dtype=np.float64)
    if not (weight > 0).all():
        raise ValueError("Sample weights must be positive, one a row.")
    return Examples(rows, column, classes, weight, sample_weight is not None)


class Head(ABC, ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A small classifier on embeddings.

    Attributes:
        kind: its name in manifests.
        link: "softmax" over k exclusive classes, or "sigmoid" for k questions of their own.
        classes_: (k,) labels seen, sorted; the order of all columns.
        temperature_: calibration of ``predict_proba``, fitted on held-out logits (Guo et al. 2017).
        prior_: how much of the logarithms of the classes' shares is added to the logits after the temperature (the logit
            adjustment of Menon et al. 2021, which takes them out, put back): 0 where classes count the same.
        shares_: (k,) those shares.
        out_of_fold_proba_: (n, k) probabilities for the training rows, each from a fit, settings and a temperature
            that its own label had no part in.
        out_of_fold_known_: (n, k) whether that fit had labels of the class.
        out_of_fold_size_: labels behind each of those fits, on average.
    """

    kind: ClassVar[str]
    link: ClassVar[str] = "softmax"

    classes_: npt.NDArray[Any]
    temperature_: Any
    prior_: Any
    shares_: Array
    out_of_fold_proba_: Array
    out_of_fold_known_: npt.NDArray[np.bool_]
    out_of_fold_size_: Any
    n_features_in_: int

    cv: int
    seed: int
    balanced: bool | None

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
            TooFewLabels, ValueError: as ``examples``.
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
        """One label a row. A head that takes something else, or has parts, overrides this."""
        given = examples(X, y, sample_weight, of=self)
        self.fit_in(self._space(given), given, groups, report)

    def fit_in(self, space: Any, given: Examples, groups: npt.ArrayLike | None, report: Progress) -> None:
        """Fit on checked rows in coordinates that are there already (see ``_space``); inside ``threads.one_thread_each``."""
        fold = stratified_folds(given.column, self.cv, self.seed, groups)
        held_out = self._judged(space, given, fold, report)
        few = len(given.rows) <= _FEW
        apart = (
            [self._apart(given.only(fold != f), fold != f, groups) for f in range(int(fold.max()) + 1)]
            if few
            else None
        )
        chosen = held_out.chosen()
        self.temperature_, self.prior_ = chosen.temperature, chosen.prior
        mass = np.bincount(given.column, weights=given.sample_weight)
        self.shares_ = mass / mass.sum()
        self.out_of_fold_proba_, self.out_of_fold_known_ = held_out.proba(apart), held_out.known
        self.out_of_fold_size_ = float(held_out.seen.mean())
        self._settle(space, given, chosen.setting, report)
        self.classes_ = given.classes

    def _apart(self, given: Examples, rows: npt.NDArray[np.bool_], groups: npt.ArrayLike | None) -> Chosen:
        """What cross-validation within ``given``, which are ``rows`` of all, would choose."""
        inner = None if groups is None else np.asarray(groups)[rows]
        if len(given.rows) < 2 or (inner is not None and len(np.unique(inner)) < 2):
            fold = np.zeros(len(given.rows), dtype=np.intp)
        else:
            fold = stratified_folds(given.column, self.cv, self.seed, inner)
        return self._judged(self._space(given), given, fold, lambda done, total: None).chosen()

    def _judged(self, space: Any, given: Examples, fold: npt.NDArray[np.intp], report: Progress) -> HeldOut:
        logits = self._held_out(space, given, fold, report)
        counts = given.sample_weight if given.weighted else None
        return HeldOut(logits, given.column, fold, self._penalty(given), counts, self._counts_alike())

    def _space(self, given: Examples) -> Any:
        """What all fits share, if anything; no label has a part in it."""
        return None

    def _held_out(self, space: Any, given: Examples, fold: npt.NDArray[np.intp], report: Progress) -> Array:
        """(S, n, k) logits under S settings, of each fold's rows by a fit on the others. ``fold`` is (n,)."""
        raise NotImplementedError

    def _penalty(self, given: Examples) -> Array | None:
        """(S,) nats that count against a setting."""
        return None

    def _counts_alike(self) -> bool | None:
        """As ``HeldOut.balanced``. Where rows weigh what they weigh, the classes' shares have counted already."""
        return True if self.balanced is False else self.balanced

    def _settle(self, space: Any, given: Examples, setting: int, report: Progress) -> None:
        """Fit on all rows with the setting of that place; temperature and prior are there."""
        raise NotImplementedError

    @property
    def offset_(self) -> Array:
        """(k,) what the classes' shares add to the logits, after the temperature."""
        return np.asarray(self.prior_ * log_shares(self.shares_))

    @abstractmethod
    def logits(self, X: npt.ArrayLike) -> Array:
        """(n, k) calibrated logits: their softmax is ``predict_proba``."""

    def express(self, graph: Graph, rows: str) -> str:
        """Write ``logits`` into an ONNX graph: of rows (n, d) float64, by name, to the name of (n, k) calibrated logits.

        Raises:
            NotImplementedError: a kind that cannot be written so, and then cannot leave this program.
        """
        raise NotImplementedError(f"A head of kind {self.kind} cannot be written as ONNX.")

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
        return {"temperature": float(self.temperature_), "prior": float(self.prior_)}

    def decision_function(self, X: npt.ArrayLike) -> Array:
        """Calibrated logits: (n,) for two classes (positive means ``classes_[1]``), else (n, k)."""
        logits = self.logits(X)
        return np.asarray(logits[:, 1] - logits[:, 0]) if logits.shape[1] == 2 else logits

    def predict_proba(self, X: npt.ArrayLike) -> Array:
        """(n, k) calibrated probabilities, columns as ``classes_``."""
        return calibrate.softmax(self.logits(X))

    def predict(self, X: npt.ArrayLike) -> npt.NDArray[Any]:
        """(n,) the most probable class of each row."""
        best = self.logits(X).argmax(axis=1)
        return np.asarray(self.classes_[best])

    def _read_prior(self, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        """Heads of earlier releases had none."""
        k = len(self.classes_)
        self.prior_ = float(arrays["prior"][0]) if "prior" in arrays else 0.0
        self.shares_ = np.asarray(arrays["shares"] if "shares" in arrays else np.full(k, 1.0 / k))
        if self.shares_.shape != (k,):
            raise ValueError(f"Arrays do not fit {k} classes: shares {self.shares_.shape}.")

    def _rows(self, X: npt.ArrayLike) -> npt.NDArray[Any]:
        check_is_fitted(self, "classes_")
        return np.asarray(validate_data(self, X, reset=False, dtype=[np.float64, np.float32]))


class LinearHead(Head):
    """A head whose logits are linear in the raw features.

    Attributes:
        coef_, intercept_: (k, d), (k,) on raw features, before the temperature; ``offset_`` times it is in the intercept.
        strength_: the setting chosen (see the kind).
    """

    coef_: Array
    intercept_: Array
    strength_: Any

    def settings(self) -> dict[str, Any]:
        return {**super().settings(), "strength": float(self.strength_)}

    def logits(self, X: npt.ArrayLike) -> Array:
        return np.asarray((self._rows(X) @ self.coef_.T + self.intercept_) / self.temperature_)

    def express(self, graph: Graph, rows: str) -> str:
        temperature = np.broadcast_to(self.temperature_, self.intercept_.shape)
        return graph.affine(rows, self.coef_ / temperature[:, None], self.intercept_ / temperature)

    def to_arrays(self) -> dict[str, npt.NDArray[Any]]:
        check_is_fitted(self, "coef_")
        return {
            # safetensors writes memory as it lies, whatever the strides.
            "coef": np.ascontiguousarray(self.coef_),
            "intercept": np.ascontiguousarray(self.intercept_),
            "temperature": np.asarray([self.temperature_]),
            "strength": np.asarray([self.strength_]),
            "prior": np.asarray([self.prior_]),
            "shares": self.shares_,
        }

    def _place(self, weights: Array, bias: Array, space: Space) -> None:
        """Set ``coef_`` and ``intercept_`` from (r, k) weights and (k,) intercepts in the coordinates of ``space``."""
        # As it lies once read back: BLAS sums in another order where memory lies otherwise, and the last bit would differ.
        self.coef_ = np.ascontiguousarray((space.basis.double().numpy() @ weights).T / space.scale.numpy())
        self.intercept_ = bias - self.coef_ @ space.mean.numpy() + self.temperature_ * self.offset_

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]], classes: Sequence[Any]) -> Self:
        head = cls()
        head.classes_ = np.asarray(classes)
        head.coef_ = np.asarray(arrays["coef"], dtype=np.float64)
        head.intercept_ = np.asarray(arrays["intercept"], dtype=np.float64)
        head.temperature_ = float(arrays["temperature"][0])
        head.strength_ = float(arrays["strength"][0])
        head._read_prior(arrays)
        k = len(head.classes_)
        if head.coef_.ndim != 2 or head.coef_.shape[0] != k or head.intercept_.shape != (k,):
            raise ValueError(
                f"Arrays do not fit {k} classes: coef {head.coef_.shape}, intercept {head.intercept_.shape}."
            )
        head.n_features_in_ = head.coef_.shape[1]
        return head
