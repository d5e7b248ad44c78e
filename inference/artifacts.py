"""A head on disk: ``head.safetensors`` and ``manifest.json`` in a folder of its own. Never pickle.

The folder appears whole or not at all and is never written again: a model version is immutable.

Knows nothing of model versions in a database; what the caller puts into the manifest is kept as it is.
"""

from __future__ import annotations

import hashlib
import json
import platform
import secrets
import shutil
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from inference import heads
from inference.heads import Head
from inference.on_disk import make_folder, publish, system_errors
from inference.threads import available

FORMAT_VERSION = 2
# Format 1 knew logistic heads only and was otherwise the same.
_READABLE = (1, FORMAT_VERSION)

_WEIGHTS = "head.safetensors"
_MANIFEST = "manifest.json"
_LIBRARIES = ("numpy", "scipy", "scikit-learn", "torch", "onnxruntime", "safetensors")
# Without these a head cannot be told from another, or not be rebuilt.
_REQUIRED = ("backbone_hash", "seed")


class ArtifactError(ValueError):
    """A stored head that is missing, damaged or not what its manifest says."""


@system_errors()
def save_head(folder: Path, head: Head, manifest: dict[str, Any]) -> dict[str, Any]:
    """Write ``head`` into ``folder``, which must not exist yet.

    Args:
        manifest: the caller's part: ``backbone_hash`` and ``seed`` at least; ``device`` defaults to "cpu".

    Returns:
        The manifest as written, with ``format_version``, ``kind``, ``classes``, what fitting chose (``temperature`` and the
        kind's own, as ``strength``), ``dim``, ``weights_sha256``, ``threads`` (cores there were; the head does not depend
        on them), ``python`` and ``libraries`` added.

    Raises:
        FileExistsError: the folder is there already.
        ValueError: a required entry is missing.
    """
    lacking = [name for name in _REQUIRED if name not in manifest]
    if lacking:
        raise ValueError(f"The manifest needs {', '.join(lacking)}.")
    if folder.exists():
        raise FileExistsError(f"{folder} exists; a stored head is never overwritten.")
    make_folder(folder.parent)
    hidden = folder.parent / f".new-{folder.name}-{secrets.token_hex(4)}"
    hidden.mkdir()
    try:
        save_file(head.to_arrays(), hidden / _WEIGHTS)
        full = {
            "device": "cpu",
            **manifest,
            "format_version": FORMAT_VERSION,
            "kind": head.kind,
            "classes": head.classes_.tolist(),
            "dim": int(head.n_features_in_),
            **head.settings(),
            "threads": available(),
            "weights_sha256": _sha256(hidden / _WEIGHTS),
            "python": platform.python_version(),
            "libraries": {name: version(name) for name in _LIBRARIES},
        }
        (hidden / _MANIFEST).write_text(json.dumps(full, indent=2, sort_keys=True, ensure_ascii=False) + "\n")
        publish(hidden, folder)
    except BaseException:
        shutil.rmtree(hidden, ignore_errors=True)
        raise
    return full


def load_head(folder: Path, *, backbone_hash: str | None = None) -> tuple[Head, dict[str, Any]]:
    """The head in ``folder`` and its manifest.

    Args:
        backbone_hash: when given, a head made for another backbone is refused.

    Raises:
        ArtifactError: files missing, of another format, damaged, or for another backbone.
    """
    try:
        manifest = json.loads((folder / _MANIFEST).read_text())
    except (OSError, ValueError) as error:
        raise ArtifactError(f"No readable {_MANIFEST} in {folder}.") from error
    if not isinstance(manifest, dict) or manifest.get("format_version") not in _READABLE:
        raise ArtifactError(f"{folder} is of no format that this version reads: {_READABLE}.")
    weights = folder / _WEIGHTS
    if not weights.is_file() or _sha256(weights) != manifest.get("weights_sha256"):
        raise ArtifactError(
            f"{weights} is missing or differs from its manifest. Restore it from a backup or retrain."
        )
    if backbone_hash is not None and manifest.get("backbone_hash") != backbone_hash:
        raise ArtifactError(
            f"The head in {folder} belongs to another backbone; its embeddings mean something else."
        )
    try:
        head = heads.from_arrays(manifest["kind"], load_file(weights), manifest["classes"])
    except (LookupError, ValueError, SafetensorError) as error:
        raise ArtifactError(
            f"The weights and the manifest in {folder} contradict each other: {error}"
        ) from error
    if not all(np.isfinite(array).all() for array in head.to_arrays().values() if array.dtype.kind == "f"):
        raise ArtifactError(f"The weights in {folder} hold what is no number.")
    return head, manifest


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
