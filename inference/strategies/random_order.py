"""Uniformly at random: the baseline, and the only order whose labels are a fair sample.

Knows nothing but how many photos there are; bands are filled in when a model happens to exist.
"""

from __future__ import annotations

import numpy as np

from inference.strategies.base import Ordering, Pool, with_model, without_model


class RandomOrder:
    """A seeded permutation."""

    name = "random"
    needs_model = False
    paced = False

    def order(self, pool: Pool, *, bands: int, seed: int, careful: int | None = None) -> Ordering:
        order = np.random.default_rng(seed).permutation(len(pool))
        return without_model(order) if pool.proba is None else with_model(order, pool.proba, bands)
