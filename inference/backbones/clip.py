"""CLIP-like models: an image encoder and a text encoder of one space (CLIP: Radford et al. 2021; SigLIP: Zhai et al. 2023).

A model is a folder as publishers export it to ONNX for Hugging Face's libraries, under its name in the folder ``clip/`` of a
folder of weights: ``vision_model.onnx`` and ``text_model.onnx``, there or in ``onnx/`` below; ``tokenizer.json``;
``preprocessor_config.json``; ``tokenizer_config.json`` where it has one. Photos' vectors are those of ``image_embeds``
(CLIP, with its projection) or ``pooler_output`` (SigLIP), brought to length one, as texts' are: their product is the cosine.

A vector that another view was put behind, or that was averaged with a mirror image's, lies where no text does: so there are
no views. Nor can it be fine-tuned or adapted: the graph runs in ONNX Runtime, on the CPU also where there is a GPU.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt

from inference.backbones import clip_hub
from inference.backbones.base import Backbone, Preprocessing, UnknownBackbone, WeightsError
from inference.backbones.names import Name
from inference.backbones.published import Published
from inference.backbones.weights import FOLDER_VARIABLE
from inference.onnx_session import open_session
from inference.photo import DEFAULT_LEVELS, Levels

if TYPE_CHECKING:
    import torch

Floats = npt.NDArray[np.float32]
Pixels = npt.NDArray[np.uint8]

FAMILY = "clip"
VISION, TEXT, TOKENIZER, PREPROCESSOR = (
    "vision_model.onnx",
    "text_model.onnx",
    "tokenizer.json",
    "preprocessor_config.json",
)
FILES = (VISION, TEXT, TOKENIZER, PREPROCESSOR)
_NAMED = re.compile(r"\w[\w.-]*")
_POOLED = ("image_embeds", "text_embeds", "pooler_output")
# Numbers of PIL's filters, by which such a configuration names them.
_FILTERS = {2: "bilinear", 3: "bicubic"}


def architectures() -> list[str]:
    """Names of the models in the folder of weights that is configured."""
    folder = _configured()
    if folder is None or not folder.is_dir():
        return []
    return sorted(each.name for each in folder.iterdir() if not missing(each))


def missing(folder: Path) -> list[str]:
    """Names of the files that a model's folder lacks."""
    return [name for name in FILES if not file_of(folder, name).is_file()]


def file_of(folder: Path, name: str) -> Path:
    """Graphs lie beside the other files, or in a folder of their own."""
    below = folder / "onnx" / name
    return below if below.is_file() else folder / name


def load(name: Name, weights: Path | None) -> Clip:
    """``clip:NAME``; ``weights``: the model's folder, or one that has it as ``clip/NAME``.

    Raises:
        UnknownBackbone: a name that is none, or asked for with a size, features or views.
        WeightsError: there is no such folder, it lacks files, or they are not such a model's.
    """
    if not _NAMED.fullmatch(name.architecture) or name.size or name.features or name.tiles or name.flips:
        raise UnknownBackbone(
            f"{name} is no CLIP-like model. Ask for clip:NAME, without size, features or views: NAME is a folder in clip/ "
            f"of the folder that {FOLDER_VARIABLE} names."
        )
    folder = _folder(name.architecture, weights)
    if lacking := missing(folder):
        raise WeightsError(
            f"{folder} lacks {', '.join(lacking)}. Put a CLIP-like model there as it is published for ONNX."
        )
    preprocessing = preprocessing_of(folder / PREPROCESSOR)
    vision = file_of(folder, VISION)
    return Clip(
        name=str(name),
        dim=Graph(vision).dim_of_photos(preprocessing.size),
        preprocessing=preprocessing,
        architecture="clip",
        features="of the whole photo, length one; 1",
        weights=vision,
        build=_build,
    )


def published(name: Name) -> Published:
    """``clip:OWNER--NAME`` on the Hugging Face hub. Raises what :func:`inference.backbones.clip_hub.published` does."""
    return clip_hub.published(name, FAMILY, FILES)


