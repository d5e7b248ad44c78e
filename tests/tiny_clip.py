"""A CLIP-like model that costs next to nothing, made on the spot: its image encoder sees a photo's mean colour, its text
encoder knows the names of four colours, in English and Korean. Everything else that is said it reads past.

As published ones are laid out, so that what reads those reads it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

SIDE, DIM, LENGTH = 32, 8, 16
#: As the preprocessing makes them: from -1 to 1.
COLOURS = {"red": (1, -1, -1), "green": (-1, 1, -1), "blue": (-1, -1, 1), "grey": (0.1, 0.1, 0.1)}
KOREAN = {"빨간": "red", "초록": "green", "파란": "blue", "회색": "grey"}
_SPECIAL = ("[PAD]", "[UNK]")


def make_clip(folder: Path, *, seed: int = 0, without_projection: bool = False) -> Path:
    """``folder``: of the model. ``seed`` turns its space. ``without_projection``: as it is exported by mistake."""
    (folder / "onnx").mkdir(parents=True, exist_ok=True)
    turn = np.linalg.qr(np.random.default_rng(seed).normal(size=(DIM, 3)))[0].T.astype(np.float32)
    words = [*_SPECIAL, *COLOURS, *KOREAN]
    table = np.zeros((len(words), DIM), dtype=np.float32)
    for place, word in enumerate(words):
        colour = COLOURS.get(KOREAN.get(word, word))
        table[place] = (np.array(colour, dtype=np.float32) if colour else np.full(3, 1e-3)) @ turn
    named = "last_hidden_state" if without_projection else "image_embeds"
    _write(
        folder / "onnx" / "vision_model.onnx",
        [
            helper.make_node("ReduceMean", ["pixel_values", "places"], ["colour"], keepdims=0),
            helper.make_node("MatMul", ["colour", "turn"], [named]),
        ],
        {"turn": turn, "places": np.array([2, 3], dtype=np.int64)},
        ("pixel_values", TensorProto.FLOAT, ["batch", 3, "height", "width"]),
        named,
    )
    _write(
        folder / "onnx" / "text_model.onnx",
        [
            helper.make_node("Gather", ["table", "input_ids"], ["tokens"]),
            helper.make_node("ReduceSum", ["tokens", "along"], ["text_embeds"], keepdims=0),
        ],
        {"table": table, "along": np.array([1], dtype=np.int64)},
        ("input_ids", TensorProto.INT64, ["batch", LENGTH]),
        "text_embeds",
    )
    tokenizer = Tokenizer(models.WordLevel({word: at for at, word in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(folder / "tokenizer.json"))
    _say(folder / "tokenizer_config.json", {"model_max_length": LENGTH, "pad_token": "[PAD]"})
    _say(
        folder / "preprocessor_config.json",
        {
            "do_center_crop": True,
            "crop_size": {"height": SIDE, "width": SIDE},
            "size": {"shortest_edge": SIDE},
            "resample": 3,
            "image_mean": [0.5] * 3,
            "image_std": [0.5] * 3,
        },
    )
    return folder


def _write(file: Path, nodes: list[Any], constants: dict[str, Any], given: tuple[Any, ...], out: str) -> None:
    graph = helper.make_graph(
        nodes,
        file.stem,
        [helper.make_tensor_value_info(*given)],
        [helper.make_tensor_value_info(out, TensorProto.FLOAT, ["batch", DIM])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    onnx.checker.check_model(model)
    onnx.save(model, str(file))


def _say(file: Path, said: dict[str, Any]) -> None:
    file.write_text(json.dumps(said), encoding="utf-8")
