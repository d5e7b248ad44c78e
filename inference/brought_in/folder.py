"""A classifier that was brought in, on disk: a folder with ``network.onnx`` and ``manifest.json``, written once."""

from __future__ import annotations

import hashlib
import json
import secrets
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from inference.backbones.base import Backbone, WeightsError
from inference.backbones.preprocessing import Preprocessing
from inference.brought_in import apart
from inference.brought_in.refusals import NotTaken
from inference.on_disk import make_folder, publish
from inference.onnx_session import open_session

FORMAT_VERSION = 1
MOST_BYTES = 2**30
NETWORK, MANIFEST = "network.onnx", "manifest.json"


class FolderError(ValueError):
    """What is kept is missing or damaged."""


@dataclass(frozen=True)
class Asked:
    """``classes``: a key a column, in their order; several columns may be one class, and one without a key is left out.
    ``says``: what the columns are; "auto" looks. ``licence``: a note."""

    classes: tuple[str, ...]
    preprocessing: Preprocessing
    says: Literal["auto", "logits", "probabilities"] = "auto"
    licence: str = ""

    @property
    def kept(self) -> tuple[str, ...]:
        """Each class once, in the order in which it comes first: the order of the vectors' columns."""
        return tuple(dict.fromkeys(filter(None, self.classes)))


def look(model: Path) -> dict[str, Any]:
    """What the file says of itself, as :func:`inference.brought_in.graph.told` gives it; read in a process of its own.

    Raises :class:`NotTaken` as :func:`bring` does, and :class:`OSError`.
    """
    _refuse_large(model)
    return apart.ask({"model": str(model.resolve())})


def bring(model: Path, root: Path, asked: Asked) -> str:
    """Look at the file, try it in a process of its own, and keep it in a new folder of ``root``; the folder's name.

    The same file, asked the same, is the same folder, which is then left as it is.

    Raises:
        NotTaken: too large, no ONNX, external weights, operations of others, another form, or no answer in time.
        OSError: the file cannot be read, or the folder not be written.
    """
    _refuse_large(model)
    source = _sha256(model)
    told = {
        "format_version": FORMAT_VERSION,
        "source_sha256": source,
        "classes": list(asked.kept),
        **({"columns": list(asked.classes)} if asked.kept != asked.classes else {}),
        "preprocessing": asdict(asked.preprocessing),
        "licence": asked.licence,
    }
    name = hashlib.sha256(json.dumps([told, asked.says], sort_keys=True).encode()).hexdigest()[:16]
    if (root / name / MANIFEST).is_file():
        return name
    make_folder(root)
    hidden = root / f".new-{name}-{secrets.token_hex(4)}"
    hidden.mkdir()
    try:
        told |= _tried(model, hidden / NETWORK, asked)
        told["files"] = {NETWORK: _sha256(hidden / NETWORK)}
        (hidden / MANIFEST).write_text(json.dumps(told, indent=2, ensure_ascii=False) + "\n", "utf-8")
        publish(hidden, root / name)
    except BaseException:
        shutil.rmtree(hidden, ignore_errors=True)
        raise
    return name


def read_manifest(folder: Path) -> dict[str, Any]:
    """After the network was checked against it. Raises :class:`FolderError`."""
    try:
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text("utf-8"))
        whole = manifest["files"] == {NETWORK: _sha256(folder / NETWORK)}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FolderError(f"What was brought in to {folder} is missing or damaged.") from error
    if not whole or manifest.get("format_version") != FORMAT_VERSION:
        raise FolderError(
            f"{folder / NETWORK} differs from its manifest. Restore it from a backup, or bring it in again."
        )
    return manifest


class BroughtIn(Backbone):
    """A classifier's logits as vectors."""

    cpu_only = True

    @property
    def exported(self) -> Path:  # type: ignore[override]
        return self._weights

    def as_it_came(self, threads: int) -> Callable[[npt.NDArray[np.uint8]], npt.NDArray[np.float32]]:
        session = open_session(self._weights, threads)

        def forward(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
            return np.asarray(session.run(["embedding"], {"pixels": pixels})[0], dtype=np.float32)

        return forward


def load(folder: Path, *, name: str) -> BroughtIn:
    """The backbone whose vectors are the classifier's logits. Raises :class:`FolderError`."""
    manifest = read_manifest(folder)
    try:
        preprocessing = Preprocessing(**manifest["preprocessing"])
    except TypeError as error:
        raise FolderError(f"The manifest in {folder} is of another release.") from error
    return BroughtIn(
        name=name,
        dim=len(manifest["classes"]),
        preprocessing=preprocessing,
        architecture="onnx",
        features="logits; 1",
        weights=folder / NETWORK,
        build=_none,
    )


def _none(weights: Path) -> Any:
    raise WeightsError(f"{weights} came as ONNX: it answers, and cannot be trained further or looked into.")


def _tried(model: Path, out: Path, asked: Asked) -> dict[str, Any]:
    question = {
        "model": str(model.resolve()),
        "out": str(out.resolve()),
        "preprocessing": asdict(asked.preprocessing),
        "columns": [asked.kept.index(each) if each else None for each in asked.classes],
        "says": asked.says,
    }
    return apart.ask(question)


def _refuse_large(model: Path) -> None:
    if (size := model.stat().st_size) > MOST_BYTES:
        raise NotTaken(f"The file has {size / 2**20:,.0f} MiB; at most {MOST_BYTES / 2**20:,.0f} are taken.")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
