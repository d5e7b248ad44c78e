"""Most uncertain first (Lewis & Gale 1994), by the measures that modAL ships: least confidence, margin, entropy.

Knows nothing of embeddings once there is a model; without one it falls back to ``typical``.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from modAL.uncertainty import classifier_entropy, classifier_margin, classifier_uncertainty

from inference.strategies.base import Ordering, Pool, with_model
from inference.strategies.typical import Typical

Measure = Literal["uncertain", "margin", "entropy"]


class _Spoken:
    """Probabilities that exist already, in the shape in which modAL asks a classifier for them."""

    def __init__(self, proba: npt.NDArray[np.floating[Any]]) -> None:
        self._proba = proba

    def predict_proba(self, X: Any) -> npt.NDArray[np.floating[Any]]:
        return self._proba


class Uncertain:
    """Sorts by one of modAL's measures; ties in a seeded random order."""

    needs_model = True
    paced = False

    def __init__(self, measure: Measure) -> None:
        self.name: str = measure

    def order(self, pool: Pool, *, bands: int, seed: int, careful: int | None = None) -> Ordering:
        if pool.proba is None:
            return Typical().order(pool, bands=bands, seed=seed)
        n = len(pool)
        if n == 0:
            return with_model(np.empty(0, dtype=np.int64), pool.proba, bands)
        spoken = _Spoken(pool.proba)
        if self.name == "margin":
            doubt = -classifier_margin(spoken, pool.ids)
        elif self.name == "entropy":
            doubt = classifier_entropy(spoken, pool.ids)
        else:
            doubt = classifier_uncertainty(spoken, pool.ids)
        tie = np.random.default_rng(seed).permutation(n)
        return with_model(np.lexsort((tie, -np.asarray(doubt))), pool.proba, bands)
