"""The kind of head by nested cross-validation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from inference.heads.base import Array, Head, Progress, examples
from inference.heads.cosine import CosineHead
from inference.heads.folds import Columns, stratified_folds
from inference.heads.lda import LdaHead
from inference.heads.logistic import LogisticHead
from inference.heads.mlp import MlpHead
from inference.heads.ridge import RidgeHead

KINDS: dict[str, type[Head]] = {
    head.kind: head for head in (LogisticHead, LdaHead, RidgeHead, CosineHead, MlpHead)
}
# Of three classes or more ridge is the better start: on six sets of pictures (3 to 14 classes) it wins up to .04 of accuracy
# at 20 to 100 labels, and .03 to .15 nats; on two classes it loses (docs/log.md, 2026-11-29).
_TWO_CLASSES = ("logistic", "lda", "ridge", "cosine")
_MORE_CLASSES = ("ridge", "logistic", "lda", "cosine")
# Closed forms decompose all rows in float64, which takes seconds from here on; ridge and cosine are for tiny sets, lda goes
# on being worth its while.
_FEW_ROWS, _MANY_ROWS = 1_000, 5_000
# Standard errors by which another kind must be better.
_ERRORS = 2.0
# Labels of every class before kinds are compared: fewer cannot judge what they have not taught.
_LEAST_A_CLASS = 3


@dataclass(frozen=True)
class Choice:
    """A head of the kind that was chosen, and why.

    Attributes:
        head: fitted on all rows; its out-of-fold rows are those below.
        out_of_fold_proba: (n, k), each row's from the kind that the other folds would have chosen: its own label had no
            part in fit, settings, temperature or kind.
        out_of_fold_size: labels behind each of those fits, on average.
        report: JSON-ready {"kind", "by", "few_labels" (too few of a class to compare kinds), "candidates": [{"kind",
            "log_loss", "accuracy", "note", "prior" (``Head.prior_``), "difference", "error"}]}: ``difference`` of the
            log-loss from the reference's (nats, paired), and its standard ``error``.
    """

    head: Head
    out_of_fold_proba: Array
    out_of_fold_size: float
    report: dict[str, Any]


def choose_head(
    X: npt.ArrayLike,
    y: npt.ArrayLike,
    *,
    kinds: Sequence[str] = ("auto",),
    cv: int = 5,
    seed: int = 0,
    on_progress: Progress | None = None,
    sample_weight: npt.ArrayLike | None = None,
    groups: npt.ArrayLike | None = None,
    device: str = "cpu",
) -> Choice:
    """Fit each kind and keep the first, unless another is better by more than noise.

    Kinds are compared by log-loss on the same held-out rows, where each row's fit and its kind's own settings are chosen
    without it. The first kind is the reference. Another replaces it when its mean loss is lower by more than two standard
    errors of the paired difference (the idea of Breiman et al. 1984's one-standard-error rule, with the error of the
    difference); of several, the one with the least loss. The rule leans on a kind known to do well, not on the simplest:
    on few labels the simplest is always within noise, and on real photos it may be ten points worse. One standard error
    was too little: on 100 labels it changed three times in ten, and lost log-loss by that.

    Args:
        kinds: names from ``KINDS``, the reference first; "auto" stands for what ``automatic`` says. Until each class has
            three labels (or rows of three groups) there is the reference alone.
        on_progress: called with (done, total); may raise to cancel.

    Raises:
        LookupError: an unknown kind.
        TooFewLabels, ValueError: as ``Head.fit``.
    """
    given = examples(X, y, sample_weight)
    offered = automatic(len(given.rows), len(given.classes))
    names = list(dict.fromkeys(name for kind in kinds for name in (offered if kind == "auto" else (kind,))))
    if unknown := sorted(set(names) - set(KINDS)):
        raise LookupError(f"No head of kind {', '.join(unknown)}. There are: {', '.join(KINDS)}.")
    if not names:
        raise LookupError("No kind of head to choose from.")
    few = _fewest(given.column, groups) < _LEAST_A_CLASS
    if few:
        names = names[:1]
    fitted: list[Head] = []
    for index, name in enumerate(names):
        where = {"device": device} if name == "logistic" else {}
        head = KINDS[name](cv=cv, seed=seed, **where)

        def report(done: int, total: int, index: int = index) -> None:
            if on_progress is not None:
                on_progress(100 * index + 100 * done // max(total, 1), 100 * len(names))

        fitted.append(head.fit(given.rows, y, on_progress=report, sample_weight=sample_weight, groups=groups))
    weight = given.sample_weight
    losses = np.stack([_losses(head.out_of_fold_proba_, given.column) for head in fitted])
    best = _best(losses, weight)
    fold = stratified_folds(given.column, cv, seed, groups)
    proba = np.empty_like(fitted[0].out_of_fold_proba_)
    size = 0.0
    for f in range(int(fold.max()) + 1):
        inside = fold == f
        elsewhere = _best(losses[:, ~inside], weight[~inside])
        proba[inside] = fitted[elsewhere].out_of_fold_proba_[inside]
        size += float(inside.mean()) * float(fitted[elsewhere].out_of_fold_size_)
    candidates = [
        {
            "kind": name,
            "log_loss": float(np.average(losses[index], weights=weight)),
            "accuracy": float(
                np.average(head.out_of_fold_proba_.argmax(axis=1) == given.column, weights=weight)
            ),
            "note": _note(losses, weight, index, best),
            "prior": float(head.prior_),
            "difference": _difference(losses, weight, index)[0],
            "error": _difference(losses, weight, index)[1],
        }
        for index, (name, head) in enumerate(zip(names, fitted, strict=True))
    ]
    head = fitted[best]
    head.out_of_fold_proba_, head.out_of_fold_size_ = proba, size
    return Choice(
        head,
        proba,
        size,
        {
            "kind": names[best],
            "candidates": candidates,
            "by": "nested cross-validation",
            "few_labels": few,
        },
    )


def _fewest(column: Columns, groups: npt.ArrayLike | None) -> int:
    """Labels of the rarest class, rows of one group counted once."""
    member = (
        np.arange(len(column)) if groups is None else np.unique(np.asarray(groups), return_inverse=True)[1]
    )
    pairs = np.unique(np.column_stack([column, member.reshape(-1)]), axis=0)
    return int(np.bincount(pairs[:, 0]).min())


def automatic(rows: int, classes: int) -> tuple[str, ...]:
    """Kinds that are tried on so many labels of so many classes, the reference first.

    Above 1,000 rows logistic and lda, above 5,000 logistic alone.
    """
    if rows > _MANY_ROWS:
        return ("logistic",)
    if rows > _FEW_ROWS:
        return ("logistic", "lda")
    return _TWO_CLASSES if classes == 2 else _MORE_CLASSES


def _losses(proba: Array, column: Columns) -> Array:
    return np.asarray(-np.log(np.clip(proba[np.arange(len(column)), column], 1e-12, 1.0)))


def _difference(losses: Array, weight: Array, index: int) -> tuple[float, float]:
    """Mean of (loss of ``index`` - loss of the first) and its standard error."""
    difference = losses[index] - losses[0]
    mean = float(np.average(difference, weights=weight))
    share = weight / weight.sum()
    error = float(np.sqrt(np.sum((share * (difference - mean)) ** 2)))
    return mean, error


def _best(losses: Array, weight: Array) -> int:
    """The first, or the one with the least loss of those that are better by more than noise."""
    means = losses @ weight
    better = [
        index
        for index in range(1, len(losses))
        if (found := _difference(losses, weight, index))[0] < -_ERRORS * found[1]
    ]
    return min(better, key=lambda index: float(means[index]), default=0)


def _note(losses: Array, weight: Array, index: int, best: int) -> str:
    if index == 0:
        return "reference" if best else "reference, chosen"
    mean, error = _difference(losses, weight, index)
    told = f"{mean:+.4f} nats against the reference, standard error {error:.4f}"
    return f"{told}, chosen" if index == best else told
