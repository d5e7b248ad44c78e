"""Where embeddings are, and how they are read: by key, a chunk at a time, never the whole store in memory."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from django.conf import settings

from inference import backbones
from inference.backbones import Backbone
from inference.embed import Embedder
from inference.store import EmbeddingStore

Floats = npt.NDArray[np.float32]

BATCH = 32
#: A store in more pieces than this is merged after a job that wrote to it.
MOST_SHARDS = 64


def device() -> str:
    """ "cuda" where there is a GPU, else "cpu"."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def open_store(backbone_hash: str, dim: int) -> EmbeddingStore:
    return EmbeddingStore(Path(settings.EMBEDDINGS_DIR), backbone_hash, dim)


def store_of(backbone: Backbone) -> EmbeddingStore:
    return open_store(backbone.content_hash, backbone.dim)


@lru_cache(maxsize=2)
def embedder_for(name: str, on: str) -> Embedder:
    """One embedder a backbone and device in this process: building one takes seconds."""
    return Embedder(
        backbones.load(name),
        device=on,
        batch_size=BATCH if on == "cpu" else 8 * BATCH,
        cache_dir=Path(settings.EMBEDDINGS_DIR) / "networks",
        max_pixels=settings.INTAKE_MAX_PIXELS,
    )


def tidy(store: EmbeddingStore) -> None:
    """Merge the store's pieces when there are many, as after many small intakes."""
    if sum(entry.name.startswith("shard-") for entry in store.folder.iterdir()) > MOST_SHARDS:
        store.compact()


class StoredRows:
    """Vectors of ``keys`` that look like an (n, dim) array and are read from the store only when indexed.

    Takes what a strategy or a head asks for: a slice, or an array of row numbers.
    """

    def __init__(self, store: EmbeddingStore, keys: Sequence[str]) -> None:
        self._store = store
        self._keys = list(keys)

    @property
    def shape(self) -> tuple[int, int]:
        return len(self._keys), self._store.dim

    @property
    def ndim(self) -> int:
        return 2

    def __len__(self) -> int:
        return len(self._keys)

    def __getitem__(self, which: Any) -> Floats:
        if isinstance(which, slice):
            return self._store.rows(self._keys[which])
        rows = np.asarray(which)
        if rows.dtype == bool:
            rows = np.flatnonzero(rows)
        if rows.ndim == 0:
            vector: Floats = self._store.rows([self._keys[int(rows)]])[0]
            return vector
        return self._store.rows([self._keys[int(row)] for row in rows])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[Any]:
        return np.asarray(self[:], dtype=dtype)
