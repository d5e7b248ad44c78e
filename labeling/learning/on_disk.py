"""Whether a model version's files are what training wrote, told without what trained it: a web process may ask."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from labeling.learning.models import ModelVersion
from labeling.store.folders import MODELS

#: What loading goes by.
_LOADED_BY = ("weights_sha256", "format_version", "kind", "classes", "backbone_hash")
_WEIGHTS, _MANIFEST, _OUT_OF_FOLD = "head.safetensors", "manifest.json", "out-of-fold.safetensors"


def is_whole(version: ModelVersion) -> bool:
    """Whether the head's weights and manifest are there, unchanged, and this version's; the out-of-fold figures, uncut.

    The training read the head back before it made the version, so what is unchanged loads. A version whose manifest
    names no weights was not made by a training of ours, and nothing is known of its files.
    Raises :class:`~labeling.store.objects.StoreAway`.
    """
    wanted = version.manifest.get("weights_sha256")
    if wanted is None:
        return True
    try:
        folder = MODELS.get(version.artifact)
        manifest = json.loads((folder / _MANIFEST).read_text())
        with (folder / _WEIGHTS).open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except (OSError, ValueError):
        return False
    if not isinstance(manifest, dict) or not _is_uncut(folder / _OUT_OF_FOLD):
        return False
    return found == wanted and all(manifest.get(name) == version.manifest.get(name) for name in _LOADED_BY)


def _is_uncut(path: Path) -> bool:
    """Whether a safetensors file has the length that its header says: eight bytes, the header's length, the tensors."""
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            header = json.loads(file.read(length))
        ends = [tensor["data_offsets"][1] for name, tensor in header.items() if name != "__metadata__"]
        return bool(path.stat().st_size == 8 + length + max(ends))
    except (OSError, ValueError, LookupError, TypeError, AttributeError, MemoryError, OverflowError):
        return False
