"""Hilltop's strategies as query strategies of modAL (Danka & Horvath 2018), for notebooks and comparisons.

``ActiveLearner(LogisticHead(), query_strategy=query_strategy("inward"), X_training=X, y_training=y)`` queries with
``learner.query(X_pool, n_instances=10)``.

Knows nothing of pace: it looks at the whole pool's order, so ``inward`` gives the outermost band.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.exceptions import NotFittedError

from inference import strategies
from inference.strategies.base import Pool

Queried = tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]


def query_strategy(name: str, *, bands: int = 3, seed: int = 0) -> Callable[..., Queried]:
    """The strategy called ``name`` as modAL calls one.

    The result takes (learner, X_pool (n, d), n_instances=1) and gives the rows to label next and their distances from the
    boundary. ``band``, a keyword of the query, is the outermost band that is shown (0).

    Raises:
        LookupError: there is no such strategy.
    """
    strategy = strategies.get(name)

    def query(learner: Any, X_pool: npt.ArrayLike, n_instances: int = 1, *, band: int = 0) -> Queried:
        rows = np.asarray(X_pool, dtype=np.float32)
        known = getattr(learner, "X_training", None)
        labeled = rows[:0] if known is None else np.asarray(known, dtype=np.float32)
        labels = np.empty(0) if known is None else np.asarray(learner.y_training)
        try:
            proba = np.asarray(learner.predict_proba(rows))
            classes = np.asarray(learner.estimator.classes_)
        except NotFittedError:
            proba, classes = None, np.unique(labels)
        ordering = strategy.order(
            Pool(
                ids=np.arange(len(rows), dtype=np.int64),
                embeddings=rows,
                proba=proba,
                labeled_embeddings=labeled,
                labeled_y=np.searchsorted(classes, labels),
            ),
            bands=bands,
            seed=seed + len(labels),
        )
        order = ordering.order
        due = ordering.band[order] >= (band if strategy.paced else 0)
        first = np.concatenate([order[due], order[~due]])[:n_instances]
        # A pair, always: modAL would take an array of two rows for rows and their measure.
        return first, ordering.confidence[first]

    return query
