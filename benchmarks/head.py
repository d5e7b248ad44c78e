"""What does choosing a head's strength by cross-validation cost, beside scikit-learn's LogisticRegressionCV?

``python -m benchmarks.head [--quick] [--device cpu|cuda] [--rows N] [--dims N] [--classes N]``

Data are made on the spot: features with the falling spectrum of an embedding, mixed and scaled unevenly; classes drawn
from a softmax of a linear function of them, so that no fit is perfect and too weak a penalty loses on held-out rows.
Both see the same standardised features, folds, strengths and weights, and both refit on all rows at the best strength.

scikit-learn runs as it comes: lbfgs, tolerance 1e-4, 100 iterations at most, warm-started from strength to strength. It is
timed on one thread, on some of the folds and the refit; from that, for all folds, as if they filled the cores without
getting in each other's way, which is more than it would reach. Ours is timed as it runs. Log-loss: of each one's refit,
on rows that neither saw.

Knows nothing of the web half.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from inference import calibrate, logistic
from inference.heads.folds import stratified_folds
from inference.threads import available, one_thread_each

FOLDS = 5
STRENGTHS = 10
HELD_OUT = 5_000

Array = npt.NDArray[np.float64]
Columns = npt.NDArray[np.intp]


def make(rows: int, dims: int, classes: int, seed: int = 0) -> tuple[npt.NDArray[np.float32], Columns]:
    """(rows, dims) features and (rows,) classes."""
    rng = np.random.default_rng(seed)
    order = np.arange(1, dims + 1)
    latent = rng.normal(size=(rows, dims)).astype(np.float32) * (order**-0.6).astype(np.float32)
    teacher = rng.normal(size=(dims, classes)) * order[:, None] ** -0.25
    logits = latent @ teacher.astype(np.float32)
    logits *= 2.5 / logits.std()
    column = (logits + rng.gumbel(size=logits.shape)).argmax(axis=1)
    mix, _ = np.linalg.qr(rng.normal(size=(dims, dims)))
    mix *= np.exp(0.5 * rng.normal(size=dims))
    return latent @ mix.astype(np.float32) + rng.normal(size=dims).astype(np.float32), column


def ours(
    X: npt.NDArray[np.float32],
    column: Columns,
    fold: Columns,
    strengths: Sequence[float],
    k: int,
    device: str,
) -> tuple[float, Array, Array, Array]:
    """Seconds, (S,) cross-validated log-losses, and the refit's (k, d) weights and (k,) intercepts."""
    folds = int(fold.max()) + 1
    weight = np.ones((folds, len(X)))
    began = time.perf_counter()
    with one_thread_each():
        space = logistic.space_of(X, device=device)
        losses = np.zeros(len(strengths))
        for f, logits in logistic.held_out_logits(space, column, weight, fold, strengths, k):
            inside = column[fold == f]
            losses += [calibrate.log_loss(each, inside) * len(inside) / len(X) for each in logits]
        best = float(strengths[int(losses.argmin())])
        coef, intercept = logistic.coefficients(space, column, weight[0], [best], k)
    return time.perf_counter() - began, losses, coef[0], intercept[0]


def theirs(
    X: npt.NDArray[np.float32], column: Columns, fold: Columns, strengths: Sequence[float], timed: int
) -> tuple[float, Array, Any]:
    """Seconds on all cores (see above; ``timed`` folds are run), (S,) log-losses of those folds, and the refit."""
    from sklearn.linear_model import LogisticRegression, LogisticRegressionCV

    folds = int(fold.max()) + 1
    splits = [(np.flatnonzero(fold != f), np.flatnonzero(fold == f)) for f in range(timed)]
    search = LogisticRegressionCV(Cs=sorted(strengths), cv=splits, scoring="neg_log_loss", refit=False)
    with one_thread_each():
        began = time.perf_counter()
        search.fit(X, column)
        searched = time.perf_counter() - began
        losses = -next(iter(search.scores_.values())).mean(axis=0)
        began = time.perf_counter()
        refit = LogisticRegression(C=sorted(strengths)[int(losses.argmin())]).fit(X, column)
        refitted = time.perf_counter() - began
    return (searched * folds / timed + refitted) / available(), losses, refit


