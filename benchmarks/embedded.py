"""Photos' embeddings, made once and kept in ``var/benchmarks``."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from inference.backbones import Backbone
from inference.embed import Embedder
from inference.store import EmbeddingStore

CACHE = Path(__file__).resolve().parent.parent / "var" / "benchmarks"


def embed(
    backbone: Backbone,
    keys: Sequence[str],
    files: Mapping[str, bytes],
    *,
    threads: int | None = None,
    device: str = "cpu",
) -> npt.NDArray[np.float32]:
    """(n, d) embeddings of the photos ``keys``; ``files``: key -> the file, of those never embedded before at least."""
    store = EmbeddingStore(CACHE / "embeddings", backbone.content_hash, backbone.dim)
    if missing := store.missing(keys):
        print(f"embedding {len(missing)} photos ...", file=sys.stderr, flush=True)
        embedder = Embedder(backbone, device=device, threads=threads, cache_dir=CACHE / "onnx")
        for batch in embedder.embed((key, files[key]) for key in missing):
            store.append(batch.keys, batch.vectors)
        store.compact()
    return store.rows(keys)
