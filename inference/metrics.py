"""How good a classifier is, with intervals, as plain numbers that JSON can hold.

Knows nothing of models or projects: probabilities and true columns in, a dict out. Whether the rows are an honest
sample (held out, drawn at random) is the caller's to know.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import binomtest, norm
from sklearn.metrics import roc_auc_score

from inference import calibrate

Floats = npt.NDArray[np.floating[Any]]
Ints = npt.NDArray[np.integer[Any]]

_RESAMPLES = 2000


def wilson(successes: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Wilson's score interval of a share (Wilson 1927); (0, 1) for n = 0."""
    if n == 0:
        return 0.0, 1.0
    z = float(norm.ppf(0.5 + confidence / 2))
    share = successes / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    # At the ends the formula gives exactly 0 and 1, up to rounding.
    low = 0.0 if successes == 0 else max(0.0, float(middle - half))
    high = 1.0 if successes == n else min(1.0, float(middle + half))
    return low, high


def evaluate(probs: Floats, y: Ints, classes: Sequence[str], *, seed: int = 0) -> dict[str, Any]:
    """Metrics of probabilities against the truth.

    Args:
        probs: (n, k) probabilities.
        y: (n,) true columns.
        classes: k names, in column order.
        seed: of the bootstrap that gives F1 its intervals.

    Returns:
        JSON-ready: ``n``, ``accuracy`` {value, low, high} (Wilson, 95 %), ``classes`` {name: {precision, recall, f1,
        support, predicted}} with the first three as {value, low, high} or None where undefined, ``confusion`` (rows are
        the truth), ``auroc`` (two classes: of the second; more: one-vs-rest mean over classes present; None if
        undefined), ``log_loss`` (nats), ``ece``, ``brier``, ``reliability``.

    Raises:
        ValueError: shapes do not belong together.
    """
    k = len(classes)
    probs = np.asarray(probs, dtype=np.float64)
    y = np.asarray(y)
    if probs.shape != (len(y), k):
        raise ValueError(f"Probabilities of shape {probs.shape} for {len(y)} rows and {k} classes.")
    n = len(y)
    predicted = probs.argmax(axis=1) if n else np.zeros(0, dtype=int)
    confusion = np.zeros((k, k), dtype=np.int64)
    np.add.at(confusion, (y, predicted), 1)
    right = int(np.trace(confusion))
    f1 = _f1_intervals(confusion, seed)
    per_class = {
        name: {
            "precision": _share(int(confusion[c, c]), int(confusion[:, c].sum())),
            "recall": _share(int(confusion[c, c]), int(confusion[c].sum())),
            "f1": f1[c],
            "support": int(confusion[c].sum()),
            "predicted": int(confusion[:, c].sum()),
        }
        for c, name in enumerate(classes)
    }
    true_probability = np.clip(probs[np.arange(n), y], 1e-15, 1.0)
    return {
        "n": n,
        "accuracy": _share(right, n),
        "classes": per_class,
        "confusion": confusion.tolist(),
        "auroc": _auroc(probs, y),
        "log_loss": float(-np.log(true_probability).mean()) if n else None,
        "ece": calibrate.ece(probs, y),
        "brier": calibrate.brier(probs, y),
        "reliability": [asdict(b) for b in calibrate.reliability(probs, y)],
    }


def evaluate_multilabel(
    probs: Floats, Y: Floats, questions: Sequence[str], *, seed: int = 0
) -> dict[str, Any]:
    """Metrics of independent yes/no questions.

    Args:
        probs: (n, k) probability of yes; not looked at where the truth is unknown.
        Y: (n, k) 1, 0, or NaN where unknown.
        questions: k names.

    Returns:
        JSON-ready: ``n`` (rows), ``questions`` {name: ``evaluate`` of no and yes over the known rows} and ``mean`` over
        questions of ``accuracy``, ``auroc``, ``log_loss``, ``ece`` and ``brier`` (None where undefined for all).

    Raises:
        ValueError: shapes do not belong together.
    """
    probs, truth = np.asarray(probs, dtype=np.float64), np.asarray(Y, dtype=np.float64)
    if probs.shape != truth.shape or truth.ndim != 2 or truth.shape[1] != len(questions):
        raise ValueError(
            f"Probabilities of shape {probs.shape} for answers of {truth.shape} to {len(questions)}."
        )
    reports: dict[str, dict[str, Any]] = {}
    for q, name in enumerate(questions):
        known = ~np.isnan(truth[:, q])
        yes = probs[known, q]
        reports[name] = evaluate(
            np.column_stack([1.0 - yes, yes]), truth[known, q].astype(np.int64), ["no", "yes"], seed=seed
        )
    values = {
        "accuracy": [r["accuracy"]["value"] for r in reports.values() if r["accuracy"]],
        **{
            key: [r[key] for r in reports.values() if r["n"] and r[key] is not None]
            for key in ("auroc", "log_loss", "ece", "brier")
        },
    }
    return {
        "n": len(truth),
        "questions": reports,
        "mean": {key: float(np.mean(each)) if each else None for key, each in values.items()},
    }


