"""Frozen feature extractors behind one registry.

A family is one module here with a function ``load(name, weights) -> Backbone`` and one line in ``FAMILIES``. Families
are imported when first asked for, so listing them costs no torch.

Knows nothing of photos as files, of stores or of heads.
"""

from __future__ import annotations

import importlib
from pathlib import Path

from inference.backbones.base import Backbone, UnknownBackbone, WeightsError

__all__ = ["FAMILIES", "Backbone", "UnknownBackbone", "WeightsError", "available", "load"]

# Backbone name -> module that loads it.
FAMILIES: dict[str, str] = {
    "efficientnet_lite0": "inference.backbones.efficientnet_lite",
    "torchvision:resnet18": "inference.backbones.torchvision_zoo",
    "torchvision:resnet50": "inference.backbones.torchvision_zoo",
    "torchvision:mobilenet_v3_small": "inference.backbones.torchvision_zoo",
    "torchvision:convnext_tiny": "inference.backbones.torchvision_zoo",
}

_loaded: dict[tuple[str, str | None], Backbone] = {}


def available() -> list[str]:
    """Names that ``load`` takes, sorted."""
    return sorted(FAMILIES)


def load(name: str, *, weights: Path | None = None) -> Backbone:
    """The backbone called ``name``; the same object for the same arguments within a process.

    Args:
        name: one of ``available()``.
        weights: a ``.safetensors`` file or a torch state dict; a family whose package carries weights needs none.

    Raises:
        UnknownBackbone: no such name.
        WeightsError: weights are missing or do not fit the architecture.
    """
    if name not in FAMILIES:
        raise UnknownBackbone(f"No backbone called {name!r}. Known: {', '.join(available())}.")
    key = (name, None if weights is None else str(weights.resolve()))
    if key not in _loaded:
        family = importlib.import_module(FAMILIES[name])
        _loaded[key] = family.load(name, weights)
    return _loaded[key]
