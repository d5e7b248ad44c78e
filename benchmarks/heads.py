"""Do heads promise what comes true? Reported, that is out-of-fold, figures against those on fresh rows.

Every kind of head on made-up rows: pure noise and classes that overlap, ten, two or one label a class, classes of uneven
size; 2 to 20 classes. What a head says of its own training rows is compared with what it does on 2,000 fresh ones, beside
scikit-learn's ``LogisticRegressionCV`` and shrunken ``LinearDiscriminantAnalysis`` on the same rows (what these report is
``cross_val_predict``'s).

``python -m benchmarks.heads [--seeds N] [--quick]``; JSON as the last line.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegressionCV
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from inference.heads import KINDS, FusedHead, choose_head

Array = npt.NDArray[np.float64]
Columns = npt.NDArray[np.intp]
#: Out-of-fold probabilities of the training rows, and a function that answers for others.
Fitted = tuple[Array, Callable[[Array], Array]]

DIMS, FRESH = 100, 2_000
CLASSES = (2, 3, 5, 10, 20)
DATA = {
    "noise": "no row tells its class; 10 labels a class",
    "noise, one label": "no row tells its class; one label a class",
    "noise, two labels": "no row tells its class; two labels a class",
    "one label": "classes overlap; one label a class",
    "even": "classes overlap; 10 labels a class",
    "uneven": "classes overlap; half of the labels are one class's, a twentieth another's at most; 12 a class on average",
}
SKLEARN = ("LogisticRegressionCV", "LinearDiscriminantAnalysis")


def made_up(data: str, k: int, seed: int) -> tuple[Array, Columns, Array, Columns]:
    """Training rows and columns, fresh rows and columns; fresh ones in the classes' training shares."""
    rng = np.random.default_rng([list(DATA).index(data), k, seed])
    if "one label" in data:
        y = np.arange(k)
    elif "two labels" in data:
        y = np.repeat(np.arange(k), 2)
    elif data == "uneven":
        share = np.r_[0.5, np.full(k - 1, 0.5 / (k - 1))]
        share[-1] = min(share[-1], 0.05)
        y = np.repeat(np.arange(k), np.maximum(3, np.round(12 * k * share / share.sum())).astype(int))
    else:
        y = np.repeat(np.arange(k), 10)
    centres = np.zeros((k, DIMS)) if data.startswith("noise") else rng.normal(size=(k, DIMS)) * 0.35
    fresh = rng.choice(y, FRESH)
    # As embeddings have it: some directions vary much more than others.
    scale = 1.0 / np.sqrt(1.0 + np.arange(DIMS) / 10.0)
    train = (centres[y] + rng.normal(size=(len(y), DIMS))) * scale
    return train, y, (centres[fresh] + rng.normal(size=(FRESH, DIMS))) * scale, fresh


