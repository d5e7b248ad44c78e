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
from inference.heads import FusedHead, Head, MultiLabelHead, Progress, choose_head
from inference.heads.fused import mean_logits
from inference.scoring import score

__all__ = ["TrainedHead", "fuse", "score", "train_head", "train_multilabel"]


@dataclass(frozen=True)
class TrainedHead:
    """A head and what is known about it.

    Attributes:
        head: fitted; its columns are ``classes``.
        classes: those of the project that have at least one ground truth, in the project's order.
        metrics: ``metrics.evaluate`` on out-of-fold probabilities, with ``kind``, ``settings`` and ``choice``. Where a
            strategy chose the labels they are harder than the pool, so this is a lower view of it, not an estimate for it.
        oof_proba: (n, k) out-of-fold probabilities, rows as trained on.
        oof_size: labels behind each of those, on average; for several questions one a question.
        choice: why this kind: JSON-ready {"kind", "candidates": [{"kind", "log_loss", "accuracy", "note"}], "by"}.
    """

    head: Head
    classes: tuple[str, ...]
    metrics: dict[str, Any]
    oof_proba: npt.NDArray[np.float64]
    oof_size: Any
    choice: dict[str, Any]


def train_head(
    X: npt.ArrayLike,
    y: Sequence[str] | npt.NDArray[Any],
    classes: Sequence[str],
    *,
    seed: int,
    on_progress: Progress | None = None,
    kinds: Sequence[str] = ("auto",),
    sample_weight: npt.ArrayLike | None = None,
    groups: npt.ArrayLike | None = None,
    device: str = "cpu",
) -> TrainedHead:
    """Choose a kind of head by nested cross-validation, fit it and judge it.

    Args:
        X: (n, d) embeddings.
        y: (n,) ground truth, each one of ``classes``.
        classes: the project's classes in their order; those without ground truth are left out of the head.
        seed: the same X, y, classes, seed and device give the same head, however many threads there are.
        on_progress: called with (done, total); may raise to cancel.
        kinds: to choose from, the reference first; see ``heads.choose_head``.
        sample_weight, groups: (n,) as ``Head.fit``.

    Raises:
        TooFewLabels: ground truth of fewer than two classes.
        LookupError: an unknown kind.
        ValueError: ``y`` holds something that is not in ``classes``, or shapes differ.
    """
    column = {name: i for i, name in enumerate(classes)}
    strange = sorted({str(name) for name in y} - set(column))
    if strange:
        raise ValueError(f"Ground truth of classes that the project does not have: {', '.join(strange)}.")
    target = np.array([column[str(name)] for name in y], dtype=np.int64)
    chosen = choose_head(
        X,
        target,
        kinds=kinds,
        seed=seed,
        on_progress=on_progress,
        sample_weight=sample_weight,
        groups=groups,
        device=device,
    )
    head = chosen.head
    present = tuple(classes[int(c)] for c in head.classes_)
    inner = np.searchsorted(head.classes_, target)
    # From here on the head speaks class names, in the project's order, not in the alphabet's.
    head.classes_ = np.asarray(present)
    report = metrics.evaluate(chosen.out_of_fold_proba, inner, present, seed=seed)
    report["kind"] = head.kind
    report["settings"] = head.settings()
    report["strength"] = head.settings().get("strength")
    report["temperature"] = head.settings()["temperature"]
    report["choice"] = chosen.report
    return TrainedHead(
        head, present, report, chosen.out_of_fold_proba, chosen.out_of_fold_size, chosen.report
    )


def fuse(parts: Sequence[TrainedHead], y: Sequence[str] | npt.NDArray[Any], *, seed: int) -> TrainedHead:
    """Heads of several backbones as one on their rows side by side, judged out of fold; see ``heads.FusedHead``.

    Args:
        parts: from ``train_head`` on the same y, classes, seed and groups, so that they share folds.
        y: (n,) the ground truth they were trained on.

    Raises:
        ValueError: no parts, or parts of different classes or numbers of rows.
    """
    head = FusedHead.of([part.head for part in parts])
    # Not of the heads alone, which saw each row's label when their kinds were chosen.
    proba = mean_logits([part.oof_proba for part in parts], head.out_of_fold_known_)
    present = parts[0].classes
    target = np.array([present.index(str(name)) for name in y], dtype=np.int64)
    choice = {"kind": head.kind, "candidates": [], "by": "fusion", "parts": [part.choice for part in parts]}
    report = metrics.evaluate(proba, target, present, seed=seed) | {
        "kind": head.kind,
        "settings": head.settings(),
        "strength": None,
        "temperature": head.settings()["temperature"],
        "choice": choice,
    }
    size = float(np.mean([part.oof_size for part in parts]))
    return TrainedHead(head, present, report, proba, size, choice)


def train_multilabel(
    X: npt.ArrayLike,
    Y: npt.ArrayLike,
    questions: Sequence[str],
    *,
    seed: int,
    on_progress: Progress | None = None,
    device: str = "cpu",
) -> TrainedHead:
    """Fit and judge a head that answers several yes/no questions about each row.

    Args:
        X: (n, d) embeddings.
        Y: (n, k) 1 for yes, 0 for no, NaN for unknown.
        questions: k names.

    Raises:
        TooFewLabels: a question without a yes or without a no.
        ValueError: shapes differ, or ``Y`` holds anything else.
    """
    head = MultiLabelHead(names=list(questions), seed=seed, device=device)
    head.fit(X, Y, on_progress=on_progress)
    choice = {"kind": head.kind, "candidates": [], "by": "the question's form"}
    report = metrics.evaluate_multilabel(head.out_of_fold_proba_, np.asarray(Y), questions, seed=seed)
    report.update(kind=head.kind, settings=head.settings(), choice=choice)
    return TrainedHead(
        head, tuple(questions), report, head.out_of_fold_proba_, head.out_of_fold_size_, choice
    )
