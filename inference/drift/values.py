"""Drift of single numbers: scores, brightness, sharpness."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.stats import ks_2samp

from inference.drift.result import DRIVERS, Drift, undecided


def value_drift(reference: npt.ArrayLike, window: npt.ArrayLike, *, name: str) -> Drift:
    """Kolmogorov-Smirnov test of (n,) against (m,); numbers that are not finite are left out. Conservative with ties.

    ``statistic`` is the largest distance between the distribution functions. Drivers are the window's photos on the side
    where it has too many, farthest from the reference's median first.
    """
    x, y = np.asarray(reference, dtype=np.float64), np.asarray(window, dtype=np.float64)
    x, places = x[np.isfinite(x)], np.flatnonzero(np.isfinite(y))
    y = y[places]
    if not len(x) or not len(y):
        return undecided(name, len(x), len(y))
    test = ks_2samp(x, y)
    at, too_low = float(test.statistic_location), test.statistic_sign < 0
    excess = y <= at if too_low else y > at
    distance = np.where(excess, np.abs(y - np.median(x)), -1.0)
    order = np.argsort(-distance, kind="stable")[: min(DRIVERS, int(excess.sum()))]
    return Drift(
        name, float(test.pvalue), float(test.statistic), tuple(int(places[i]) for i in order), len(x), len(y)
    )


def score_drift(
    reference: npt.NDArray[np.floating], window: npt.NDArray[np.floating], *, name: str = "scores"
) -> Drift:
    """Tests class probabilities (n, k) against (m, k), class by class, Bonferroni over the classes.

    Those of the reference must be out-of-sample, or the model's confidence in what it learned by heart looks like drift.
    The class that differs most names statistic and drivers. With two classes one column says it all.
    """
    if reference.ndim != 2 or window.ndim != 2 or reference.shape[1] != window.shape[1]:
        raise ValueError("reference and window must be scored for the same classes")
    columns = [1] if reference.shape[1] == 2 else list(range(reference.shape[1]))
    found = [value_drift(reference[:, c], window[:, c], name=name) for c in columns]
    if not found:
        return undecided(name, len(reference), len(window))
    worst = min(found, key=lambda one: one.p_value)
    return Drift(
        name,
        min(1.0, len(columns) * worst.p_value),
        worst.statistic,
        worst.drivers,
        worst.n_reference,
        worst.n_window,
    )