def ours(kind: str, X: Array, y: Columns, seed: int) -> Fitted:
    """A head of ``kind``; "auto" chooses, "fused" halves the columns."""
    if kind == "auto":
        chosen = choose_head(X, y, seed=seed)
        return chosen.out_of_fold_proba, chosen.head.predict_proba
    if kind == "fused":
        head = FusedHead(widths=(DIMS // 2, DIMS - DIMS // 2), kinds=("lda",), seed=seed).fit(X, y)
        return head.out_of_fold_proba_, head.predict_proba
    single = KINDS[kind](seed=seed).fit(X, y)
    return single.out_of_fold_proba_, single.predict_proba


def theirs(name: str, X: Array, y: Columns, seed: int) -> Fitted | None:
    """scikit-learn's; None where its folds would lack a class."""
    folds = min(5, int(np.bincount(y).min()))
    if folds < 3:
        return None
    model: Any
    if name == "LogisticRegressionCV":
        inner = StratifiedKFold(2, shuffle=True, random_state=seed)
        model = LogisticRegressionCV(Cs=[1e-3, 1e-2, 1e-1], cv=inner, scoring="neg_log_loss", max_iter=500)
    else:
        model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")
    outer = StratifiedKFold(folds, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        held_out = cross_val_predict(model, X, y, cv=outer, method="predict_proba")
        model.fit(X, y)
    return held_out, model.predict_proba


def figures(proba: Array, y: Columns) -> dict[str, float]:
    """Accuracy, and log-loss in nats."""
    true = np.clip(proba[np.arange(len(y)), y], 1e-12, 1.0)
    return {"accuracy": float((proba.argmax(axis=1) == y).mean()), "log_loss": float(-np.log(true).mean())}


def measured(
    fit: Callable[[Array, Columns, int], Fitted | None], data: str, k: int, seeds: int
) -> dict[str, Any] | None:
    """Means over seeds of what was reported, what came true, and their difference with its standard error."""
    reported, true = [], []
    for seed in range(seeds):
        X, y, fresh, column = made_up(data, k, seed)
        fitted = fit(X, y, seed)
        if fitted is None:
            return None
        reported.append(figures(fitted[0], y))
        true.append(figures(fitted[1](fresh), column))
    told: dict[str, Any] = {"reported": _means(reported), "true": _means(true), "optimism": {}}
    for name, sign in (("accuracy", 1.0), ("log_loss", -1.0)):
        gap = sign * np.array([r[name] - t[name] for r, t in zip(reported, true, strict=True)])
        told["optimism"][name] = round(float(gap.mean()), 4)
        told["optimism"][f"{name}_error"] = round(float(gap.std(ddof=1) / np.sqrt(seeds)), 4)
    return told


def _means(found: Sequence[dict[str, float]]) -> dict[str, float]:
    return {name: round(float(np.mean([each[name] for each in found])), 4) for name in found[0]}


def rows(kinds: Sequence[str], classes: Sequence[int], seeds: int) -> Iterator[dict[str, Any]]:
    """One entry a kind, number of classes and form of the data; scikit-learn's beside each."""
    for data in DATA:
        for k in classes:
            count = seeds if k > 5 else 3 * seeds
            beside = {
                name: measured(lambda X, y, s, name=name: theirs(name, X, y, s), data, k, count)  # type: ignore[misc]
                for name in SKLEARN
            }
            for kind in kinds:
                found = measured(lambda X, y, s, kind=kind: ours(kind, X, y, s), data, k, count)  # type: ignore[misc]
                assert found is not None
                yield {"kind": kind, "classes": k, "data": data, "seeds": count, **found, "sklearn": beside}


def main(arguments: Sequence[str] | None = None) -> dict[str, Any]:
    """Prints a line an entry, and JSON as the last line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.heads", description=__doc__)
    parser.add_argument(
        "--seeds", type=int, default=4, help="for 10 classes and more; three times as many for fewer"
    )
    parser.add_argument("--kinds", default=",".join([*KINDS, "fused", "auto"]))
    parser.add_argument(
        "--quick", action="store_true", help="two seeds, 2 and 5 classes, without the network"
    )
    chosen = parser.parse_args(arguments)
    kinds = [kind for kind in chosen.kinds.split(",") if not (chosen.quick and kind == "mlp")]
    classes, seeds = ((2, 5), 2) if chosen.quick else (CLASSES, chosen.seeds)
    start = time.perf_counter()
    found = []
    for row in rows(kinds, classes, seeds):
        found.append(row)
        told = row["optimism"]
        print(
            f"{row['data']}, {row['classes']} classes, {row['kind']}: accuracy {row['reported']['accuracy']:.3f} reported, "
            f"{row['true']['accuracy']:.3f} true; log-loss {row['reported']['log_loss']:.3f}, "
            f"{row['true']['log_loss']:.3f}; optimism {told['accuracy']:+.3f} ± {told['accuracy_error']:.3f}",
            flush=True,
        )
    largest = max(found, key=lambda row: row["optimism"]["accuracy"])
    surest = max(found, key=lambda row: row["optimism"]["log_loss"])
    result = {
        "benchmark": "heads",
        "rows": found,
        "largest_optimism": _named(largest, "accuracy"),
        "largest_optimism_log_loss": _named(surest, "log_loss"),
        "n": FRESH,
        "dims": DIMS,
        "seeds": seeds,
        "data": DATA,
        "device": "cpu",
        "seconds": round(time.perf_counter() - start, 1),
        "how": "rows made up on the spot; reported: out of fold; true: on fresh rows in the classes' shares",
    }
    print(json.dumps(result))
    return result


def _named(row: dict[str, Any], figure: str) -> dict[str, Any]:
    return {
        "value": row["optimism"][figure],
        "error": row["optimism"][f"{figure}_error"],
        **{name: row[name] for name in ("kind", "classes", "data")},
    }


if __name__ == "__main__":
    main()
