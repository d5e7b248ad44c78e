"""A domain backbone on disk: a folder with ``manifest.json`` and safetensors. Never pickle.

``statistics.safetensors`` holds the pool's statistics, ``weights.safetensors`` a network that was trained on; a folder has
at least one of them. It appears whole or not at all, and is never written again.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from safetensors.numpy import load_file, save_file

from inference import backbones
from inference.backbones import Backbone
from inference.domain.fitting import fit
from inference.domain.modes import Modes
from inference.domain.network import domain_backbone
from inference.domain.statistics import DomainStatistics
from inference.domain.weights import with_weights
from inference.on_disk import make_folder, publish, system_errors

if TYPE_CHECKING:
    import torch

FORMAT_VERSION = 1
#: What a folder may be called: it becomes part of a backbone's name.
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")

_MANIFEST, _STATISTICS, _WEIGHTS = "manifest.json", "statistics.safetensors", "weights.safetensors"


class DomainFolderError(ValueError):
    """A stored domain backbone that is missing, damaged or not what its manifest says."""


@system_errors()
def save(
    folder: Path,
    *,
    base: str,
    statistics: DomainStatistics | None = None,
    weights: Mapping[str, torch.Tensor] | None = None,
    told: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Write a domain backbone into ``folder``, which must not exist yet.

    Args:
        base: the registry's name of the network, with the feature ``stages`` alone where there are statistics.
        statistics: of the base, or with ``weights`` of the base with those weights.
        weights: tensors of the base's module, trained further.
        told: the caller's part of the manifest: method, seed, what the pool was.

    Returns:
        The manifest as written.

    Raises:
        FileExistsError: the folder is there already.
        ValueError: a bad name, or nothing to keep.
    """
    if not NAME.fullmatch(folder.name):
        raise ValueError(
            f"A backbone's folder is named in small letters, digits, - and _; not {folder.name!r}."
        )
    if statistics is None and weights is None:
        raise ValueError("There are neither statistics nor weights to keep.")
    if folder.exists():
        raise FileExistsError(f"{folder} exists; a stored backbone is never overwritten.")
    make_folder(folder.parent)
    hidden = folder.parent / f".new-{folder.name}-{secrets.token_hex(4)}"
    hidden.mkdir()
    try:
        manifest: dict[str, Any] = {
            **(told or {}),
            "format_version": FORMAT_VERSION,
            "base": base,
            "files": {},
        }
        if weights is not None:
            _save_tensors(weights, hidden / _WEIGHTS)
        if statistics is not None:
            save_file(
                {name: np.ascontiguousarray(a) for name, a in statistics.to_arrays().items()},
                hidden / _STATISTICS,
            )
            manifest["statistics"] = {
                "base_hash": statistics.base_hash,
                "flips": statistics.flips,
                "shapes": [list(shape) for shape in statistics.shapes],
                "counts": list(statistics.counts),
                "silhouettes": {str(k): v for k, v in statistics.modes.silhouettes.items()},
                "digest": statistics.digest,
            }
        for name in (_WEIGHTS, _STATISTICS):
            if (hidden / name).is_file():
                manifest["files"][name] = _sha256(hidden / name)
        (hidden / _MANIFEST).write_text(
            json.dumps(manifest, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
        )
        publish(hidden, folder)
    except BaseException:
        shutil.rmtree(hidden, ignore_errors=True)
        raise
    return manifest


def save_trained(
    folder: Path,
    base: Backbone,
    state: Mapping[str, torch.Tensor],
    keys: Sequence[str],
    read: Callable[[str], bytes],
    *,
    statistics: bool = True,
    told: dict[str, Any] | None = None,
    **options: Any,
) -> dict[str, Any]:
    """Keep a trained network, with the pool's statistics under it unless told not to; as ``save``.

    ``options`` go to ``fit``.
    """
    found: DomainStatistics | None = None
    if statistics:
        with tempfile.TemporaryDirectory() as place:
            file = Path(place) / _WEIGHTS
            _save_tensors(state, file)
            found = fit(with_weights(base, file, name=base.name), keys, read, **options)
    return save(folder, base=base.name, statistics=found, weights=state, told=told)


def _save_tensors(state: Mapping[str, torch.Tensor], file: Path) -> None:
    from safetensors.torch import save_file as save_tensors

    save_tensors(dict(state), file)


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest, after its files were checked against it.

    Raises:
        DomainFolderError: something is missing, damaged or of another format.
    """
    try:
        manifest = json.loads((folder / _MANIFEST).read_text())
    except (OSError, ValueError) as error:
        raise DomainFolderError(f"There is no readable {_MANIFEST} in {folder}.") from error
    if not isinstance(manifest, dict) or manifest.get("format_version") != FORMAT_VERSION:
        raise DomainFolderError(f"{folder} is not of format {FORMAT_VERSION}, the one this version reads.")
    files = manifest.get("files")
    if not files or set(files) - {_WEIGHTS, _STATISTICS}:
        raise DomainFolderError(f"The manifest in {folder} names no files that make a backbone.")
    for name, digest in files.items():
        if not (folder / name).is_file() or _sha256(folder / name) != digest:
            raise DomainFolderError(
                f"{folder / name} is missing or differs from its manifest. Restore it from a backup, or adapt again."
            )
    return manifest


def load_statistics(folder: Path, manifest: dict[str, Any]) -> DomainStatistics:
    """The statistics that ``manifest`` tells of.

    Raises:
        DomainFolderError: arrays and manifest contradict each other.
    """
    told = manifest["statistics"]
    try:
        arrays = load_file(folder / _STATISTICS)
        statistics = DomainStatistics(
            base_hash=told["base_hash"],
            flips=told["flips"],
            shapes=tuple((int(c), int(h), int(w)) for c, h, w in told["shapes"]),
            mean=arrays["mean"],
            scale=arrays["scale"],
            modes=Modes(
                arrays["mode_weight"],
                arrays["mode_bias"],
                {int(count): value for count, value in told["silhouettes"].items()},
            ),
            counts=tuple(told["counts"]),
        )
    except (KeyError, ValueError, TypeError) as error:
        raise DomainFolderError(f"The statistics in {folder} contradict their manifest: {error}") from error
    values = sum(channels * height * width for channels, height, width in statistics.shapes)
    if statistics.mean.shape != (statistics.modes.count, values) or statistics.digest != told["digest"]:
        raise DomainFolderError(f"The statistics in {folder} contradict their manifest.")
    return statistics


def load(folder: Path, *, name: str | None = None) -> Backbone:
    """The backbone kept in ``folder``, called ``name`` or ``domain:<folder name>``.

    Raises:
        DomainFolderError: something is missing, damaged or contradictory.
        UnknownBackbone, WeightsError: its base cannot be loaded.
    """
    manifest = read_manifest(folder)
    name = name or f"domain:{folder.name}"
    base = backbones.load(manifest["base"])
    if _WEIGHTS in manifest["files"]:
        base = with_weights(base, folder / _WEIGHTS, name=name)
    if _STATISTICS not in manifest["files"]:
        return base
    statistics = load_statistics(folder, manifest)
    if statistics.base_hash != base.content_hash:
        raise DomainFolderError(
            f"The statistics in {folder} belong to other weights of {manifest['base']} than those found here."
        )
    return domain_backbone(base, statistics, name=name)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
