"""Classifiers that were brought in as ONNX: ``onnx:<folder>``, beside the domain backbones (``inference.brought_in``)."""

from __future__ import annotations

import os
from pathlib import Path

from inference.backbones.base import Backbone, UnknownBackbone, WeightsError
from inference.backbones.names import Name
from inference.brought_in import folder as kept
from inference.domain.family import FOLDER_VARIABLE


def architectures() -> list[str]:
    """None to choose from: each belongs to the project that it was brought into."""
    return []


def load(name: Name, weights: Path | None) -> Backbone:
    """``onnx:<folder>``; ``weights`` is the folder that it is in, or the one that HILLTOP_BACKBONES_DIR names.

    Raises:
        UnknownBackbone: no such folder, or a feature or size is asked for.
        WeightsError: what is kept there is damaged.
    """
    root = weights or Path(os.environ.get(FOLDER_VARIABLE, ""))
    place = root / name.architecture
    if name.features or name.size or not (place / kept.MANIFEST).is_file():
        raise UnknownBackbone(f"No classifier called {name} was brought in to {root}.")
    try:
        return kept.load(place, name=str(name))
    except kept.FolderError as error:
        raise WeightsError(str(error)) from error
