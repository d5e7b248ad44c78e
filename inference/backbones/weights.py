"""Where weights come from, and how they are read: never by unpickling objects.

Knows no architecture.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from inference.backbones.base import WeightsError

if TYPE_CHECKING:
    import torch

#: Environment variable that names a folder of weights: FOLDER/torchvision/ARCHITECTURE.pth and the like.
FOLDER_VARIABLE = "HILLTOP_WEIGHTS_DIR"
SUFFIXES = (".safetensors", ".pth", ".pt")


def find_weights(family: str, architecture: str, weights: Path | None) -> Path | None:
    """The weights file of an architecture: the file given, or found by name in the folder given or configured.

    In a folder, a file belongs to an architecture when its name up to the first hyphen is the architecture's (as in
    torchvision's ``resnet50-0676ba61.pth``); it may lie in a subfolder called like the family. The first by name counts.

    Raises:
        WeightsError: ``weights`` is given and has nothing that fits.
    """
    if weights is not None and weights.is_dir():
        found = _in_folder(weights, family, architecture)
        if found is None:
            raise WeightsError(
                f"The folder {weights} has no weights for {architecture}. Put a file called "
                f"{architecture}{SUFFIXES[0]} or {architecture}{SUFFIXES[1]} there."
            )
        return found
    if weights is not None:
        if not weights.is_file():
            raise WeightsError(f"No weights file at {weights}.")
        return weights
    configured = os.environ.get(FOLDER_VARIABLE)
    return _in_folder(Path(configured), family, architecture) if configured else None


def _in_folder(folder: Path, family: str, architecture: str) -> Path | None:
    for place in (folder / family, folder):
        if not place.is_dir():
            continue
        for file in sorted(place.iterdir()):
            if file.suffix in SUFFIXES and file.stem.partition("-")[0] == architecture and file.is_file():
                return file
    return None


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
