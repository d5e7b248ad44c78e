"""All photos' maps by place, made once for the domain statistics of many seeds.

A seed settles which photos count in the statistics, not what the network sees in them. Ten seeds would run the network on
every photo and its mirror images ten times; here it runs once, and what it hands on is kept in a file while the seeds are
gone through (float32: 8 GB of ELPV under two blocks of a ViT-S at 224 pixels with four views).
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from inference.backbones import Backbone
from inference.batches import EmbeddedBatch, Photo
from inference.domain.network import map_shapes, maps_backbone, mirrored, standardised
from inference.domain.statistics import DomainStatistics, Shape
from inference.embed import Embedder

Floats = npt.NDArray[np.float32]
_BATCH = 32


@dataclass(frozen=True)
class SharedMaps:
    """
    Attributes:
        at: key -> row.
        views: axes mirrored, a view.
        shapes: of a photo's maps.
        maps: (views, photos, values) float32, all maps of a photo end to end.
    """

    at: Mapping[str, int]
    views: list[list[int]]
    shapes: tuple[Shape, ...]
    maps: Floats

    def of(self, axes: list[int]) -> _View:
        """What ``inference.domain.fit`` takes as ``maps_of``."""
        return _View(self, self.views.index(axes))

    def vectors(self, statistics: DomainStatistics) -> Floats:
        """(photos, d) vectors of all photos under ``statistics``."""
        network = standardised(_Kept(self), statistics).eval()
        squares = torch.arange(4.0 * len(self.at)).reshape(-1, 1, 2, 2)
        parts = [squares[start : start + _BATCH] for start in range(0, len(squares), _BATCH)]
        with torch.no_grad():
            return np.concatenate([network(part).numpy() for part in parts])


@dataclass(frozen=True)
class _View:
    shared: SharedMaps
    view: int

    def embed(self, photos: Iterable[Photo]) -> Iterator[EmbeddedBatch]:
        keys = [key for key, _file in photos]
        for start in range(0, len(keys), _BATCH):
            part = keys[start : start + _BATCH]
            yield EmbeddedBatch(part, self.shared.maps[self.view, [self.shared.at[key] for key in part]], [])


class _Kept(nn.Module):
    """Stands in for the network. A photo is a square of four numbers, 4 n to 4 n + 3 of photo n: which of them lies in the
    first corner says which photo it is, and which mirror image of it."""

    def __init__(self, shared: SharedMaps) -> None:
        super().__init__()
        self.shared = shared
        self.sizes = [int(np.prod(shape)) for shape in shared.shapes]

    def maps(self, squares: torch.Tensor) -> list[torch.Tensor]:
        first = squares[:, 0, 0, 0].long().numpy()
        rows = torch.from_numpy(self.shared.maps[first[0] % 4, first // 4])
        parts = torch.split(rows, self.sizes, dim=1)
        return [part.reshape(-1, *shape) for part, shape in zip(parts, self.shared.shapes, strict=True)]


@contextmanager
def shared_maps(
    backbone: Backbone,
    keys: Sequence[str],
    files: Mapping[str, bytes],
    *,
    flips: str,
    folder: Path,
    threads: int | None = None,
    device: str = "cpu",
) -> Iterator[SharedMaps]:
    """Makes them into a file below ``folder``, which is gone at the end."""
    shapes = map_shapes(backbone)
    views = mirrored(flips)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".maps-") as hidden:
        kept = np.lib.format.open_memmap(
            Path(hidden) / "maps.npy",
            mode="w+",
            dtype=np.float32,
            shape=(len(views), len(keys), sum(int(np.prod(shape)) for shape in shapes)),
        )
        for view, axes in enumerate(views):
            embedder = Embedder(
                maps_backbone(backbone, tuple(axes)), device, threads=threads, cache_dir=folder / "onnx"
            )
            done = 0
            for batch in embedder.embed((key, files[key]) for key in keys):
                if batch.failures:
                    raise ValueError(f"{batch.failures[0][0]} cannot be read: {batch.failures[0][1]}")
                kept[view, done : done + len(batch.keys)] = batch.vectors
                done += len(batch.keys)
                print(f"maps, view {view + 1} of {len(views)}: {done}", file=sys.stderr, flush=True)
        yield SharedMaps({key: row for row, key in enumerate(keys)}, views, shapes, kept)