class Clip(Backbone):
    """``folder``: the model's, in which its text encoder lies, too. Its hash is of the image encoder alone: it stands for
    vectors of photos."""

    cpu_only = True

    @property
    def folder(self) -> Path:
        at = self._weights.parent
        return at.parent if at.name == "onnx" else at

    def as_it_came(self, threads: int) -> Callable[[Pixels], Floats]:
        graph, prepare = Graph(self._weights, threads), self.preprocessing
        return lambda pixels: graph.unit({graph.inputs[0]: prepare.normalised(pixels)})

    def with_views(
        self, *, name: str, tiles: int = 0, flips: str = "", levels: Levels = DEFAULT_LEVELS
    ) -> Clip:
        if tiles or flips:
            raise UnknownBackbone(f"{name}: texts lie beside whole photos only. Ask for it without views.")
        return Clip(
            name=name,
            dim=self._view_dim,
            preprocessing=replace(self.preprocessing, levels=levels),
            architecture=self._architecture,
            features=self._features,
            weights=self._weights,
            build=self._build,
        )


class Graph:
    """A graph of one half of a model; ``inputs``: names of what it takes."""

    def __init__(self, file: Path, threads: int = 1) -> None:
        """
        Raises:
            WeightsError: no graph, or one that gives no pooled vectors.
        """
        self.file = file
        try:
            self._session = open_session(file, threads)
        except Exception as error:  # ONNX Runtime raises what it likes
            raise WeightsError(f"{file} cannot be loaded: {error}. Fetch it again, in one file.") from error
        self.shapes: dict[str, list[Any]] = {each.name: each.shape for each in self._session.get_inputs()}
        self.inputs = list(self.shapes)
        given = [each.name for each in self._session.get_outputs()]
        found = [name for name in _POOLED if name in given]
        if not found:
            raise WeightsError(
                f"{file} gives {', '.join(given)}, and none of {', '.join(_POOLED)}. Export the model with its projection."
            )
        self._output = found[0]

    def unit(self, given: dict[str, npt.NDArray[Any]]) -> Floats:
        """(n, dim) vectors of length one."""
        (vectors,) = self._session.run([self._output], given)
        vectors = np.asarray(vectors, dtype=np.float32)
        return cast(Floats, vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12))

    def dim_of_photos(self, size: int) -> int:
        """Raises :class:`WeightsError` for a graph that does not take several photos of (size, size) pixels at once."""
        try:
            two = {name: np.zeros((2, 3, size, size), dtype=np.float32) for name in self.inputs}
            return int(self.unit(two).shape[1])
        except Exception as error:  # ONNX Runtime raises what it likes
            raise WeightsError(
                f"{self.file} does not take photos of {size} x {size} pixels, several at once: {error}"
            ) from error


def preprocessing_of(file: Path) -> Preprocessing:
    """What a ``preprocessor_config.json`` says.

    Raises:
        WeightsError: it cannot be read, or asks for what is not known here.
    """
    try:
        said = json.loads(file.read_text(encoding="utf-8"))
        cropped = bool(said.get("do_center_crop", "crop_size" in said))
        resize, squash = _side(said["size"])
        size = _side(said["crop_size"])[0] if cropped else resize
        if cropped == squash or abs(float(said.get("rescale_factor", 1 / 255)) * 255 - 1) > 1e-3:
            raise ValueError(
                "it neither crops a square nor squeezes the whole photo into one, of values up to 255"
            )
        return Preprocessing(
            resize=resize,
            size=size,
            mean=_three(said["image_mean"]),
            std=_three(said["image_std"]),
            interpolation=cast(Any, _FILTERS[said.get("resample", 3)]),
            squash=squash,
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise WeightsError(f"{file} says no preprocessing that is known here: {error!r}") from error


def _side(said: Any) -> tuple[int, bool]:
    """Pixels; and whether a photo of another form is squeezed to it. A plain number is the shorter side."""
    if isinstance(said, dict) and "shortest_edge" not in said:
        if said["height"] != said["width"]:
            raise ValueError(f"{said} is no square")
        return int(said["height"]), True
    return int(said["shortest_edge"] if isinstance(said, dict) else said), False


def _three(said: Any) -> tuple[float, float, float]:
    red, green, blue = map(float, said)
    return red, green, blue


def _configured() -> Path | None:
    folder = os.environ.get(FOLDER_VARIABLE)
    return Path(folder) / FAMILY if folder else None


def _folder(architecture: str, weights: Path | None) -> Path:
    if weights is not None:
        below = weights / FAMILY / architecture
        return below if below.is_dir() else weights
    configured = _configured()
    if configured is None:
        raise WeightsError(
            f"clip:{architecture} needs a folder of weights: name it in {FOLDER_VARIABLE}, and put the model into "
            f"clip/{architecture} there."
        )
    return configured / architecture


def _build(weights: Path) -> torch.nn.Module:
    raise WeightsError(
        f"{weights.name} runs as it was exported, and is no network of torch: it cannot be adapted or fine-tuned."
    )
