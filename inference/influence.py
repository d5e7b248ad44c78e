"""Labels that a head leans on most, and labels that it doubts.

*Influence*: what would change if one label were left out, by one Newton step from the fitted head: the gradient of its
loss through the inverse Hessian, divided by one minus its leverage (Koh & Liang 2017, with the leverage correction of
Pregibon 1981, which makes the step exact where the loss is quadratic). No refit is needed.

*Suspicion*: confident learning (Northcutt, Jiang & Chuang 2021): a label is doubted where the out-of-fold probability of
another class is at least as high as is usual for photos that people gave that other class (or above .8: a head that is
nearly always certain would otherwise doubt hardly anything).

Knows nothing of photos: arrays in, row numbers and figures out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.linalg import cho_factor, cho_solve

from inference.calibrate import softmax
from inference.logistic import standardisation

Array = npt.NDArray[np.float64]
Floats = npt.NDArray[np.floating[Any]]
Ints = npt.NDArray[np.integer[Any]]

# The intercept is not penalised; this much weaker than a weight is as good as not at all, and keeps the matrix regular.
_FREE = 1e-6
# The most that "as sure as usual" asks for before a label is doubted.
_CERTAIN = 0.8


@dataclass(frozen=True)
class Influence:
    """What leaving out each label would do.

    Attributes:
        shift: (n,) mean absolute change of the probabilities of ``others``, largest class change a row.
        flips: (n,) rows of ``others`` whose predicted class would change.
        loss: (n,) change of the mean log-loss of the other labels; negative: they are better explained without it.
        leverage: (n,) how far the label decides its own prediction, 0 to 1.
        own: (n, k) the logits of each label's row without it (approximate leave-one-out).
    """

    shift: Array
    flips: npt.NDArray[np.int64]
    loss: Array
    leverage: Array
    own: Array


def leave_one_out(
    X: Floats,
    column: Ints,
    *,
    coef: Floats,
    intercept: Floats,
    strength: float,
    others: Floats,
    balanced: bool = True,
) -> Influence:
    """The influence of each label on a multinomial logistic head that was fitted with an L2 penalty.

    With more than two classes the Hessian is taken a class at a time (its blocks between classes are left out).

    Args:
        X: (n, d) the rows that trained it.
        column: (n,) their columns, every one of the k present.
        coef, intercept: (k, d) and (k,) on raw features, before any temperature.
        strength: inverse penalty on standardised features.
        others: (m, d) rows whose predictions matter, a sample of the pool.
        balanced: whether classes were weighed equally.

    Raises:
        ValueError: shapes do not belong together.
    """
    rows = np.asarray(X, dtype=np.float64)
    y = np.asarray(column)
    n, k = len(rows), len(coef)
    if rows.ndim != 2 or coef.shape[1] != rows.shape[1] or len(y) != n:
        raise ValueError(f"Rows {rows.shape}, columns {y.shape} and coefficients {coef.shape} do not fit.")
    counts = np.bincount(y, minlength=k).astype(np.float64)
    weight = n / (k * counts[y]) if balanced else np.ones(n)
    # The penalty is on features as the head standardises them, which is by all rows alike, however classes are weighed.
    centre, scale = standardisation(rows)

    z = (rows - centre) / scale
    z_others = (np.asarray(others, dtype=np.float64) - centre) / scale
    logits = rows @ coef.T + intercept
    logits_others = np.asarray(others) @ coef.T + intercept
    p = softmax(logits)
    target = np.zeros((n, k))
    target[np.arange(n), y] = 1.0
    residual = p - target
    # Two classes are one weight vector, the difference of the two, penalised as such (as scikit-learn has it).
    pair = k == 2
    penalty = 1.0 / strength
    gram = z @ z.T / penalty + 1.0 / (_FREE * penalty)
    cross = z_others @ z.T / penalty + 1.0 / (_FREE * penalty)

    change = np.zeros((n, n, k))
    change_others = np.zeros((len(z_others), n, k))
    leverage = np.zeros(n)
    own = logits.copy()
    for c in [1] if pair else range(k):
        curvature = weight * p[:, c] * (1.0 - p[:, c])
        root = np.sqrt(np.maximum(curvature, 1e-12))
        # z H^-1 z' = G - G r (I + r G r)^-1 r G with H = sum of curvature z z' + penalty (Woodbury).
        factor = cho_factor(np.eye(n) + root[:, None] * gram * root[None, :], lower=True)
        right = root[:, None] * gram
        inner = gram - right.T @ cho_solve(factor, right)
        outer = cross - (cross * root[None, :]) @ cho_solve(factor, right)
        lift = np.clip(curvature * np.diag(inner), 0.0, 0.999)
        step = weight * residual[:, c] / (1.0 - lift)
        # Without the label, the weights move by + H^-1 times its gradient.
        change[:, :, c] = inner * step[None, :]
        change_others[:, :, c] = outer * step[None, :]
        leverage = np.maximum(leverage, lift)
        own[:, c] += np.diag(inner) * step
    before = softmax(logits_others)
    shift, flips, loss = np.zeros(n), np.zeros(n, dtype=np.int64), np.zeros(n)
    said = before.argmax(axis=1)
    log_p = np.log(np.maximum(p[np.arange(n), y], 1e-12))
    for i in range(n):
        after = softmax(logits_others + change_others[:, i, :])
        shift[i] = float(np.abs(after - before).max(axis=1).mean()) if len(after) else 0.0
        flips[i] = int((after.argmax(axis=1) != said).sum())
        moved = softmax(logits + change[:, i, :])
        gained = log_p - np.log(np.maximum(moved[np.arange(n), y], 1e-12))
        gained[i] = 0.0
        loss[i] = float(gained.sum() / max(1, n - 1))
    return Influence(shift, flips, loss, leverage, own)


@dataclass(frozen=True)
class Suspicion:
    """A label that the out-of-fold probabilities speak against. ``margin``: p(label) - p(other), below 0 mostly."""

    row: int
    given: int
    suggested: int
    p_given: float
    p_suggested: float
    margin: float


def suspicious(oof_proba: Floats, column: Ints) -> list[Suspicion]:
    """Doubted labels, most doubtful first (Northcutt et al. 2021: self-confidence thresholds, ranked by margin).

    Args:
        oof_proba: (n, k) probabilities, each from a fit without the row's own label.
        column: (n,) the labels' columns.
    """
    p = np.asarray(oof_proba, dtype=np.float64)
    y = np.asarray(column)
    k = p.shape[1]
    # How sure the head is, on average, of photos that people gave a class; a class without any can suggest nothing.
    usual = np.array([p[y == c, c].mean() if (y == c).any() else np.inf for c in range(k)])
    usual = np.where(np.isfinite(usual), np.minimum(usual, _CERTAIN), np.inf)
    confident = np.where(p >= usual[None, :], p, -1.0)
    best = confident.argmax(axis=1)
    found = []
    for row in np.flatnonzero((confident.max(axis=1) > 0) & (best != y)).tolist():
        given, other = int(y[row]), int(best[row])
        if p[row, other] <= p[row, given]:
            continue  # sure enough for a rare class, and still surer of the label
        found.append(
            Suspicion(
                row,
                given,
                other,
                float(p[row, given]),
                float(p[row, other]),
                float(p[row, given] - p[row, other]),
            )
        )
    return sorted(found, key=lambda each: (each.margin, each.row))
