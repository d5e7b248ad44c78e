"""A backbone that takes bytes: normalisation moved into the network, which makes it cheap everywhere.

The input is uint8, (N, S, S, C) with N = photos x views and C 3, or 1 for grey photos (broadcasting makes three of it).
A quarter of the memory traffic of floats, no float arithmetic outside of the network, and on a GPU a quarter of the
transfer.
"""

from __future__ import annotations

import copy
import os
import tempfile
import threading
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from inference.backbones import Backbone
from inference.on_disk import publish

if TYPE_CHECKING:
    import torch

#: torch's exporter keeps its state in globals of the process: two exports at once break each other.
_EXPORTING = threading.Lock()


def pixel_network(backbone: Backbone) -> torch.nn.Module:
    """(photos x views, S, S, C) uint8 to (photos, dim) float32, a module of its own: it may be moved and changed."""
    import torch
    from torch import nn

    views, size = backbone.preprocessing.views, backbone.input_size
    scale, shift = (
        torch.from_numpy(each)[:, None, None] for each in backbone.preprocessing.scale_and_shift()
    )

    class PixelNetwork(nn.Module):
        scale: torch.Tensor
        shift: torch.Tensor

        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("scale", scale)
            self.register_buffer("shift", shift)
            self.network = copy.deepcopy(backbone.module())

        def forward(self, pixels: torch.Tensor) -> torch.Tensor:
            photos = pixels.permute(0, 3, 1, 2).float() * self.scale - self.shift
            if views > 1:
                photos = photos.reshape(-1, views, 3, size, size)
            vectors: torch.Tensor = self.network(photos).float()
            return vectors

    return PixelNetwork().eval()


def export_onnx(backbone: Backbone, cache_dir: Path) -> Path:
    """``pixel_network`` as an ONNX file in ``cache_dir``, exported unless it is there already, or came as that.

    Written under a temporary name and renamed, so that processes starting at once never read half a file. Threads of one
    process take turns.

    Raises:
        Exception: whatever torch's exporter raises on networks that it cannot express.
    """
    if backbone.exported is not None:
        return backbone.exported
    path = cache_dir / f"{backbone.content_hash}.pixels.onnx"
    if path.is_file():
        return path
    with _EXPORTING:
        if not path.is_file():  # another thread may have made it meanwhile
            _export(backbone, path)
    return path


def _export(backbone: Backbone, path: Path) -> None:
    import torch

    cache_dir = path.parent
    cache_dir.mkdir(parents=True, exist_ok=True)
    # Two photos, so that no 1 becomes a constant.
    size = backbone.input_size
    sample = torch.zeros(2 * backbone.preprocessing.views, size, size, 3, dtype=torch.uint8)
    handle, temporary = tempfile.mkstemp(dir=cache_dir, prefix=".export-")
    os.close(handle)
    try:
        with warnings.catch_warnings():
            # The exporter without onnxscript is deprecated, yet the only one that our dependencies allow.
            warnings.simplefilter("ignore")
            torch.onnx.export(
                pixel_network(backbone),
                (sample,),
                temporary,
                input_names=["pixels"],
                output_names=["embedding"],
                dynamic_axes={"pixels": {0: "views", 3: "channels"}, "embedding": {0: "photos"}},
                dynamo=False,
            )
        publish(Path(temporary), path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
