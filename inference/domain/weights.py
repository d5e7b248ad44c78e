"""A backbone with other weights than its family's: those that were trained further on a company's photos."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from inference.backbones import Backbone
from inference.backbones.weights import fit_state, read_state

if TYPE_CHECKING:
    from torch import nn

VERSION = 1


def with_weights(backbone: Backbone, file: Path, *, name: str) -> Backbone:
    """``backbone`` with all tensors of its module read from a safetensors file, every one or none.

    The content hash stands for the file's bytes. A file that does not fit raises ``WeightsError`` when the module is built.
    """
    with file.open("rb") as opened:
        digest = hashlib.file_digest(opened, "sha256").hexdigest()

    def build(network: nn.Module) -> nn.Module:
        fit_state(network, read_state(file), file.name)
        return network

    return backbone.derived(
        name=name, dim=backbone.view_dim, features=f"weights {digest}; {VERSION}", build=build
    )