def paired_difference(probs_a: Floats, probs_b: Floats, y: Ints, *, seed: int = 0) -> dict[str, Any]:
    """Does b beat a on the same rows?

    Args:
        probs_a, probs_b: (n, k) of the champion and of the challenger.
        y: (n,) true columns.

    Returns:
        JSON-ready: ``n``, ``accuracy_a``, ``accuracy_b``, ``difference`` (b - a) with its bootstrap 95 % interval
        ``low``, ``high``, ``only_a_right``, ``only_b_right`` and ``p_value`` (McNemar's exact two-sided test, 1947).
    """
    y = np.asarray(y)
    n = len(y)
    a = np.asarray(probs_a).argmax(axis=1) == y
    b = np.asarray(probs_b).argmax(axis=1) == y
    only_a, only_b = int((a & ~b).sum()), int((b & ~a).sum())
    split = only_a + only_b
    if n:
        shares = np.array([only_a, only_b, n - split]) / n
        draws = np.random.default_rng(seed).multinomial(n, shares, size=_RESAMPLES)
        low, high = np.quantile((draws[:, 1] - draws[:, 0]) / n, [0.025, 0.975])
    else:
        low, high = -1.0, 1.0
    return {
        "n": n,
        "accuracy_a": float(a.mean()) if n else None,
        "accuracy_b": float(b.mean()) if n else None,
        "difference": (only_b - only_a) / n if n else 0.0,
        "low": float(low),
        "high": float(high),
        "only_a_right": only_a,
        "only_b_right": only_b,
        "p_value": float(binomtest(only_b, split, 0.5).pvalue) if split else 1.0,
    }


def _share(successes: int, n: int) -> dict[str, float] | None:
    if n == 0:
        return None
    low, high = wilson(successes, n)
    return {"value": successes / n, "low": low, "high": high}


def _f1_intervals(confusion: npt.NDArray[np.int64], seed: int) -> list[dict[str, float] | None]:
    """F1 of each class with a 95 % interval: rows resampled, as cells of the confusion matrix.

    Where F1 is 0 or 1 every resample is the same. There the interval comes from J = TP / (TP + FP + FN), a share like
    any other among the rows that are of the class or called so: Wilson's for J, carried over by F1 = 2 J / (1 + J).
    """
    k, n = len(confusion), int(confusion.sum())
    if n == 0:
        return [None] * k
    # Only the cells that hold rows: of hundreds of classes nearly all are empty, in every resample too.
    truth, said = np.nonzero(confusion)
    draws = np.random.default_rng(seed).multinomial(n, confusion[truth, said] / n, size=_RESAMPLES)
    out: list[dict[str, float] | None] = []
    for c in range(k):
        size = int(confusion[c].sum() + confusion[:, c].sum())
        if size == 0:
            out.append(None)
            continue
        sizes = draws[:, truth == c].sum(axis=1) + draws[:, said == c].sum(axis=1)
        drawn = 2 * draws[:, (truth == c) & (said == c)].sum(axis=1) / np.maximum(sizes, 1)
        right = int(confusion[c, c])
        if right in (0, size - right):
            low, high = (2 * share / (1 + share) for share in wilson(right, size - right))
        else:
            low, high = np.quantile(drawn[sizes > 0], [0.025, 0.975]) if (sizes > 0).any() else (0.0, 1.0)
        out.append({"value": 2 * right / size, "low": float(low), "high": float(high)})
    return out


def _auroc(probs: Floats, y: Ints) -> float | None:
    present = np.unique(y)
    if len(present) < 2:
        return None
    if probs.shape[1] == 2:
        return float(roc_auc_score(y == 1, probs[:, 1]))
    return float(np.mean([roc_auc_score(y == c, probs[:, c]) for c in present]))
