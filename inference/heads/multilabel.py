"""Several independent yes/no questions about one photo: one logistic regression each, one pass for all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import torch

from inference import logistic
from inference.heads.base import Array, LinearHead, Progress, TooFewLabels, examples
from inference.heads.logistic import LogisticHead

_CHOSEN = ("temperature", "strength", "prior")


class MultiLabelHead(LinearHead):
    """A :class:`LogisticHead` for each of k questions, on the rows whose answer to it is known.

    Rows are standardised and rotated once for all questions; strength, temperature and folds are each question's own. A
    row may say yes to all or to none: probabilities of a row need not sum to 1.

    ``fit`` takes y (n, k): 1 for yes, 0 for no, NaN for unknown; it raises TooFewLabels for a question without a yes or
    without a no, and ValueError where y holds anything else.

    Args:
        names: of the questions; 0 .. k - 1 if None.
        strengths, cv, balanced, seed, device: as LogisticHead's.

    Attributes:
        classes_: (k,) the questions' names.
        coef_, intercept_, temperature_: (k, d), (k,), (k,): the logit of yes, over its temperature.
        strength_, prior_: (k,).
        out_of_fold_proba_: (n, k) probability of yes; NaN where the answer is unknown.
        out_of_fold_size_: (k,).
    """

    kind = "multilabel"
    link = "sigmoid"

    def __init__(
        self,
        *,
        names: Sequence[Any] | None = None,
        strengths: Sequence[float] | None = None,
        cv: int = 5,
        balanced: bool | None = None,
        seed: int = 0,
        device: str = "cpu",
    ) -> None:
        self.names = names
        self.strengths = strengths
        self.cv = cv
        self.balanced = balanced
        self.seed = seed
        self.device = device

    def _fit(
        self,
        X: npt.ArrayLike,
        y: npt.ArrayLike,
        sample_weight: npt.ArrayLike | None,
        groups: npt.ArrayLike | None,
        report: Progress,
    ) -> None:
        answers = np.asarray(y, dtype=np.float64)
        rows = np.asarray(X)
        if answers.ndim != 2 or len(answers) != len(rows) or answers.shape[1] == 0:
            raise ValueError(f"X must be (n, d) and y (n, k); got {rows.shape} and {answers.shape}.")
        if not np.isin(answers[~np.isnan(answers)], (0.0, 1.0)).all():
            raise ValueError("Answers are 1, 0, or NaN where they are not known.")
        n, k = answers.shape
        names = np.arange(k) if self.names is None else np.asarray(self.names)
        if len(names) != k:
            raise ValueError(f"{len(names)} names for {k} questions.")
        for name, column in zip(names, answers.T, strict=True):
            if len(np.unique(column[~np.isnan(column)])) < 2:
                raise TooFewLabels(f"Training needs a yes and a no for each question; {name} lacks one.")
        given = examples(X, np.arange(n) % 2 if n > 1 else np.zeros(n), sample_weight, of=self)
        proba = np.full((n, k), np.nan)
        coef, intercept = np.empty((k, given.rows.shape[1])), np.empty(k)
        temperature, strength, prior, size = np.empty((4, k))
        space = logistic.space_of(given.rows, device=self.device)
        for q in range(k):

            def within(done: int, total: int, q: int = q) -> None:
                report(100 * q + 100 * done // total, 100 * k)

            known = np.flatnonzero(~np.isnan(answers[:, q]))
            one = examples(
                given.rows[known],
                answers[known, q].astype(np.int64),
                given.sample_weight[known] if given.weighted else None,
            )
            alike = None if groups is None else np.asarray(groups)[known]
            head = LogisticHead(strengths=self.strengths, cv=self.cv, balanced=self.balanced, seed=self.seed)
            design = space.design[torch.as_tensor(known, device=space.design.device)]
            head.fit_in(replace(space, design=design), one, alike, within)
            coef[q] = head.coef_[1] - head.coef_[0]
            intercept[q] = head.intercept_[1] - head.intercept_[0]
            temperature[q], strength[q], prior[q] = head.temperature_, head.strength_, head.prior_
            size[q] = head.out_of_fold_size_
            proba[known, q] = head.out_of_fold_proba_[:, 1]
        self.coef_, self.intercept_ = coef, intercept
        self.temperature_, self.strength_, self.prior_ = temperature, strength, prior
        self.out_of_fold_proba_, self.out_of_fold_size_ = proba, size
        self.classes_ = names

    def settings(self) -> dict[str, Any]:
        return {name: getattr(self, f"{name}_").tolist() for name in _CHOSEN}

    def decision_function(self, X: npt.ArrayLike) -> Array:
        """(n, k) calibrated logits of yes."""
        return self.logits(X)

    def predict_proba(self, X: npt.ArrayLike) -> Array:
        """(n, k) calibrated probability of yes to each question."""
        return np.asarray(0.5 + 0.5 * np.tanh(0.5 * self.logits(X)))

    def predict(self, X: npt.ArrayLike) -> npt.NDArray[Any]:
        """(n, k) 1 where yes is more probable than no."""
        return (self.logits(X) > 0).astype(np.int64)

    def score(self, X: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None) -> float:
        """Share of the known answers that are right."""
        answers = np.asarray(y, dtype=np.float64)
        known = ~np.isnan(answers)
        weight = np.ones(len(answers)) if sample_weight is None else np.asarray(sample_weight)
        right = self.predict(X) == answers
        return float(np.average(right[known], weights=np.broadcast_to(weight[:, None], known.shape)[known]))

    def to_arrays(self) -> dict[str, npt.NDArray[Any]]:
        return {
            "coef": np.ascontiguousarray(self.coef_),
            "intercept": self.intercept_,
            **{name: getattr(self, f"{name}_") for name in _CHOSEN},
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]], classes: Sequence[Any]) -> Self:
        head = cls(names=list(classes))
        head.classes_ = np.asarray(classes)
        k = len(head.classes_)
        # Heads of earlier releases had no prior.
        for name, array in {"prior": np.zeros(k), **arrays}.items():
            setattr(head, f"{name}_", np.asarray(array, dtype=np.float64))
        if head.coef_.ndim != 2 or any(
            len(each) != k for each in (head.coef_, head.intercept_, head.temperature_, head.prior_)
        ):
            raise ValueError(f"Arrays do not fit {k} questions: coef {head.coef_.shape}.")
        head.n_features_in_ = head.coef_.shape[1]
        return head
