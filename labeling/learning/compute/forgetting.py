"""Vectors of photos that are erased go from every store of vectors, on all machines."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from inference import shards
from inference.store import Busy, EmbeddingStore
from labeling.catalog import erased
from labeling.jobs.progress import JobError
from labeling.learning.compute.stores import SharedShards
from labeling.store import objects
from labeling.store.folders import VECTORS

CHUNK = 50_000
_BUSY = "Vectors are being written at the moment. The next try is within an hour."


def forget_vectors(hashes: Collection[str]) -> int:
    """Of these photos (SHA-256), of whatever backbone; returns how many vectors there were.

    Raises :class:`JobError` where vectors are written at the moment, :class:`~labeling.store.objects.StoreAway`.
    """
    return sum(_forget(store, hashes) for store in _stores()) if hashes else 0


def _forget(store: EmbeddingStore, hashes: Collection[str]) -> int:
    try:
        found = store.forget(hashes)
    except Busy:
        raise JobError(_BUSY) from None
    if len(store.missing(hashes)) != len(set(hashes)):
        raise JobError(_BUSY)
    return found


def forget_what_came_back() -> int:
    """Of all photos that nobody may hold any more: a machine that was off, or a backup, may have brought some."""
    found = 0
    for store in _stores():
        keys = store.keys()
        gone = {key for part in _parts(keys) for key in erased.listed_everywhere(part)}
        found += _forget(store, gone) if gone else 0
    return found


def _stores() -> list[EmbeddingStore]:
    """All that hold anything. How long their vectors are, their shards know."""
    found = []
    for backbone_hash in _hashes(VECTORS.names() | VECTORS.here()):
        elsewhere = SharedShards(backbone_hash) if objects.is_remote() else None
        if elsewhere is not None:
            elsewhere.follow()
        lengths = [_length(backbone_hash, name) for name in sorted(VECTORS.here(backbone_hash))]
        if dim := next((each for each in lengths if each), 0):
            found.append(EmbeddingStore(VECTORS.root, backbone_hash, dim, elsewhere=elsewhere))
    return found


def _hashes(names: Collection[str]) -> list[str]:
    """Of all that lies there, the stores: each is named by the hash of its backbone."""
    return sorted(name for name in names if len(name) == 64)


def _length(backbone_hash: str, shard: str) -> int:
    try:
        return int(np.load(shards.vectors_path(VECTORS.root / backbone_hash / shard), mmap_mode="r").shape[1])
    except (OSError, ValueError, IndexError):  # damaged: opening the store says so
        return 0


def _parts(keys: Sequence[str]) -> list[Sequence[str]]:
    return [keys[start : start + CHUNK] for start in range(0, len(keys), CHUNK)]
