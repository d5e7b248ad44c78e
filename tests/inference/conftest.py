from __future__ import annotations

import gc
import io
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from PIL import Image

from inference import backbones
from inference.photo import room


@pytest.fixture(autouse=True, scope="module")
def _networks_go_with_their_module() -> Iterator[None]:
    """A process keeps what it loaded. Of networks with made-up weights that was 1.2 GB, and nobody asks for them again."""
    yield
    for name, weights in list(backbones._loaded):
        if weights is not None or ":" in name:
            del backbones._loaded[name, weights]
    gc.collect()  # each exported network is a ring of references
    room._give_back(0)


@pytest.fixture
def encode() -> Callable[..., bytes]:
    """Encode pixels (H, W[, 3]) as a file."""

    def encode(pixels: np.ndarray, format: str = "PNG", **options: object) -> bytes:
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, format, **options)
        return file.getvalue()

    return encode


@pytest.fixture
def photo() -> np.ndarray:
    """A smooth colour gradient, 60 high and 80 wide: survives JPEG nearly unchanged."""
    rows, columns = np.mgrid[0:60, 0:80]
    return np.stack([rows * 4, columns * 3, 255 - rows * 2], axis=2).astype(np.uint8)


@pytest.fixture
def blobs() -> tuple[np.ndarray, np.ndarray]:
    """120 points of three overlapping classes in 300 dimensions."""
    rng = np.random.default_rng(5)
    y = np.arange(120) % 3
    centres = rng.normal(size=(3, 300)) * 0.25
    return (centres[y] + rng.normal(size=(120, 300))).astype(np.float32), y
