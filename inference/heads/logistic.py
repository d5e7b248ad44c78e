"""L2 logistic regression, strength by cross-validation, calibrated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import numpy as np
import numpy.typing as npt

from inference import logistic
from inference.heads.base import Array, Examples, LinearHead, Progress, examples
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
    logits (Guo et al. 2017). Features are standardised by the deviations of all rows, which no label has a part in; their
    means do not matter, as the intercept is free.

    Follows scikit-learn's estimator rules, so it can be cloned and taught by modAL's ActiveLearner and Committee.

    Args:
        strengths: the grid, inverse penalties as scikit-learn's ``C``; None for 0.3 / d to 300 / d in seven steps.
        cv: folds; fewer when the smallest class has fewer labels (never below 2).
        balanced: True: classes weigh the same; None: and held-out rows choose how far their shares count after all; False:
            each label counts 1.
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
        balanced: bool | None = None,
        seed: int = 0,
        device: str = "cpu",
    ) -> None:
        self.strengths = strengths
        self.cv = cv
        self.balanced = balanced
        self.seed = seed
        self.device = device

    def fit_unjudged(
        self, X: npt.ArrayLike, y: npt.ArrayLike, *, temperature: float = 1.0, prior: float = 0.0
    ) -> Self:
        """Fit with the first of ``strengths`` alone. ``predict`` says what it would after a ``fit`` that chose this
        temperature and prior, at a third of the cost.

        Nothing is held out, so there are no probabilities out of fold. Raises what ``fit`` raises.
        """
        given = examples(X, y)
        self.classes_, self.n_features_in_ = given.classes, given.rows.shape[1]
        self.strength_ = float((self.strengths or [GRID[0] / self.n_features_in_])[0])
        self.temperature_, self.prior_ = temperature, prior
        self.shares_ = np.bincount(given.column) / len(given.column)
        with one_thread_each():
            self._fit_all(logistic.space_of(given.rows, device=self.device), given)
        return self

    def _fit_all(self, space: logistic.Space, given: Examples) -> None:
        coef, intercept = logistic.coefficients(
            space, given.column, given.class_weight(self.balanced), [self.strength_], len(given.classes)
        )
        self.coef_, self.intercept_ = coef[0], intercept[0] + self.temperature_ * self.offset_

    def _strengths(self, given: Examples) -> list[float]:
        d = given.rows.shape[1]
        return [c / d for c in GRID] if self.strengths is None else list(self.strengths)

    def _space(self, given: Examples) -> logistic.Space:
        return logistic.space_of(given.rows, device=self.device)

    def _penalty(self, given: Examples) -> Array:
        scaled = np.asarray(self._strengths(given)) * given.rows.shape[1] / _PRIOR_MIDDLE
        return np.asarray(0.5 * (np.log(scaled) / _PRIOR_WIDTH) ** 2)

    def _held_out(
        self, space: logistic.Space, given: Examples, fold: npt.NDArray[np.intp], report: Progress
    ) -> Array:
        k, folds, strengths = len(given.classes), int(fold.max()) + 1, self._strengths(given)
        held_out = np.zeros((len(strengths), len(given.rows), k))
        if folds > 1:
            weight = np.stack([given.class_weight(self.balanced, fold != f) for f in range(folds)])
            solved = logistic.held_out_logits(space, given.column, weight, fold, strengths, k)
            for done, (f, logits) in enumerate(solved, start=1):
                held_out[:, fold == f] = logits
                report(done, folds + 1)
        return held_out

    def _settle(self, space: logistic.Space, given: Examples, setting: int, report: Progress) -> None:
        self.strength_ = float(self._strengths(given)[setting])
        self._fit_all(space, given)
        report(1, 1)
