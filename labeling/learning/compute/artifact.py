"""A model version on disk: the head, its manifest, and out-of-fold probabilities of its training photos.

The latter let a later challenger be compared with this version on the very photos that trained it, honestly.
"""

from __future__ import annotations

import logging
import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from django.conf import settings
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from inference import artifacts
from inference.heads import Head
from inference.on_disk import publish, system_errors
from labeling.jobs.progress import JobError
from labeling.learning import selectors
from labeling.learning.models import ModelVersion

logger = logging.getLogger(__name__)

_OUT_OF_FOLD = "out-of-fold.safetensors"


@dataclass(frozen=True)
class OutOfFold:
    """``item_ids`` (n,) sorted; ``proba`` (n, k): each from a fit without the photo's own label."""

    item_ids: npt.NDArray[np.int64]
    proba: npt.NDArray[np.float64]


def folder_of(relative: str) -> Path:
    return Path(settings.MODELS_DIR) / relative


@system_errors()
def save(relative: str, head: Head, out_of_fold: OutOfFold, manifest: dict[str, Any]) -> dict[str, Any]:
    """Write the artefact into the new folder ``relative``; return its full manifest."""
    folder = folder_of(relative)
    written = artifacts.save_head(folder, head, manifest)
    hidden = folder / f".new-{secrets.token_hex(4)}"
    save_file({"item_ids": out_of_fold.item_ids, "proba": out_of_fold.proba}, hidden)
    publish(hidden, folder / _OUT_OF_FOLD)
    # What a version is promoted by later is that its files are unchanged. So they are read once as what they are to be.
    artifacts.load_head(folder, backbone_hash=manifest["backbone_hash"])
    return written


def discard(relative: str) -> None:
    """Remove an artefact that no model version came to point to."""
    shutil.rmtree(folder_of(relative), ignore_errors=True)


def load(model_version: ModelVersion) -> Head:
    """The version's head. Raises :class:`JobError` when its files are gone or damaged."""
    try:
        head, _ = artifacts.load_head(
            folder_of(model_version.artifact), backbone_hash=model_version.backbone_hash
        )
    except artifacts.ArtifactError as error:
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
    path = folder_of(model_version.artifact) / _OUT_OF_FOLD
    try:
        arrays = load_file(path)
        return OutOfFold(arrays["item_ids"], arrays["proba"])
    except (OSError, SafetensorError, KeyError) as error:
        logger.warning(
            "out-of-fold probabilities of version %d cannot be read: %r", model_version.number, error
        )
        return None
