"""Drift of the class balance, of predictions or of ground truths."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.stats import chi2_contingency, fisher_exact

from inference.drift.result import DRIVERS, Drift, undecided

# Where a cell of the table expects fewer, the chi-square distribution is a poor guide (Cochran 1954).
_LEAST_EXPECTED = 5.0
_DRAWS = 9999


def balance_drift(
    reference: Sequence[str], window: Sequence[str], *, name: str = "class balance", seed: int = 0
) -> Drift:
    """Tests whether classes (n,) and (m,) come in the same proportions.

    Two classes: Fisher's exact test. More: chi-square, with its p-value from 9,999 random tables of the same margins where
    a class is too rare for the asymptotic one (Patefield's setting; Phipson & Smyth 2010 for the p-value).

    ``statistic`` is the total variation distance between the proportions. Drivers are the window's photos of the class
    that became most frequent beyond expectation, the latest first.
    """
    n, m = len(reference), len(window)
    classes = sorted({*reference, *window})
    if not n or not m or len(classes) < 2:
        return undecided(name, n, m)
    code = {one: i for i, one in enumerate(classes)}
    ours = np.bincount([code[one] for one in reference], minlength=len(classes))
    theirs = np.bincount([code[one] for one in window], minlength=len(classes))
    table = np.stack([ours, theirs])
    expected = table.sum(axis=0) * m / (n + m)
    if len(classes) == 2:
        p = float(fisher_exact(table).pvalue)
    elif min(expected.min(), (table.sum(axis=0) - expected).min()) >= _LEAST_EXPECTED:
        p = float(chi2_contingency(table).pvalue)
    else:
        p = _drawn(table, expected, seed)
    grown = int(np.argmax((theirs - expected) / np.sqrt(expected)))
    drivers = [i for i, one in enumerate(window) if code[one] == grown][::-1][:DRIVERS]
    return Drift(name, p, float(np.abs(ours / n - theirs / m).sum() / 2), tuple(drivers), n, m)


def _drawn(table: np.ndarray, expected: np.ndarray, seed: int) -> float:
    total, m = table.sum(axis=0), int(table[1].sum())
    other = total - expected

    def distance(drawn: np.ndarray) -> np.ndarray:
        gap = (drawn - expected) ** 2
        return np.asarray((gap / expected + gap / other).sum(axis=-1))

    draws = np.random.default_rng(seed).multivariate_hypergeometric(total, m, size=_DRAWS)
    # Ties count: they are equal but for rounding.
    as_far = int((distance(draws) >= distance(table[1]) * (1 - 1e-9)).sum())
    return (1 + as_far) / (1 + _DRAWS)
