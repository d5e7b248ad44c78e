"""Drift of embeddings: can a classifier tell the window from the reference?

A classifier two-sample test (Lopez-Paz & Oquab 2017, "Revisiting classifier two-sample tests"): logistic regression learns
on one half which photos are of the window, and must rank the other half; its p-value is the Mann-Whitney test's. Halves then
change places, and twice the smaller p-value counts. No permutation is needed, so p-values may be as small as repeated
windows ask for. On ELPV it was as powerful as the kernel test (MMD, Gretton et al. 2012, random features, 199
permutations) or more so, at a quarter of its cost: see `docs/log.md`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.stats import mannwhitneyu
from sklearn.linear_model import LogisticRegression

from inference.drift.result import DRIVERS, Drift, undecided

#: Fewer photos on either side are not compared.
LEAST = 10
# Strong: there are more channels than photos. Power hardly depends on it.
_STRENGTH = 1e-4
# As the heads do: a channel that hardly varies is not blown up by its tiny deviation.
_FLOOR = 0.1


def embedding_drift(
    reference: npt.NDArray[np.float32],
    window: npt.NDArray[np.float32],
    *,
    seed: int = 0,
    name: str = "embeddings",
) -> Drift:
    """Tests whether embeddings of the window differ from those of the reference.

    Args:
        reference: (n, d) of a random sample of the photos that the model was made for. Not of the labels that a strategy
            chose: they differ from any stream by design.
        window: (m, d) of recent photos.
        seed: of the halves.

    Returns:
        ``statistic`` is the mean area under the ROC curve of telling them apart, .5 for no difference. Drivers are the
        window's photos that were most surely told from the reference, each by the half that had not seen it.

    Raises:
        ValueError: other numbers of channels, or numbers that are not finite.
    """
    if reference.ndim != 2 or window.ndim != 2 or reference.shape[1] != window.shape[1]:
        raise ValueError("reference and window must be matrices with the same number of channels")
    n, m = len(reference), len(window)
    if n < LEAST or m < LEAST:
        return undecided(name, n, m)
    both = np.concatenate([reference, window]).astype(np.float32)
    if not np.isfinite(both).all():
        raise ValueError("embeddings must be finite")
    spread = both.std(axis=0)
    used = spread > 0
    if not used.any():
        return undecided(name, n, m)
    # Scaled by all photos together: that knows nothing of which side they are on.
    both = (both[:, used] - both[:, used].mean(axis=0)) / (spread[used] + _FLOOR * np.median(spread[used]))
    recent = np.arange(n + m) >= n
    rng = np.random.default_rng(seed)
    first = np.zeros(n + m, dtype=bool)
    first[rng.permutation(n)[: n // 2]] = True
    first[n + rng.permutation(m)[: m // 2]] = True
    scores = np.zeros(n + m)
    p_values, areas = [], []
    for learn in (first, ~first):
        judge = ~learn
        model = LogisticRegression(C=_STRENGTH, class_weight="balanced", max_iter=200)
        scores[judge] = model.fit(both[learn], recent[learn]).decision_function(both[judge])
        test = mannwhitneyu(scores[judge & recent], scores[judge & ~recent], alternative="greater")
        p_values.append(float(test.pvalue))
        areas.append(float(test.statistic) / float((judge & recent).sum() * (judge & ~recent).sum()))
    drivers = np.argsort(-scores[n:], kind="stable")[:DRIVERS]
    return Drift(
        name, min(1.0, 2.0 * min(p_values)), float(np.mean(areas)), tuple(int(i) for i in drivers), n, m
    )
