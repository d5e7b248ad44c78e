"""L2 logistic regression, strength by cross-validation, calibrated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import numpy as np
import numpy.typing as npt

from inference import logistic
from inference.heads.base import Examples, LinearHead, Progress, examples
from inference.heads.folds import choose, cross_fitted, training_size
from inference.threads import one_thread_each

# The grid, times 1 / d: standardised features have d times the squared length of one, so this is free of scale.
GRID = tuple(float(c) for c in 30.0 * np.logspace(-2, 1, 7))
# Cross-validation on a few dozen labels tells strengths apart badly. A prior on log(strength * d), with this middle
# and this deviation (in factors of e), settles what the labels leave open and fades as they grow.
_PRIOR_MIDDLE, _PRIOR_WIDTH = 30.0, 1.0


class LogisticHead(LinearHead):
    """L2 multinomial logistic regression on standardised features.

    Minimises sum_i v_i * logloss_i + ||W||^2 / (2 * strength), with class-balanced weights v_i that sum to n and an
    unpenalised intercept. The strength with the least held-out log-loss, after its own temperature and a weak prior on
    the strength, wins; probabilities are softmax(logits / temperature_), the temperature fitted on held-out
    logits (Guo et al. 2017). Features are standardised by the deviations of all rows, which no label has a part in.

    Follows scikit-learn's estimator rules, so it can be cloned and taught by modAL's ActiveLearner and Committee.

    Args:
        strengths: the grid, inverse penalties as scikit-learn's ``C``; None for 0.3 / d to 300 / d in seven steps.
        cv: folds; fewer when the smallest class has fewer labels (never below 2).
        balanced: weigh classes equally; otherwise each label counts 1.
        seed: shuffles the folds. Same X, y, seed and device give the same head, however many threads there are.
        device: where torch solves it, "cpu" or "cuda".

    Attributes:
        strength_: the strength chosen.
    """

    kind = "logistic"

    def __init__(
        self,
        *,
        strengths: Sequence[float] | None = None,
        cv: int = 5,
        balanced: bool = True,
        seed: int = 0,
        device: str = "cpu",
    ) -> None:
        self.strengths = strengths
        self.cv = cv
        self.balanced = balanced
        self.seed = seed
        self.device = device

    def fit_unjudged(self, X: npt.ArrayLike, y: npt.ArrayLike) -> Self:
        """Fit with the first of ``strengths`` alone. ``predict`` says what it would after ``fit``, at a third of the cost.

        Nothing is held out: probabilities are not calibrated, and there are none out of fold. Raises what ``fit`` raises.
        """
        given = examples(X, y)
        self.classes_, self.n_features_in_ = given.classes, given.rows.shape[1]
        self.strength_ = float((self.strengths or [GRID[0] / self.n_features_in_])[0])
        with one_thread_each():
            self._fit_all(logistic.space_of(given.rows, device=self.device), given)
        self.temperature_ = 1.0
        return self

    def _fit_all(self, space: logistic.Space, given: Examples) -> None:
        coef, intercept = logistic.coefficients(
            space, given.column, given.class_weight(self.balanced), [self.strength_], len(given.classes)
        )
        self.coef_, self.intercept_ = coef[0], intercept[0]

    def _learn(
        self, given: Examples, fold: npt.NDArray[np.intp], groups: npt.ArrayLike | None, report: Progress
    ) -> None:
        self.fit_in(logistic.space_of(given.rows, device=self.device), given, fold, report)

    def fit_in(
        self, space: logistic.Space, given: Examples, fold: npt.NDArray[np.intp], report: Progress
    ) -> None:
        """Fit in coordinates and folds that are there already; inside ``threads.one_thread_each``."""
        k, d, folds = len(given.classes), given.rows.shape[1], int(fold.max()) + 1
        strengths = [c / d for c in GRID] if self.strengths is None else list(self.strengths)
        prior = 0.5 * (np.log(np.asarray(strengths) * d / _PRIOR_MIDDLE) / _PRIOR_WIDTH) ** 2
        counts = given.sample_weight if given.weighted else None

        weight = np.stack([given.class_weight(self.balanced, fold != f) for f in range(folds)])
        held_out = np.zeros((len(strengths), len(given.rows), k))
        solved = logistic.held_out_logits(space, given.column, weight, fold, strengths, k)
        for done, (f, logits) in enumerate(solved, start=1):
            held_out[:, fold == f] = logits
            report(done, folds + 1)
        best, self.temperature_ = choose(held_out, given.column, prior, counts)
        self.strength_ = float(strengths[best])
        self.out_of_fold_proba_ = cross_fitted(held_out, given.column, fold, prior, counts)
        self.out_of_fold_size_ = training_size(fold)
        self._fit_all(space, given)
        self.classes_ = given.classes
        self.n_features_in_ = d
        report(folds + 1, folds + 1)
