"""A head on disk: ``head.safetensors`` and ``manifest.json`` in a folder of its own. Never pickle.

The folder appears whole or not at all and is never written again: a model version is immutable.

Knows nothing of model versions in a database; what the caller puts into the manifest is kept as it is.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import secrets
import shutil
from importlib.metadata import version
from pathlib import Path
from typing import Any

from safetensors.numpy import load_file, save_file

from inference.heads import LogisticHead

FORMAT_VERSION = 1

_WEIGHTS = "head.safetensors"
_MANIFEST = "manifest.json"
_LIBRARIES = ("numpy", "scipy", "scikit-learn", "torch", "onnxruntime", "safetensors")
# Without these a head cannot be told from another, or not be rebuilt.
_REQUIRED = ("backbone_hash", "seed")


class ArtifactError(ValueError):
    """A stored head that is missing, damaged or not what its manifest says."""


def save_head(folder: Path, head: LogisticHead, manifest: dict[str, Any]) -> dict[str, Any]:
    """Write ``head`` into ``folder``, which must not exist yet.

    Args:
        manifest: the caller's part: ``backbone_hash`` and ``seed`` at least; ``device`` defaults to "cpu".

    Returns:
        The manifest as written, with ``format_version``, ``classes``, ``strength``, ``temperature``, ``dim``,
        ``weights_sha256``, ``python`` and ``libraries`` added.

    Raises:
        FileExistsError: the folder is there already.
        ValueError: a required entry is missing.
    """
    lacking = [name for name in _REQUIRED if name not in manifest]
    if lacking:
        raise ValueError(f"The manifest needs {', '.join(lacking)}.")
    if folder.exists():
        raise FileExistsError(f"{folder} exists; a stored head is never overwritten.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    hidden = folder.parent / f".new-{folder.name}-{secrets.token_hex(4)}"
    hidden.mkdir()
    try:
        save_file(head.to_arrays(), hidden / _WEIGHTS)
        full = {
            "device": "cpu",
            **manifest,
            "format_version": FORMAT_VERSION,
            "kind": "logistic",
            "classes": head.classes_.tolist(),
            "dim": int(head.coef_.shape[1]),
            "strength": head.strength_,
            "temperature": head.temperature_,
            "weights_sha256": _sha256(hidden / _WEIGHTS),
            "python": platform.python_version(),
            "libraries": {name: version(name) for name in _LIBRARIES},
        }
        (hidden / _MANIFEST).write_text(json.dumps(full, indent=2, sort_keys=True, ensure_ascii=False) + "\n")
        for name in (_WEIGHTS, _MANIFEST):
            _sync(hidden / name)
        _sync(hidden)
        hidden.rename(folder)
        _sync(folder.parent)
    except BaseException:
        shutil.rmtree(hidden, ignore_errors=True)
        raise
    return full


def load_head(folder: Path, *, backbone_hash: str | None = None) -> tuple[LogisticHead, dict[str, Any]]:
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
    if not isinstance(manifest, dict) or manifest.get("format_version") != FORMAT_VERSION:
        raise ArtifactError(f"{folder} is not of format {FORMAT_VERSION}, the one this version reads.")
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
        head = LogisticHead.from_arrays(load_file(weights), manifest["classes"])
    except (KeyError, ValueError) as error:
        raise ArtifactError(
            f"The weights and the manifest in {folder} contradict each other: {error}"
        ) from error
    return head, manifest


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
