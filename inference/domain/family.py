"""Backbones that were fitted to a company's own photos: ``domain:<folder>``, kept below one folder (``inference.domain``).

The folder is the ``weights`` argument's, or the one that HILLTOP_BACKBONES_DIR names.
"""

from __future__ import annotations

import os
from pathlib import Path

from inference.backbones.base import Backbone, UnknownBackbone, WeightsError
from inference.backbones.names import Name
from inference.domain.folder import DomainFolderError
from inference.domain.folder import load as load_folder

#: Environment variable that names the folder whose subfolders are domain backbones.
FOLDER_VARIABLE = "HILLTOP_BACKBONES_DIR"


def architectures() -> list[str]:
    """Names of the folders found."""
    configured = os.environ.get(FOLDER_VARIABLE)
    if not configured or not Path(configured).is_dir():
        return []
    return sorted(entry.parent.name for entry in Path(configured).glob("[!.]*/manifest.json"))


def load(name: Name, weights: Path | None) -> Backbone:
    """``domain:<folder>``; ``weights`` is the folder itself, or the one that it is in.

    Raises:
        UnknownBackbone: no such folder, or a feature is asked for: a domain backbone is one already.
        WeightsError: what is kept there is damaged.
    """
    if name.features or name.size:
        raise UnknownBackbone(
            f"{name} is a backbone with features of its own; ask for domain:{name.architecture}."
        )
    configured = weights or (Path(os.environ[FOLDER_VARIABLE]) if FOLDER_VARIABLE in os.environ else None)
    if configured is None:
        raise UnknownBackbone(f"No folder is configured for {name}. Name it in {FOLDER_VARIABLE}.")
    folder = configured if (configured / "manifest.json").is_file() else configured / name.architecture
    if not (folder / "manifest.json").is_file():
        raise UnknownBackbone(f"No backbone called {name} in {configured}.")
    try:
        return load_folder(folder, name=str(name))
    except DomainFolderError as error:
        raise WeightsError(str(error)) from error
