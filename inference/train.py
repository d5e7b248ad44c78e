"""From embeddings and ground truth to a head with honest metrics, and from a head to scores.

Knows nothing of jobs, snapshots or promotion.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from inference import metrics
from inference.heads import LogisticHead, Progress


@dataclass(frozen=True)
class TrainedHead:
    """A head and what is known about it.

    Attributes:
        head: fitted; its columns are ``classes``.
        classes: those of the project that have at least one ground truth, in the project's order.
        metrics: ``metrics.evaluate`` on out-of-fold probabilities. Where a strategy chose the labels they are harder
            than the pool, so this is a lower view of it, not an estimate for it.
        oof_proba: (n, k) out-of-fold probabilities, rows as trained on.
    """

    head: LogisticHead
    classes: tuple[str, ...]
    metrics: dict[str, Any]
    oof_proba: npt.NDArray[np.float64]


def train_head(
    X: npt.ArrayLike,
    y: Sequence[str] | npt.NDArray[Any],
    classes: Sequence[str],
    *,
    seed: int,
    on_progress: Progress | None = None,
) -> TrainedHead:
    """Fit and cross-validate a head.

    Args:
        X: (n, d) embeddings.
        y: (n,) ground truth, each one of ``classes``.
        classes: the project's classes in their order; those without ground truth are left out of the head.
        seed: the same X, y, classes and seed give the same head.
        on_progress: called with (done, total) fits; may raise to cancel.

    Raises:
        TooFewLabels: ground truth of fewer than two classes.
        ValueError: ``y`` holds something that is not in ``classes``, or shapes differ.
    """
    column = {name: i for i, name in enumerate(classes)}
    strange = sorted({str(name) for name in y} - set(column))
    if strange:
        raise ValueError(f"Ground truth of classes that the project does not have: {', '.join(strange)}.")
    target = np.array([column[str(name)] for name in y], dtype=np.int64)
    head = LogisticHead(seed=seed).fit(X, target, on_progress=on_progress)
    present = tuple(classes[int(c)] for c in head.classes_)
    inner = np.searchsorted(head.classes_, target)
    # From here on the head speaks class names, in the project's order, not in the alphabet's.
    head.classes_ = np.asarray(present)
    report = metrics.evaluate(head.out_of_fold_proba_, inner, present, seed=seed)
    report["strength"] = head.strength_
    report["temperature"] = head.temperature_
    return TrainedHead(head, present, report, head.out_of_fold_proba_)


def score(head: LogisticHead, X: npt.NDArray[np.float32], *, chunk: int = 16_384) -> npt.NDArray[np.float32]:
    """(n, k) probabilities of rows (n, d), a chunk at a time, so that ``X`` may be a memory map larger than memory."""
    out = np.empty((len(X), len(head.classes_)), dtype=np.float32)
    for start in range(0, len(X), chunk):
        out[start : start + chunk] = head.predict_proba(X[start : start + chunk])
    return out
