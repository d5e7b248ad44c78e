"""What a backbone is: a name, a preprocessing, a frozen network and a content hash.

The content hash stands for "the same photo gives the same vector": it covers the weights' bytes, the architecture, the
preprocessing and the choice of features. Embeddings are stored under it, so anything that changes a vector must change it.

Knows no particular architecture. Imports torch only for types.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PIL import Image

if TYPE_CHECKING:
    import torch


class UnknownBackbone(LookupError):
    """No backbone of that name is registered."""


class WeightsError(ValueError):
    """Weights are missing, unreadable or made for another architecture."""


@dataclass(frozen=True)
class Preprocessing:
    """Shorter side to ``resize`` pixels (bilinear, antialiased), centre crop of ``size``, then (x / 255 - mean) / std."""

    resize: int
    size: int
    mean: tuple[float, float, float] = (0.485, 0.456, 0.406)
    std: tuple[float, float, float] = (0.229, 0.224, 0.225)

    def crop(self, rgb: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """(H, W, 3) uint8 of any size to (size, size, 3) uint8."""
        height, width = rgb.shape[:2]
        # The part of the photo that the crop shows, in the photo's own pixels: one resize instead of resize and crop.
        side = min(height, width) * self.size / self.resize
        left, top = (width - side) / 2, (height - side) / 2
        box = (left, top, left + side, top + side)
        image = Image.fromarray(rgb)
        return np.asarray(image.resize((self.size, self.size), Image.Resampling.BILINEAR, box=box))

    def __call__(self, rgb: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """(H, W, 3) uint8 to (3, size, size) float32, contiguous."""
        scale = 1.0 / (255.0 * np.asarray(self.std, dtype=np.float32))
        shift = np.asarray(self.mean, dtype=np.float32) / np.asarray(self.std, dtype=np.float32)
        pixels = self.crop(rgb) * scale - shift
        return np.ascontiguousarray(pixels.transpose(2, 0, 1), dtype=np.float32)


class Backbone:
    """A frozen feature extractor.

    Attributes:
        name: its name in the registry.
        dim: length of an embedding.
        input_size: side of the square input, pixels.
        preprocessing: what ``preprocess`` does.
    """

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
    ) -> None:
        """``architecture`` and ``features`` identify code (bump them when the code changes what comes out)."""
        self.name = name
        self.dim = dim
        self.preprocessing = preprocessing
        self.input_size = preprocessing.size
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
            "preprocessing": asdict(self.preprocessing),
            "dim": self.dim,
        }
        digest = hashlib.sha256(json.dumps(spec, sort_keys=True).encode())
        with self._weights.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
        return digest.hexdigest()

    def preprocess(self, rgb: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """An upright photo (H, W, 3) uint8 to the network's input (3, input_size, input_size) float32."""
        return self.preprocessing(rgb)

    def module(self) -> torch.nn.Module:
        """The network: (B, 3, input_size, input_size) float32 to (B, dim) float32, in eval mode, no gradients.

        Built once; callers that move it to a device should deep-copy it first.
        """
        if self._module is None:
            module = self._build(self._weights).eval()
            module.requires_grad_(False)
            self._module = module
        return self._module


def read_state(path: Path) -> dict[str, torch.Tensor]:
    """A state dict from ``.safetensors`` or a torch file; never unpickles objects (``weights_only``).

    Raises:
        WeightsError: no such file, or not a plain state dict.
    """
    import torch
    from safetensors.torch import load_file

    if not path.is_file():
        raise WeightsError(f"No weights file at {path}.")
    try:
        if path.suffix == ".safetensors":
            state = load_file(path)
        else:
            state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise WeightsError(f"{path.name} is not a plain state dict: {error}") from error
    if not isinstance(state, dict) or not all(isinstance(value, torch.Tensor) for value in state.values()):
        raise WeightsError(f"{path.name} is not a plain state dict.")
    return state


def fit_state(module: torch.nn.Module, state: dict[str, torch.Tensor], source: str) -> None:
    """Load ``state`` into ``module``, every tensor or none.

    Raises:
        WeightsError: names or shapes differ.
    """
    try:
        module.load_state_dict(state, strict=True)
    except RuntimeError as error:
        raise WeightsError(f"The weights in {source} do not fit the architecture: {error}") from error
