"""Whether what is stored of models, backbones and vectors is what was written.

What this machine has a sound copy of is put back. Vectors that are damaged are removed, and computed again. Models and
backbones are told: only a backup, or people, bring them back.
"""

from __future__ import annotations

import logging
import zlib

from inference import brought_in, domain
from inference.brought_in.folder import NETWORK
from labeling.catalog import stored
from labeling.learning.compute.stores import embed_again
from labeling.learning.models import DomainBackbone, ModelVersion
from labeling.learning.on_disk import is_whole
from labeling.store.folders import BACKBONES, MODELS, VECTORS

logger = logging.getLogger(__name__)


def check_folders(night: int | None) -> dict[str, int]:
    """Look at all of them, and of the vectors at the ``night``'s share (``None``: at all); how many of each are damaged.

    Raises :class:`~labeling.store.objects.StoreAway`.
    """
    versions = {each.artifact: each for each in ModelVersion.objects.select_related("project")}
    models = {name: _is_model_sound(name, version) for name, version in versions.items() if _is_ours(version)}
    adapted = DomainBackbone.objects.values_list("name", flat=True)
    names = {*BACKBONES.all(), *(name.removeprefix("domain:") for name in adapted)}
    backbones = {name: _is_backbone_sound(name) for name in names}
    for area, found in (("models", models), ("backbones", backbones)):
        damaged = [f"{area}/{name}" for name, is_sound in found.items() if not is_sound]
        stored.tell(area, [f"{area}/{name}" for name in found], damaged)
    vectors = [name for name in VECTORS.all() if "/shard-" in name and _is_tonight(name, night)]
    damaged = [name for name in vectors if not (VECTORS.is_sound(name) or VECTORS.heal(name))]
    for name in damaged:
        logger.error("the vectors in %s are damaged; they are removed, to be computed again", name)
        VECTORS.drop(name)
    if damaged:
        embed_again()
    return {
        "models": sum(not each for each in models.values()),
        "backbones": sum(not each for each in backbones.values()),
        "vectors": len(damaged),
    }


def _is_tonight(name: str, night: int | None) -> bool:
    return night is None or zlib.crc32(name.encode()) % stored.NIGHTS == night % stored.NIGHTS


def _is_ours(version: ModelVersion) -> bool:
    return "weights_sha256" in version.manifest


def _is_model_sound(name: str, version: ModelVersion) -> bool:
    return (MODELS.is_sound(name) or MODELS.heal(name)) and is_whole(version)


def _is_backbone_sound(name: str) -> bool:
    """Also one that is older than sums are: its manifest has some."""
    if not (BACKBONES.is_sound(name) or BACKBONES.heal(name)):
        return False
    try:
        folder = BACKBONES.get(name)
        is_onnx = (folder / NETWORK).is_file()
        (brought_in.read_manifest if is_onnx else domain.read_manifest)(folder)
    except (domain.DomainFolderError, brought_in.FolderError, FileNotFoundError):
        return False
    return True
