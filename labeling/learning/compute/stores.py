"""Where embeddings are, and how they are read: by key, a chunk at a time, never the whole store in memory."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import torch
from django.conf import settings

from inference import backbones
from inference.backbones import Backbone
from inference.embed import Embedder
from inference.side_by_side import SideBySide
from inference.store import EmbeddingStore, Vectors
from labeling.catalog.models import Project
from labeling.learning.models import ModelVersion
from labeling.learning.services import request_embedding

BATCH = 32
#: A store in more pieces than this is merged after a job that wrote to it.
MOST_SHARDS = 64


def device() -> str:
    """ "cuda" where there is a GPU, else "cpu"."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def open_store(backbone_hash: str, dim: int) -> EmbeddingStore:
    """A store, from whose damaged parts the photos are embedded anew: whoever finds them first asks for it."""
    store = EmbeddingStore(Path(settings.EMBEDDINGS_DIR), backbone_hash, dim)
    if store.set_aside:
        # Whose photos they were is not written in a store. A project that lacks nothing is done in a moment.
        for project in Project.objects.filter(archived_at__isnull=True):
            request_embedding(project=project)
    return store


def vectors_of(version: ModelVersion) -> Vectors:
    """The vectors that a version's head takes: its backbones' side by side, in the order of its columns."""
    stores = [open_store(part.backbone_hash, part.dim) for part in version.parts]
    return stores[0] if len(stores) == 1 else SideBySide(stores)


def store_of(backbone: Backbone) -> EmbeddingStore:
    return open_store(backbone.content_hash, backbone.dim)


def backbones_folder() -> Path:
    """Where domain backbones are kept, a folder each."""
    return Path(settings.BACKBONES_DIR)


def networks_folder() -> Path:
    """Where exported networks are kept."""
    return Path(settings.EMBEDDINGS_DIR) / "networks"


def load_backbone(name: str) -> Backbone:
    """A backbone of the registry, or a domain backbone of this installation. Raises what ``backbones.load`` raises."""
    return backbones.load(name, weights=backbones_folder() if name.startswith("domain:") else None)


@lru_cache(maxsize=3)
def embedder_for(name: str, on: str) -> Embedder:
    """One embedder a backbone and device in this process: building one takes seconds."""
    return Embedder(
        load_backbone(name),
        device=on,
        batch_size=BATCH if on == "cpu" else 8 * BATCH,
        cache_dir=networks_folder(),
        max_pixels=settings.INTAKE_MAX_PIXELS,
    )


def tidy(store: EmbeddingStore) -> None:
    """Merge the store's pieces when there are many, as after many small intakes."""
    if sum(entry.name.startswith("shard-") for entry in store.folder.iterdir()) > MOST_SHARDS:
        store.compact()
