"""Where embeddings are, and how they are read: by key, a chunk at a time, never the whole store in memory."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

import numpy.typing as npt
import torch
from django.conf import settings

from inference import backbones
from inference.backbones import Backbone
from inference.backbones.names import parse
from inference.embed import Embedder
from inference.shard_writer import ShardWriter
from inference.side_by_side import SideBySide
from inference.store import EmbeddingStore, Vectors
from labeling.catalog.models import Project
from labeling.learning.models import ModelVersion
from labeling.learning.services import request_embedding
from labeling.store import copies, folders, objects
from labeling.store.folders import BACKBONES, VECTORS

logger = logging.getLogger(__name__)

BATCH = 32
#: A store in more pieces than this is merged after a job that wrote to it.
MOST_SHARDS = 64


def device() -> str:
    """ "cuda" where there is a GPU, else "cpu"."""
    return "cuda" if torch.cuda.is_available() else "cpu"


class SharedShards:
    """What a store of vectors on this machine is a copy of: its shards in the store of all machines."""

    def __init__(self, backbone_hash: str) -> None:
        self._hash = backbone_hash
        #: Names of those that were damaged there: what they held has to be computed again.
        self.damaged: list[str] = []

    def follow(self) -> None:
        here = set(VECTORS.here(self._hash))  # before the look at the store, where each of them was first
        there = VECTORS.names(self._hash)
        for name in here - there:
            folder = VECTORS.root / self._hash / name
            if copies.is_copy(folder):  # another machine's compaction replaced it
                copies.remove(folder)
            else:  # it came when vectors were in no store
                VECTORS.put(f"{self._hash}/{name}")
        for name in sorted(there):
            with suppress(FileNotFoundError):  # dropped meanwhile, not whole yet, or damaged
                self._get(name)

    def put(self, name: str, folder: Path) -> None:
        VECTORS.put(f"{self._hash}/{name}", folder)

    def _get(self, name: str) -> None:
        try:
            VECTORS.get(f"{self._hash}/{name}")
        except folders.Damaged as error:
            logger.error("%s; it is removed, to be computed again", error)
            self.damaged.append(name)
            self.drop(name)
            raise

    def drop(self, name: str) -> None:
        copies.remove(VECTORS.root / self._hash / name)
        VECTORS.drop(f"{self._hash}/{name}")


def open_store(backbone_hash: str, dim: int) -> EmbeddingStore:
    """A store, from whose damaged parts the photos are embedded anew: whoever finds them first asks for it."""
    elsewhere = SharedShards(backbone_hash) if objects.is_remote() else None
    store = EmbeddingStore(VECTORS.root, backbone_hash, dim, elsewhere=elsewhere)
    if store.set_aside or (elsewhere and elsewhere.damaged):
        embed_again()
    return store


#: As :func:`open_store`; who asks for one several times keeps it: a million keys are not read in no time.
Open = Callable[[str, int], EmbeddingStore]


def embed_again() -> None:
    """After vectors were lost. Whose they were is not written in a store; a project that lacks none is done in a moment."""
    for project in Project.objects.filter(archived_at__isnull=True):
        request_embedding(project=project)


def forget_vectors(backbone_hash: str) -> None:
    """Remove all that is kept of a backbone that nothing stands on: its vectors, and its network as it was exported."""
    for name in VECTORS.names(backbone_hash):
        VECTORS.drop(f"{backbone_hash}/{name}")
    shutil.rmtree(VECTORS.root / backbone_hash, ignore_errors=True)
    for network in networks_folder().glob(f"{backbone_hash}.*"):
        network.unlink(missing_ok=True)


class Shipper:
    """Adds to a backbone's store without reading it, and keeps nothing here of what is in the store of all machines."""

    def __init__(self, backbone_hash: str, dim: int, dtype: str) -> None:
        self._elsewhere = SharedShards(backbone_hash) if objects.is_remote() else None
        self._writer = ShardWriter(VECTORS.root / backbone_hash, dim, self._elsewhere)
        self._dtype = dtype

    def append(self, keys: Sequence[str], vectors: npt.ArrayLike) -> None:
        """As :meth:`~inference.store.EmbeddingStore.append`."""
        name = self._writer.write(keys, vectors, self._dtype)
        if name and self._elsewhere is not None:
            copies.remove(self._writer.folder / name)


def vectors_of(version: ModelVersion, open_one: Open = open_store) -> Vectors:
    """The vectors that a version's head takes: its backbones' side by side, in the order of its columns."""
    stores = [open_one(part.backbone_hash, part.dim) for part in version.parts]
    return stores[0] if len(stores) == 1 else SideBySide(stores)


def store_of(backbone: Backbone, open_one: Open = open_store) -> EmbeddingStore:
    return open_one(backbone.content_hash, backbone.dim)


def backbones_folder() -> Path:
    """Where domain backbones are kept, a folder each."""
    return BACKBONES.root


def networks_folder() -> Path:
    """Where exported networks are kept. Each machine makes its own, in seconds."""
    return VECTORS.root / "networks"


def load_backbone(name: str) -> Backbone:
    """A backbone of the registry, or one that was fitted here or brought in. Raises what ``backbones.load`` raises."""
    if parse(name).family not in backbones.KEPT:
        return backbones.load(name)
    with suppress(FileNotFoundError):  # said in the library's words
        BACKBONES.get(parse(name).architecture)
    return backbones.load(name, weights=backbones_folder())


@lru_cache(maxsize=3)
def embedder_for(name: str, on: str, threads: int | None = None) -> Embedder:
    """One embedder a backbone and device in this process: building one takes seconds. ``threads``: all cores if ``None``."""
    return Embedder(
        load_backbone(name),
        device=on,
        batch_size=BATCH if on == "cpu" else 8 * BATCH,
        threads=threads,
        cache_dir=networks_folder(),
        max_pixels=settings.INTAKE_MAX_PIXELS,
    )


def tidy(store: EmbeddingStore) -> None:
    """Merge the store's pieces when there are many, as after many small intakes."""
    if sum(entry.name.startswith("shard-") for entry in store.folder.iterdir()) > MOST_SHARDS:
        store.compact()
