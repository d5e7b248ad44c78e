"""A classifier's graph, looked at and wrapped: pixels of bytes in, a logit a class out. For untrusted files, in a process
of its own (:mod:`inference.brought_in.trial`)."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import onnx
from onnx import TensorProto, compose, helper, numpy_helper

from inference.backbones.preprocessing import Preprocessing
from inference.brought_in.refusals import NotTaken

Says = Literal["logits", "probabilities"]

#: Operations of these domains are ONNX's own; all others are somebody's code.
_OWN = ("", "ai.onnx", "ai.onnx.ml")
_FLOATS: dict[int, str] = {TensorProto.FLOAT: "float32", TensorProto.FLOAT16: "float16"}
#: A probability is taken for no less, so that its logarithm is a number.
_LEAST = 1e-7
_PREFIX = "given_"
#: Keys of a model's metadata under which exporters write the names of its columns, and letters that are read of them.
_NAMES = ("names", "class_names", "classes", "labels", "id2label")
_LONGEST = 2**16


def read(path: Path) -> Any:
    """The model, which holds all its weights, calls no code of others and is valid ONNX.

    Raises :class:`NotTaken`.
    """
    try:
        model = onnx.load(path, load_external_data=False)
    except Exception as error:  # protobuf raises what it likes
        raise NotTaken(f"The file is no ONNX model: {error}") from error
    foreign = sorted({node.domain for node in _nodes(model)} - set(_OWN))
    if foreign or model.functions:
        raise NotTaken(
            f"The model uses operations that are not ONNX's own ({', '.join(foreign) or 'local functions'}). Export it with "
            f"standard operations only."
        )
    if any(onnx.external_data_helper.uses_external_data(each) for each in _tensors(model)):
        raise NotTaken("The model keeps weights in other files. Save it as one file: onnx.save(model, path).")
    try:
        onnx.checker.check_model(model, full_check=True)
    except Exception as error:
        raise NotTaken(f"The model is not valid ONNX: {error}") from error
    return model


def told(model: Any) -> dict[str, Any]:
    """What the file says of itself, JSON-ready: ``size`` (the square's side, pixels) and ``columns``, ``None`` where left
    open; ``layout``, "NCHW" or "NHWC"; ``numbers``, the kind it takes; ``names`` of the columns, ``mean`` and ``std``,
    where its metadata has them in a form that is known; ``producer``.

    Raises :class:`NotTaken`: an input or output of another form.
    """
    photo, gives = _ends(model)
    kind, channels_first, size = _input(photo)
    columns = _shape(gives)[1]
    said = {each.key.lower(): each.value for each in model.metadata_props}
    names = _names(said)
    is_ultralytics = said.get("author") == "Ultralytics"
    return {
        "size": size,
        "columns": columns,
        "layout": "NCHW" if channels_first else "NHWC",
        "numbers": _FLOATS[kind],
        "names": names if columns in (None, len(names)) or (columns == 1 and len(names) == 2) else [],
        # Its classifiers take values from 0 to 1 as they are, and say nothing of it.
        "mean": [0.0, 0.0, 0.0] if is_ultralytics else _three(said, "mean", "image_mean"),
        "std": [1.0, 1.0, 1.0] if is_ultralytics else _three(said, "std", "image_std"),
        "producer": _printable(f"{model.producer_name} {model.producer_version}"),
    }


def wrapped(model: Any, preprocessing: Preprocessing, columns: Sequence[int | None], says: Says) -> Any:
    """As :func:`inference.pixel_network.pixel_network`: ``pixels`` (n, S, S, 1 or 3) uint8 to ``embedding`` (n, k) float32.

    ``columns``: to which of the k classes each column belongs; probabilities of several add up, and ``None`` is left out.
    ``says``: what the model gives. One column for two classes is the second's.

    Raises :class:`NotTaken`: an input or output of another form.
    """
    model = compose.add_prefix(model, _PREFIX)
    photo, gives = _ends(model)
    there = _shape(gives)[1]
    one_for_two = len(columns) == 2 and there == 1
    if there not in (len(columns), None) and not one_for_two:
        raise NotTaken(f"The model gives {there} columns, and {len(columns)} were said to be classes.")
    classes = len({*columns} - {None})
    kind, channels_first, size = _input(photo)
    if size not in (preprocessing.size, None):
        raise NotTaken(
            f"The model takes photos of {size} pixels a side, and the size said is {preprocessing.size}."
        )
    _any_number(photo, gives, model)

    before, after = _Ops("before"), _Ops("after")
    scale, shift = preprocessing.scale_and_shift()
    value = before.op("Cast", "pixels", to=TensorProto.FLOAT)
    value = before.op("Sub", before.op("Mul", value, before.constant(scale)), before.constant(shift))
    if channels_first:
        value = before.op("Transpose", value, perm=[0, 3, 1, 2])
    before.nodes.append(helper.make_node("Cast", [value], [photo.name], to=kind))

    value = after.op("Cast", gives.name, to=TensorProto.FLOAT)
    if says == "probabilities":
        bounds = after.constant(np.float32(_LEAST)), after.constant(np.float32(1 - _LEAST))
        value = after.op("Clip", value, *bounds)
        if one_for_two:
            other = after.op("Sub", after.constant(np.float32(1)), value)
            value = after.op("Concat", other, value, axis=1)
        value = after.op("Log", value)
    elif one_for_two:
        value = after.op("Concat", after.op("Sub", value, value), value, axis=1)
    if list(columns) != list(range(classes)):
        belongs = np.array([[column == each for each in range(classes)] for column in columns])
        value = after.op("MatMul", after.op("Softmax", value, axis=1), after.constant(belongs))
        value = after.op(
            "Log", after.op("Clip", value, *(after.constant(np.float32(at)) for at in (_LEAST, 1)))
        )
    after.nodes.append(helper.make_node("Identity", [value], ["embedding"]))

    side = preprocessing.size
    graph = helper.make_graph(
        [*before.nodes, *model.graph.node, *after.nodes],
        "brought_in",
        [helper.make_tensor_value_info("pixels", TensorProto.UINT8, ["views", side, side, "channels"])],
        [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["photos", classes])],
        [*model.graph.initializer, *before.constants, *after.constants],
        sparse_initializer=list(model.graph.sparse_initializer),
    )
    made = helper.make_model(
        graph, producer_name="hilltop", ir_version=model.ir_version, opset_imports=list(model.opset_import)
    )
    onnx.checker.check_model(made)
    return made


class _Ops:
    def __init__(self, name: str) -> None:
        self.name = name
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def constant(self, value: Any) -> str:
        name = f"{self.name}_constant{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(value, dtype=np.float32), name))
        return name

    def op(self, kind: str, *values: str, **attributes: Any) -> str:
        name = f"{self.name}_{kind.lower()}{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(values), [name], **attributes))
        return name


def _ends(model: Any) -> tuple[Any, Any]:
    """Its one input and its rows."""
    weights = {each.name for each in model.graph.initializer}
    takes = [each for each in model.graph.input if each.name not in weights]
    gives = next((each for each in model.graph.output if _rank(each) == 2), None)
    if len(takes) != 1 or gives is None:
        raise NotTaken(
            f"The model must take one thing, photos, and give rows with a column a class; it takes {len(takes)}, and gives "
            f"{[_shape(each) for each in model.graph.output]}."
        )
    return takes[0], gives


def _input(photo: Any) -> tuple[int, bool, int | None]:
    """Its kind of number, whether colours come before rows, and the square's side, if that is fixed."""
    kind, shape = photo.type.tensor_type.elem_type, _shape(photo)
    if kind not in _FLOATS:
        raise NotTaken(f"The model must take photos as {' or '.join(_FLOATS.values())}.")
    for channels_first, sides in ((True, shape[2:]), (False, shape[1:3])):
        colours = shape[1 if channels_first else 3] if len(shape) == 4 else None
        if colours == 3 or (colours is None and len(shape) == 4 and channels_first and 3 not in shape[1:]):
            fixed = {*sides} - {None}
            if len(fixed) > 1:
                raise NotTaken(f"The model takes photos of {sides} pixels. Export it for squares.")
            return kind, channels_first, next(iter(fixed), None)
    raise NotTaken(f"The model must take photos of three colours, as (n, 3, side, side); it takes {shape}.")


def _any_number(photo: Any, gives: Any, model: Any) -> None:
    """One that was exported for a batch of one photo takes any number, if nothing in it says otherwise: a trial tells."""
    for each in (photo, gives):
        each.type.tensor_type.shape.dim[0].dim_param = "photos"
    del model.graph.value_info[:]


def _names(said: dict[str, str]) -> list[str]:
    """Of the columns, in their order: a list, or an object by number, as JSON or as Python writes it."""
    text = next((said[key] for key in _NAMES if key in said), "")[:_LONGEST]
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        try:
            found = ast.literal_eval(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            return []
    if isinstance(found, dict):
        by_number = {str(key): value for key, value in found.items()}
        found = [by_number.get(str(at)) for at in range(len(by_number))]
    if not isinstance(found, list | tuple) or not all(isinstance(each, str) for each in found):
        return []
    return [_printable(each) for each in found]


def _printable(text: str) -> str:
    return "".join(each for each in text if each.isprintable()).strip()[:80]


def _three(said: dict[str, str], *keys: str) -> list[float] | None:
    for key in keys:
        try:
            found = [float(each) for each in json.loads(said.get(key, ""))]
        except (ValueError, TypeError, RecursionError):
            continue
        if len(found) == 3 and np.isfinite(found).all():
            return found
    return None


def _shape(value: Any) -> list[int | None]:
    return [
        each.dim_value if each.HasField("dim_value") and each.dim_value > 0 else None
        for each in value.type.tensor_type.shape.dim
    ]


def _rank(value: Any) -> int:
    return len(value.type.tensor_type.shape.dim)


def _graphs(graph: Any) -> Iterator[Any]:
    """It and those within its branches and loops."""
    yield graph
    for node in graph.node:
        for attribute in node.attribute:
            for inner in (attribute.g, *attribute.graphs) if attribute.type in (5, 10) else ():
                yield from _graphs(inner)


def _nodes(model: Any) -> Iterator[Any]:
    for graph in _graphs(model.graph):
        yield from graph.node


def _tensors(model: Any) -> Iterator[Any]:
    for graph in _graphs(model.graph):
        yield from graph.initializer
        for sparse in graph.sparse_initializer:
            yield from (sparse.values, sparse.indices)
        for node in graph.node:
            for attribute in node.attribute:
                if attribute.HasField("t"):
                    yield attribute.t
                yield from attribute.tensors
