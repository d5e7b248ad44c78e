"""Whether the photos of one text look like those of another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from inference.backbones import UnknownBackbone, WeightsError
from labeling.catalog.models import Item, Project
from labeling.learning.compute.stores import load_backbone, store_of

#: Photos with a vector that a text must have, and the share of them that must look like those of one other text.
LEAST, MOST_OF_THEM = 3, 0.75
Floats = npt.NDArray[np.floating[Any]]


class Looks:
    """``photos``: key of a text -> ids of some of its photos. Vectors are of the project's backbone, if there are any."""

    def __init__(self, project: Project, photos: Mapping[str, Sequence[int]]) -> None:
        self._vectors: dict[str, Floats] = {}
        self._closeness: dict[str, float] = {}
        try:
            store = store_of(load_backbone(project.backbone_name))
        except (UnknownBackbone, WeightsError):
            return
        ids = [item for items in photos.values() for item in items]
        sha256 = dict(Item.objects.filter(pk__in=ids).values_list("pk", "image__sha256"))
        lacking = set(store.missing(list(sha256.values())))
        for key, items in photos.items():
            hashes = [sha256[item] for item in items if item in sha256 and sha256[item] not in lacking]
            if len(hashes) >= LEAST:
                rows = np.asarray(store.rows(hashes), dtype=np.float32)
                self._vectors[key] = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)

    def __call__(self, text: str, others: Sequence[str]) -> tuple[str, int, int] | None:
        """The one of ``others`` that it looks like, how many of its photos do, and of how many."""
        known = {key: self._vectors[key] for key in others if key in self._vectors}
        if text not in self._vectors or not known:
            return None
        like, alike, of = nearest(self._vectors[text], known, {key: self._close(key) for key in known})
        return (like, alike, of) if alike >= MOST_OF_THEM * of else None

    def _close(self, key: str) -> float:
        if key not in self._closeness:
            self._closeness[key] = closeness(self._vectors[key])
        return self._closeness[key]


def nearest(photos: Floats, known: Mapping[str, Floats], close: Mapping[str, float]) -> tuple[str, int, int]:
    """The group of which most ``photos`` (n, d) have their nearest neighbour, how many do, and n. Rows have length 1.

    A photo counts for a group where it is as near to one of its photos as all but the strangest of those are to each
    other (``close``): a nearest neighbour there always is, and of most things it is no likeness.
    """
    cosines = {key: (photos @ rows.T).max(axis=1) for key, rows in known.items()}
    best = np.stack(list(cosines.values())).max(axis=0)
    votes = {key: int(np.count_nonzero((at >= best) & (at >= close[key]))) for key, at in cosines.items()}
    like = max(votes, key=lambda key: votes[key])
    return like, votes[like], len(photos)


def closeness(rows: Floats) -> float:
    """The cosine of a photo of the group and the nearest other one of it, that nine in ten reach."""
    cosines = rows @ rows.T
    np.fill_diagonal(cosines, -1)
    return float(np.quantile(cosines.max(axis=1), 0.1))
