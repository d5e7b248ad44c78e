"""Query by committee (Seung, Opper & Sompolinsky 1992): first what models that all fit the labels disagree about.

The members are our own heads on bootstrap samples of the labels (query by bagging, Abe & Mamitsuka 1998), gathered in
modAL's Committee; disagreement is modAL's: the largest Kullback-Leibler divergence of a member from the consensus
(McCallum & Nigam 1998). Unlike an uncertain photo, a disputed one is uncertain for want of labels, not by nature.

Knows nothing of bands or turns. Without a model it is ``typical``; with too few labels for a committee, ``uncertain``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from modAL.disagreement import KL_max_disagreement
from modAL.models import ActiveLearner, Committee

from inference.heads import LogisticHead
from inference.strategies.base import Ordering, Pool, top_two, with_model
from inference.strategies.typical import Typical
from inference.strategies.uncertain import Uncertain

_MEMBERS = 5
_LEAST_A_CLASS = 2
# One strength for all members (times d): a choice by cross-validation would be made on doubled rows.
_STRENGTH = 30.0
_CHUNK = 8_192


class Disputed:
    """Sorts by the committee's disagreement; ties, as in a certain pool, by uncertainty."""

    name = "committee"
    needs_model = True
    paced = False

    def order(self, pool: Pool, *, bands: int, seed: int, careful: int | None = None) -> Ordering:
        if pool.proba is None:
            return Typical().order(pool, bands=bands, seed=seed, careful=careful)
        rng = np.random.default_rng(seed)
        committee = _committee(pool, rng) if len(pool) else None
        if committee is None:
            return Uncertain("uncertain").order(pool, bands=bands, seed=seed, careful=careful)
        disagreement = np.concatenate(
            [
                KL_max_disagreement(committee, pool.embeddings[start : start + _CHUNK])
                for start in range(0, len(pool), _CHUNK)
            ]
        )
        _ladder, confidence = top_two(pool.proba)
        return with_model(np.lexsort((confidence, -disagreement)), pool.proba, bands)


def _committee(pool: Pool, rng: np.random.Generator) -> Any | None:
    """Heads on bootstrap samples, drawn class by class so that none loses one; None with too few labels."""
    labels = np.asarray(pool.labeled_y)
    counts = np.bincount(labels) if len(labels) else np.zeros(0, dtype=np.int64)
    usable = np.isin(labels, np.flatnonzero(counts >= _LEAST_A_CLASS))
    if np.sum(counts >= _LEAST_A_CLASS) < 2:
        return None
    rows, labels = np.asarray(pool.labeled_embeddings)[usable], labels[usable]
    strength = _STRENGTH / rows.shape[1]
    members = []
    for number in range(_MEMBERS):
        sample = _bootstrap(labels, rng)
        head = LogisticHead(strengths=[strength], cv=2, seed=number)
        members.append(ActiveLearner(head, X_training=rows[sample], y_training=labels[sample]))
    return Committee(members)


def _bootstrap(labels: npt.NDArray[Any], rng: np.random.Generator) -> npt.NDArray[np.int64]:
    return np.concatenate(
        [
            rng.choice(members, len(members))
            for members in (np.flatnonzero(labels == c) for c in np.unique(labels))
        ]
    )
