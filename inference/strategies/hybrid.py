"""Starts typical, moves inward: what a pool looks like first, then what its classes look like, then their boundary.

With few labels, typical photos teach more than a young model's doubts or certainties (Hacohen, Dekel & Weinshall 2022;
TCM, Doucet et al. 2024, moves on from TypiClust to margins in the same way). So the first photos come from ``typical``
even when there is a model, and then from ``inward``.

Knows nothing of who labels.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from inference.strategies.base import Ordering, Pool
from inference.strategies.inward import Inward
from inference.strategies.typical import Typical

# So many labels, times the classes, are typical ones.
_TYPICAL_A_CLASS = 20


class Hybrid:
    """``typical`` up to twenty labels a class, ``inward`` from there on."""

    name = "hybrid"
    needs_model = True
    paced = True

    def order(self, pool: Pool, *, bands: int, seed: int, careful: int | None = None) -> Ordering:
        if pool.proba is not None and len(pool.labeled_y) >= _TYPICAL_A_CLASS * pool.proba.shape[1]:
            return Inward().order(pool, bands=bands, seed=seed, careful=careful)
        ordering = Typical().order(pool, bands=bands, seed=seed, careful=careful)
        # One band: the typical photos of the whole pool are due, wherever the model puts them.
        return replace(ordering, band=np.zeros(len(pool), dtype=np.int16))
