"""A model version on disk: the head, its manifest, and out-of-fold probabilities of its training photos.

The latter let a later challenger be compared with this version on the very photos that trained it, honestly.
"""

from __future__ import annotations

import logging
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from inference import artifacts
from inference.heads import Head
from inference.on_disk import publish, system_errors
from labeling.jobs.progress import JobError
from labeling.learning import selectors
from labeling.learning.models import ModelVersion
from labeling.store.folders import MODELS

logger = logging.getLogger(__name__)

_OUT_OF_FOLD = "out-of-fold.safetensors"


@dataclass(frozen=True)
class OutOfFold:
    """``item_ids`` (n,) sorted; ``proba`` (n, k): each from a fit without the photo's own label."""

    item_ids: npt.NDArray[np.int64]
    proba: npt.NDArray[np.float64]


def folder_of(relative: str) -> Path:
    """Where it is on this machine. Raises :class:`FileNotFoundError` when the store has none, or a damaged one."""
    return MODELS.get(relative)


@system_errors()
def save(relative: str, head: Head, out_of_fold: OutOfFold, manifest: dict[str, Any]) -> dict[str, Any]:
    """Write the artefact into the new folder ``relative``; return its full manifest."""
    folder = MODELS.root / relative
    hidden = folder.with_name(f".new-{folder.name}")
    try:
        written = artifacts.save_head(hidden, head, manifest)
        save_file({"item_ids": out_of_fold.item_ids, "proba": out_of_fold.proba}, hidden / _OUT_OF_FOLD)
        # What a version is promoted by later is that its files are unchanged. So they are read once as what they are to be.
        artifacts.load_head(hidden, backbone_hash=manifest["backbone_hash"])
        MODELS.put(relative, hidden)
        publish(hidden, folder)
    except BaseException:
        shutil.rmtree(hidden, ignore_errors=True)
        raise
    return written


def discard(relative: str) -> None:
    """Remove an artefact that no model version came to point to."""
    MODELS.drop(relative)


def load(model_version: ModelVersion) -> Head:
    """The version's head. Raises :class:`JobError` when its files are gone or damaged."""
    try:
        head, _ = artifacts.load_head(
            folder_of(model_version.artifact), backbone_hash=model_version.backbone_hash
        )
    except (artifacts.ArtifactError, FileNotFoundError) as error:
        back = None
        if selectors.champion(model_version.project) == model_version:
            back = selectors.roll_back_to(model_version)
        raise JobError(
            f"Model version {model_version.number} cannot be read: {error} "
            + (
                f"Roll back to version {back.number} on its page under Models, or restore"
                if back
                else "Restore"
            )
            + " the models folder from a backup, or train again and promote the new version."
        ) from error
    return head


def load_out_of_fold(model_version: ModelVersion) -> OutOfFold | None:
    """``None`` when the file is gone or damaged: then nothing honest is known of the photos the version learned from."""
    try:
        arrays = load_file(folder_of(model_version.artifact) / _OUT_OF_FOLD)
        return OutOfFold(arrays["item_ids"], arrays["proba"])
    except (OSError, SafetensorError, KeyError) as error:
        logger.warning(
            "out-of-fold probabilities of version %d cannot be read: %r", model_version.number, error
        )
        return None
