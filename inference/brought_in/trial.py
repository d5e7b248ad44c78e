"""``python -m inference.brought_in.trial``: look at an untrusted ONNX file, or run it once, in a process with bounds.

Reads {"model"} from its standard input as JSON, and says what the file says of itself (``graph.told``); or reads {"model",
"out", "preprocessing", "columns", "says"}, writes the wrapped network to ``out``, and says {"says", "milliseconds"}; or
{"refused"}.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from inference.backbones.preprocessing import Preprocessing
from inference.brought_in.refusals import NotTaken

#: Processor time, and address space: of a network of 1 GiB that is optimised and run.
SECONDS, BYTES = 300, 24 * 2**30
#: By how much a photo's row may differ in a batch, of its largest number.
_APART = 1e-3


def main() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (BYTES, BYTES))
    asked = json.load(sys.stdin)
    model = Path(asked["model"])
    try:
        if "out" in asked:
            preprocessing = Preprocessing(**asked["preprocessing"])
            told = _tried(model, Path(asked["out"]), preprocessing, asked["columns"], asked["says"])
        else:
            told = _read(model)
    except NotTaken as error:
        told = {"refused": str(error)}
    print(json.dumps(told))  # noqa: T201


def _read(model: Path) -> dict[str, Any]:
    from inference.brought_in import graph

    return graph.told(graph.read(model))


def _tried(
    model: Path, out: Path, preprocessing: Preprocessing, columns: list[int | None], says: str
) -> dict[str, Any]:
    from inference.brought_in import graph

    given = graph.read(model)
    dice = np.random.default_rng(0)
    side = preprocessing.size
    pixels = dice.integers(0, 256, (4, side, side, 3), dtype=np.uint8)
    if says == "auto":
        each_its_own: list[int | None] = [*range(len(columns))]
        raw, _ = _run(graph.wrapped(given, preprocessing, each_its_own, "logits"), pixels)
        says = "probabilities" if _are_probabilities(raw) else "logits"
    network = graph.wrapped(given, preprocessing, columns, says)  # type: ignore[arg-type]
    _run(network, pixels)
    together, seconds = _run(network, pixels)
    classes = len({*columns} - {None})
    if together.shape != (len(pixels), classes) or not np.isfinite(together).all():
        raise NotTaken(f"The model gives no finite number for each of {classes} classes on photos of noise.")
    alone = np.concatenate([_run(network, pixels[at : at + 1])[0] for at in range(len(pixels))])
    if np.abs(together - alone).max() > _APART * max(1.0, float(np.abs(alone).max())):
        raise NotTaken(
            "The model says something else of a photo when others are beside it. Export it for a batch of any size."
        )
    out.write_bytes(network.SerializeToString())
    return {"says": says, "milliseconds": round(1000 * seconds / len(pixels), 2)}


def _run(network: Any, pixels: Any) -> tuple[Any, float]:
    """What it gives, and seconds."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(
            network.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
        began = time.perf_counter()
        (rows,) = session.run(["embedding"], {"pixels": pixels})
    except Exception as error:  # ONNX Runtime raises what it likes
        raise NotTaken(
            f"ONNX Runtime cannot run the model on photos of {pixels.shape[1]} pixels, {len(pixels)} at once. Export it "
            f"for a batch of any size, or name another size. It said: {error}"
        ) from error
    return np.asarray(rows), time.perf_counter() - began


def _are_probabilities(rows: Any) -> bool:
    """Of the second class alone, or of all, which sum to 1. Of one column for two classes the first was put there as 0."""
    alone = bool((rows[:, 0] == 0).all()) and rows.shape[1] == 2
    sums = np.ones(len(rows)) if alone else rows.sum(axis=1)
    return bool((rows >= 0).all() and (rows <= 1).all() and np.allclose(sums, 1, atol=1e-3))


if __name__ == "__main__":
    main()
