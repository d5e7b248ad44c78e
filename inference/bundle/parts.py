"""The files of a bundle that a prediction needs, in a folder: networks, head, ``predict.py`` and what it imports."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from inference.backbones import Backbone
from inference.heads import Head
from inference.onnx_graph import Graph
from inference.onnx_session import open_session
from inference.photo import DECODER_VERSION
from inference.pixel_network import export_onnx

HEAD, CONFIG, SCRIPT = "head.onnx", "config.json", "predict.py"
#: What ``predict.py`` imports of this library, as it is here: there is one decoder.
_LIBRARY = (
    "__init__.py",
    "photo/*.py",
    "backbones/preprocessing.py",
    "bundle/__init__.py",
    "bundle/model.py",
)
_LIBRARIES = ("numpy", "pillow", "onnx", "onnxruntime", "torch")
#: Most that a head's probabilities may differ from those of its ONNX form, which are float32 at the end.
MOST_APART = 1e-5


class CannotTakeOut(ValueError):
    """The version cannot be expressed in ONNX; the text says why."""


def write_parts(
    folder: Path, backbones: Sequence[Backbone], head: Head, classes: Sequence[str], *, cache_dir: Path
) -> dict[str, Any]:
    """Write the files into ``folder``, which is there and empty.

    Args:
        backbones: in the order of the head's columns.
        classes: keys, in the order of the head's probabilities.
        cache_dir: where exported networks are kept.

    Returns:
        What ``config.json`` holds: ``classes``, ``link`` ("softmax" or "sigmoid"), ``networks`` and ``head`` with their
        files' SHA-256, ``decoder`` (of photos) and ``libraries`` by version.

    Raises:
        CannotTakeOut: torch's exporter cannot express a network, or a head has no ONNX form.
    """
    networks = []
    for place, backbone in enumerate(backbones):
        name = f"backbone-{place}.onnx"
        try:
            shutil.copyfile(export_onnx(backbone, cache_dir), folder / name)
        except OSError:
            raise
        except Exception as error:  # torch's exporter raises what it likes
            raise CannotTakeOut(f"{backbone.name} cannot be exported to ONNX: {error}") from error
        networks.append(
            {
                "file": name,
                "sha256": _sha256(folder / name),
                "name": backbone.name,
                "content_hash": backbone.content_hash,
                "dim": backbone.dim,
                "preprocessing": asdict(backbone.preprocessing),
            }
        )
    (folder / HEAD).write_bytes(head_onnx(head))
    config = {
        "classes": list(classes),
        "link": head.link,
        "networks": networks,
        "head": {"file": HEAD, "sha256": _sha256(folder / HEAD), "kind": head.kind},
        "decoder": DECODER_VERSION,
        "libraries": {name: version(name) for name in _LIBRARIES},
    }
    (folder / CONFIG).write_text(json.dumps(config, indent=1, ensure_ascii=False) + "\n", "utf-8")
    library = Path(__file__).parents[1]
    for file in (each for pattern in _LIBRARY for each in sorted(library.glob(pattern))):
        place_of = folder / library.name / file.relative_to(library)
        place_of.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, place_of)
    shutil.copyfile(Path(__file__).with_name(SCRIPT), folder / SCRIPT)
    return config


def head_onnx(head: Head) -> bytes:
    """The fitted head as ONNX: ``vectors`` (n, d) float32 to ``scores`` (n, k) float32, its ``predict_proba``.

    Raises:
        CannotTakeOut: its kind has no ONNX form.
    """
    graph = Graph()
    try:
        logits = head.express(graph, graph.double("vectors"))
    except NotImplementedError as error:
        raise CannotTakeOut(str(error)) from error
    scores = graph.op("Sigmoid", logits) if head.link == "sigmoid" else graph.op("Softmax", logits, axis=1)
    return graph.saved(
        takes="vectors",
        width=int(head.n_features_in_),
        result=scores,
        gives="scores",
        columns=len(head.classes_),
    )


def differences(folder: Path, head: Head, vectors: npt.NDArray[np.float32]) -> float:
    """The most by which a probability of ``head.onnx`` differs from the head's, over rows ``vectors`` (n, d); 0 of none."""
    session = open_session(folder / HEAD)
    (scores,) = session.run(["scores"], {"vectors": np.asarray(vectors, dtype=np.float32)})
    return float(np.abs(scores - head.predict_proba(vectors)).max(initial=0.0))


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
