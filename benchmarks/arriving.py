"""Are photos that arrive told apart from the pool that was certified, before the machine decides them? On ELPV.

A head is trained on 200 monocrystalline photos; 500 others are the pool that the plan was written for. Then a batch of 100
arrives: *usual* (as the pool), *easy* (the surest third of what is left), *harder* (the least sure third) or *module type*
(polycrystalline). The gate compares embeddings, scores and predicted classes, at the level of a plan's first look.

``noticed``: share of batches that are left to people; of usual ones that is a false alarm, promised in at most 5 % of plans.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from inference import drift
from inference.heads import LogisticHead

TRAINING, POOL, BATCH, ALPHA = 200, 500, 100, 0.05
BATCHES = ("usual", "easy", "harder", "module type")


def noticed(
    X: npt.NDArray[np.float32],
    defective: npt.NDArray[np.bool_],
    poly: npt.NDArray[np.bool_],
    kind: str,
    seed: int,
) -> bool:
    """Whether one batch of this kind is told apart. ``X`` (n, d), the others (n,)."""
    rng = np.random.default_rng(seed)
    mono = rng.permutation(np.flatnonzero(~poly))
    head = LogisticHead(seed=seed).fit(X[mono[:TRAINING]], defective[mono[:TRAINING]].astype(np.int64))
    left = mono[TRAINING + POOL :]
    if kind == "module type":
        batch = rng.permutation(np.flatnonzero(poly))[:BATCH]
    elif kind == "usual":
        batch = left[:BATCH]
    else:
        sure = np.abs(head.predict_proba(X[left])[:, 1] - 0.5)
        order = np.argsort(-sure if kind == "easy" else sure)
        batch = rng.permutation(left[order[: len(left) // 3]])[:BATCH]

    def known(rows: npt.NDArray[np.int64]) -> drift.Photos:
        scores = head.predict_proba(X[rows])
        return drift.Photos(
            embeddings=X[rows], scores=scores, classes=np.where(scores[:, 1] > 0.5, "b", "a").tolist()
        )

    level = drift.level_of(1, ALPHA, "ever")
    return drift.compare(known(mono[TRAINING : TRAINING + POOL]), known(batch), level=level, seed=seed).alarm


def rows(
    X: npt.NDArray[np.float32], defective: npt.NDArray[np.bool_], poly: npt.NDArray[np.bool_], batches: int
) -> dict[str, Any]:
    """Kind of batch -> how many of ``batches`` are noticed, as a share."""
    return {
        kind: {
            "noticed": round(
                float(np.mean([noticed(X, defective, poly, kind, seed) for seed in range(batches)])), 3
            ),
            "batches": batches,
        }
        for kind in BATCHES
    }
