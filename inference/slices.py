"""Accuracy by slice (where a photo came from, how bright it is): which slices are worse than the rest?

Shares with Wilson's interval; for "worse", Fisher's exact one-sided test of the slice against all other rows, over all
slices together corrected by Holm 1979. With ten slices, one would look bad by chance half of the time otherwise.

Knows nothing of photos: hits and the slice of each row in, plain numbers that JSON can hold out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import fisher_exact

from inference.metrics import wilson

#: A smaller slice has an interval so wide that showing it would only invite stories.
LEAST = 8
#: The largest slices of a dimension are shown; a thousand folders with three photos each are not.
MOST = 12
ALPHA = 0.05


def by_slice(
    right: npt.ArrayLike, dimensions: Mapping[str, Sequence[str | None]], *, least: int = LEAST
) -> list[dict[str, Any]]:
    """Accuracy of each slice, worst first.

    Args:
        right: (n,) whether each row was judged right, out of sample.
        dimensions: name -> (n,) the slice of each row; ``None`` where it is unknown. A dimension with one slice only
            says nothing and is left out.
        least: smaller slices are left out.

    Returns:
        JSON-ready rows: ``dimension``, ``slice``, ``n``, ``accuracy`` {value, low, high} (Wilson, 95 %), ``rest`` (accuracy
        of all other rows that have a slice in this dimension), ``p_value`` (Fisher's exact, "worse than the rest") and
        ``p_adjusted`` (Holm), ``worse`` (p_adjusted below .05).
    """
    hit = np.asarray(right, dtype=bool)
    rows: list[dict[str, Any]] = []
    for dimension, values in dimensions.items():
        if len(values) != len(hit):
            raise ValueError(f"{len(values)} slices of {dimension} for {len(hit)} rows.")
        known = np.array([value is not None for value in values], dtype=bool)
        names, inverse = np.unique(
            np.array(["" if value is None else value for value in values], dtype=object)[known].astype(str),
            return_inverse=True,
        )
        counts = np.bincount(inverse, minlength=len(names))
        shown = [at for at in np.argsort(-counts, kind="stable")[:MOST].tolist() if counts[at] >= least]
        if len(names) < 2:
            continue
        hits = hit[known]
        for at in shown:
            inside = inverse == at
            n, good = int(inside.sum()), int(hits[inside].sum())
            others, others_good = int((~inside).sum()), int(hits[~inside].sum())
            low, high = wilson(good, n)
            p = fisher_exact(
                [[good, n - good], [others_good, others - others_good]], alternative="less"
            ).pvalue
            rows.append(
                {
                    "dimension": dimension,
                    "slice": str(names[at]),
                    "n": n,
                    "accuracy": {"value": good / n, "low": low, "high": high},
                    "rest": others_good / others,
                    "p_value": float(p),
                }
            )
    for row, adjusted in zip(rows, holm([row["p_value"] for row in rows]), strict=True):
        row["p_adjusted"] = adjusted
        row["worse"] = adjusted < ALPHA
    return sorted(rows, key=lambda row: (not row["worse"], row["accuracy"]["value"], -row["n"]))


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjusted p-values (Holm 1979), in the order given: family-wise error at most alpha where below alpha."""
    order = np.argsort(p_values, kind="stable")
    out = [0.0] * len(p_values)
    running = 0.0
    for place, at in enumerate(order.tolist()):
        running = max(running, min(1.0, (len(p_values) - place) * float(p_values[at])))
        out[at] = running
    return out


def quantile_slices(values: Sequence[float | None], parts: int = 4) -> list[str | None]:
    """Each number's part of the distribution as "low to high"; ``None`` stays. Equal numbers share a part.

    All ``None`` when there are too few different numbers to cut.
    """
    known = np.array([value for value in values if value is not None], dtype=np.float64)
    if len(np.unique(known)) < parts:
        return [None] * len(values)
    cuts = np.unique(np.quantile(known, np.linspace(0, 1, parts + 1)))
    names = [f"{_short(cuts[i])} – {_short(cuts[i + 1])}" for i in range(len(cuts) - 1)]
    out: list[str | None] = []
    for value in values:
        if value is None:
            out.append(None)
        else:
            out.append(names[int(np.clip(np.searchsorted(cuts, value, side="right") - 1, 0, len(names) - 1))])
    return out


def _short(number: float) -> str:
    return f"{number:.0f}" if abs(number) >= 100 else f"{number:.3g}"
