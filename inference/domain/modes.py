"""How many appearances a pool has, and which of them a photo is.

One station may see several products (ELPV's cells are mono- or polycrystalline): what is usual for one is odd for another.
k-means on the standardised means of every channel finds such groups without labels. The number of them is the one with the
best silhouette (Rousseeuw 1987), and one group unless that is clearly above what a single cloud gives. Few and large only:
with many groups the defects get groups of their own, in which they are usual.

Imports no torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

MOST = 3
#: Below this silhouette there is one group.
CLEAR = 0.12
#: A group holds at least this share of the photos, and this many.
LEAST_SHARE, LEAST_PHOTOS = 0.1, 30


@dataclass(frozen=True)
class Modes:
    """A linear rule: the mode of a photo is the largest of ``pooled @ weight.T + bias``: the nearest centre.

    Attributes:
        weight, bias: (modes, channels) and (modes,), on the means over space of all stages' maps.
        silhouettes: number of modes -> mean silhouette, as looked at.
    """

    weight: Floats
    bias: Floats
    silhouettes: dict[int, float]

    @property
    def count(self) -> int:
        return len(self.bias)

    def of(self, pooled: Floats) -> npt.NDArray[np.int64]:
        """(n,) modes of (n, channels)."""
        return np.asarray((pooled @ self.weight.T + self.bias).argmax(axis=1), dtype=np.int64)


def find_modes(pooled: Floats, *, wanted: int | Literal["auto"] = "auto", seed: int = 0) -> Modes:
    """Group photos by their (n, channels) mean features.

    Args:
        wanted: that many, or "auto" for the number that the photos speak for, up to ``MOST``.
    """
    from sklearn.cluster import KMeans
    from sklearn.metrics import silhouette_score

    n, channels = pooled.shape
    one = Modes(np.zeros((1, channels), np.float32), np.zeros(1, np.float32), {})
    if wanted == 1 or n < 3:
        return one
    centre = pooled.mean(axis=0, dtype=np.float64)
    deviation = pooled.std(axis=0, dtype=np.float64)
    scale = deviation + 0.1 * float(np.median(deviation)) + 1e-9
    rows = (pooled - centre) / scale
    counts = range(2, MOST + 1) if wanted == "auto" else range(wanted, wanted + 1)
    best = one
    silhouettes: dict[int, float] = {}
    for count in counts:
        if n <= count:
            continue
        found = KMeans(count, n_init=4, random_state=seed).fit(rows)
        sizes = np.bincount(found.labels_, minlength=count)
        if wanted == "auto":
            if sizes.min() < max(LEAST_PHOTOS, LEAST_SHARE * n):
                continue
            silhouettes[count] = float(silhouette_score(rows, found.labels_))
            if silhouettes[count] < max([CLEAR, *[s for c, s in silhouettes.items() if c != count]]):
                continue
        best = _linear(found.cluster_centers_, centre, scale)
    return Modes(best.weight, best.bias, silhouettes)


def _linear(
    centres: npt.NDArray[np.float64], centre: npt.NDArray[np.float64], scale: npt.NDArray[np.float64]
) -> Modes:
    """Nearest centre of standardised rows as a linear rule on raw ones: |x - c|^2 is least where x.c - |c|^2/2 is most."""
    weight = centres / scale
    bias = -0.5 * (centres**2).sum(axis=1) - weight @ centre
    return Modes(weight.astype(np.float32), bias.astype(np.float32), {})
