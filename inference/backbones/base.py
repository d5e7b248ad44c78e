"""What a backbone is: a name, a preprocessing, a frozen network and a content hash.

The content hash stands for "the same photo gives the same vector": it covers the weights' bytes, the architecture, the
decoder of photos, the preprocessing and the choice of features. Embeddings are stored under it, so anything that changes a
vector must change it.

Knows no particular architecture. Imports torch only for types.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from inference.backbones.preprocessing import Preprocessing
from inference.backbones.views import with_views
from inference.photo import DECODER_VERSION, DEFAULT_LEVELS, Levels

if TYPE_CHECKING:
    import torch

__all__ = ["Backbone", "Preprocessing", "UnknownBackbone", "WeightsError"]


class UnknownBackbone(LookupError):
    """No backbone of that name is registered."""


class WeightsError(ValueError):
    """Weights are missing, unreadable or made for another architecture."""


class Backbone:
    """A frozen feature extractor.

    Attributes:
        name: its name in the registry.
        dim: length of an embedding.
        input_size: side of the square input, pixels.
        preprocessing: what ``preprocess`` does.
        flips: "" or how mirror images are averaged in, see ``inference.backbones.views``.
        cpu_only: it runs on the CPU, whatever device is asked for.
        exported: where it came as ONNX that takes pixels as ``inference.pixel_network`` does, that file.
    """

    cpu_only = False
    exported: Path | None = None

    def __init__(
        self,
        *,
        name: str,
        dim: int,
        preprocessing: Preprocessing,
        architecture: str,
        features: str,
        weights: Path,
        build: Callable[[Path], torch.nn.Module],
        flips: str = "",
    ) -> None:
        """``architecture`` and ``features`` identify code (bump them when the code changes what comes out).

        ``dim`` and ``build`` are those of one view: (B, 3, size, size) to (B, dim of one view). With tiles, an
        embedding is twice as long.
        """
        self.name = name
        self.dim = dim * (2 if preprocessing.tiles else 1)
        self.preprocessing = preprocessing
        self.input_size = preprocessing.size
        self.flips = flips
        self._view_dim = dim
        self._architecture = architecture
        self._features = features
        self._weights = weights
        self._build = build
        self._module: torch.nn.Module | None = None

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 (hex) over weights, architecture, preprocessing and features. Read once a process (tens of ms)."""
        spec = {
            "architecture": self._architecture,
            "features": self._features,
            "preprocessing": self.preprocessing.spec(),
            "dim": self.dim,
            "decoder": DECODER_VERSION,
        }
        if self.flips:
            spec["flips"] = f"{self.flips}; 1"
        digest = hashlib.sha256(json.dumps(spec, sort_keys=True).encode())
        with self._weights.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
        return digest.hexdigest()

    def preprocess(self, rgb: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """An upright photo (H, W, 3) uint8 to the network's input float32.

        (3, input_size, input_size), or with tiles (views, 3, input_size, input_size).
        """
        return self.preprocessing(rgb)

    def module(self) -> torch.nn.Module:
        """The network: a batch of what ``preprocess`` gives to (B, dim) float32, in eval mode, no gradients.

        Built once; callers that move it to a device should deep-copy it first.

        Raises:
            WeightsError: the weights do not fit the architecture.
        """
        if self._module is None:
            module = with_views(self._build(self._weights), self.preprocessing.views, self.flips).eval()
            module.requires_grad_(False)
            self._module = module
        return self._module

    def as_it_came(self, threads: int) -> Callable[[npt.NDArray[np.uint8]], npt.NDArray[np.float32]] | None:
        """The network as its publisher exported it, where that is how it came: (photos x views, S, S, C) uint8 to
        (photos, dim) float32, on ``threads`` threads. None for a network of torch, which is exported here.
        """
        return None

    @property
    def view_dim(self) -> int:
        """Length of one view's vector."""
        return self._view_dim

    def with_views(
        self, *, name: str, tiles: int = 0, flips: str = "", levels: Levels = DEFAULT_LEVELS
    ) -> Backbone:
        """The same network, also shown a grid of ``tiles`` x ``tiles`` parts of the photo, or its mirror images.

        ``levels``: how photos of more than 8 bits are decoded for it.
        """
        return Backbone(
            name=name,
            dim=self._view_dim,
            preprocessing=replace(self.preprocessing, tiles=tiles, levels=levels),
            architecture=self._architecture,
            features=self._features,
            weights=self._weights,
            build=self._build,
            flips=flips,
        )

    def derived(
        self, *, name: str, dim: int, features: str, build: Callable[[torch.nn.Module], torch.nn.Module]
    ) -> Backbone:
        """Another feature of the same network and preprocessing, one view of it.

        ``features`` identifies what is done with the network: its code and all data that goes into it. ``build`` makes the
        module of (B, 3, size, size) to (B, dim) from this backbone's, which it gets for itself.
        """
        return Backbone(
            name=name,
            dim=dim,
            preprocessing=self.preprocessing.with_tiles(0),
            architecture=self._architecture,
            features=f"{self._features}; then {features}",
            weights=self._weights,
            build=lambda weights: build(self._build(weights)),
        )