def main(arguments: Sequence[str] | None = None) -> dict[str, Any]:
    """Runs both and prints the JSON as the last line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.head", description=__doc__)
    parser.add_argument("--device", default="cpu", help="where our fits run: cpu or cuda")
    parser.add_argument("--rows", type=int)
    parser.add_argument("--dims", type=int, default=1_280)
    parser.add_argument("--classes", type=int, default=10)
    parser.add_argument(
        "--sklearn-folds", type=int, default=1, help="folds scikit-learn is timed on; 0: not at all"
    )
    parser.add_argument("--quick", action="store_true", help="2,000 rows unless told otherwise")
    chosen = parser.parse_args(arguments)
    rows = chosen.rows or (2_000 if chosen.quick else 20_000)
    dims, k = chosen.dims, chosen.classes

    X, column = make(rows + HELD_OUT, dims, k)
    deviation = X[:rows].std(axis=0)
    X = (X - X[:rows].mean(axis=0)) / (deviation + 0.1 * np.median(deviation))
    X, test, column, truth = X[:rows], X[rows:], column[:rows], column[rows:]
    fold = stratified_folds(column, FOLDS, 0)
    strengths = [float(c) for c in 30.0 / dims * np.logspace(-2, 1, STRENGTHS)]
    # The library standardises by itself; so that both minimise the same, scikit-learn gets what it makes of X.
    with one_thread_each():
        space = logistic.space_of(X)
    standard = ((X - space.mean.numpy()) / space.scale.numpy()).astype(np.float32)
    standard_test = ((test - space.mean.numpy()) / space.scale.numpy()).astype(np.float32)
    del space
    print(f"{rows} rows made; solving {FOLDS} folds x {STRENGTHS} strengths ...", file=sys.stderr, flush=True)

    if chosen.device != "cpu":
        # A first run starts the device and its libraries.
        ours(
            X[: max(500, 2 * k)],
            column[: max(500, 2 * k)],
            fold[: max(500, 2 * k)],
            strengths,
            k,
            chosen.device,
        )
    seconds, losses, coef, intercept = ours(X, column, fold, strengths, k, chosen.device)
    log_loss = calibrate.log_loss(test @ coef.T + intercept, truth)
    print(f"ours: {seconds:.2f} s, cross-validated log-loss {losses.min():.4f}", file=sys.stderr, flush=True)

    sklearn: dict[str, Any] = {"sklearn_seconds": None, "sklearn_log_loss": None}
    if chosen.sklearn_folds:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            their_seconds, their_losses, refit = theirs(
                standard, column, fold, strengths, min(chosen.sklearn_folds, FOLDS)
            )
            their_log_loss = calibrate.log_loss(refit.predict_log_proba(standard_test), truth)
        sklearn = {
            "sklearn_seconds": round(their_seconds, 3),
            "sklearn_log_loss": round(their_log_loss, 5),
            "sklearn_timed": f"{min(chosen.sklearn_folds, FOLDS)} of {FOLDS} folds and the refit on one thread, "
            f"scaled to {FOLDS} folds on {available()} cores without loss",
            "sklearn_strength": sorted(strengths)[int(their_losses.argmin())],
            "times_faster": round(their_seconds / seconds, 1),
        }
    result = {
        "benchmark": "head",
        "seconds": round(seconds, 3),
        "log_loss": round(log_loss, 5),
        "strength": float(strengths[int(losses.argmin())]),
        **sklearn,
        "n": rows,
        "rows": rows,
        "held_out_rows": HELD_OUT,
        "dims": dims,
        "classes": k,
        "folds": FOLDS,
        "strengths": STRENGTHS,
        "seeds": 1,
        "device": chosen.device,
        "cores": available(),
        "cross_validated_log_loss": [round(float(each), 5) for each in losses],
        "how": "all folds and strengths and a refit at the best; standardisation included in ours, not in scikit-learn's",
    }
    print(json.dumps(result))
    return result


if __name__ == "__main__":
    main()
