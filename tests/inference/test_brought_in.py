"""ONNX files that come from elsewhere are judged before they run, and then answer as they did where they came from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from inference.backbones.preprocessing import Preprocessing
from inference.brought_in import Asked, NotTaken, bring, look, read_manifest
from inference.brought_in.folder import NETWORK, load
from inference.brought_in.graph import read, wrapped
from inference.brought_in.preprocessor import read as read_preprocessor
from inference.embed import Embedder
from tests.factories import photo_bytes

SIDE = 32
LOOK = Preprocessing(resize=SIDE, size=SIDE, mean=(0.5, 0.4, 0.3), std=(0.2, 0.3, 0.4))
ASKED = Asked(("functional", "defective"), LOOK)


def classifier(
    *,
    columns: int = 2,
    batch: int | str = "n",
    last: str = "",
    side: int = SIDE,
    domain: str = "",
    **shape: Any,
) -> Any:
    """Means of the colours times fixed weights, then ``last``: Softmax, Sigmoid or nothing."""
    channels_last = shape.get("channels_last", False)
    weight = np.random.default_rng(3).normal(size=(3, columns)).astype(np.float32)
    nodes = [
        helper.make_node(
            "ReduceMean", ["photos"], ["means"], axes=[1, 2] if channels_last else [2, 3], keepdims=0
        ),
        helper.make_node("MatMul", ["means", "weight"], ["out" if not last else "logits"], domain=domain),
    ]
    if last:
        nodes.append(helper.make_node(last, ["logits"], ["out"]))
    takes = [batch, side, side, 3] if channels_last else [batch, 3, side, side]
    graph = helper.make_graph(
        nodes,
        "classifier",
        [helper.make_tensor_value_info("photos", TensorProto.FLOAT, takes)],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, [batch, columns])],
        [numpy_helper.from_array(weight, "weight")],
    )
    opsets = [helper.make_opsetid("", 17), *([helper.make_opsetid(domain, 1)] if domain else [])]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def saved(model: Any, tmp_path: Path) -> Path:
    path = tmp_path / "model.onnx"
    path.write_bytes(model.SerializeToString())
    return path


@pytest.mark.parametrize(
    ("made", "says", "expected"),
    [
        ({}, "logits", lambda z: z - z[:, :1]),
        ({"last": "Softmax"}, "probabilities", lambda z: z - z[:, :1]),
        ({"batch": 1, "channels_last": True}, "logits", lambda z: z - z[:, :1]),
        ({"columns": 1, "last": "Sigmoid"}, "probabilities", lambda z: np.hstack([0 * z, z])),
        ({"columns": 1}, "logits", lambda z: np.hstack([0 * z, z])),
    ],
)
def test_what_it_says_is_a_photos_vector(
    made: dict[str, Any], says: str, expected: Any, tmp_path: Path
) -> None:
    name = bring(saved(classifier(**made), tmp_path), tmp_path / "kept", ASKED)
    folder = tmp_path / "kept" / name
    assert read_manifest(folder)["says"] == says
    data = photo_bytes(5)
    (batch,) = Embedder(load(folder, name=f"onnx:{name}")).embed([("a", data)])

    from inference.photo.pixels import decode_rgb

    seen = LOOK(decode_rgb(data, max_pixels=10**6, min_side=SIDE))[None]
    weight = np.random.default_rng(3).normal(size=(3, made.get("columns", 2))).astype(np.float32)
    logits = expected(seen.mean(axis=(2, 3)) @ weight)
    # Of probabilities logits are known but for what they have in common.
    np.testing.assert_allclose(batch.vectors - batch.vectors[:, :1], logits - logits[:, :1], atol=1e-4)


def test_the_same_file_is_brought_in_once_and_a_damaged_one_is_told(tmp_path: Path) -> None:
    path, kept = saved(classifier(), tmp_path), tmp_path / "kept"
    name = bring(path, kept, ASKED)
    assert bring(path, kept, ASKED) == name
    assert bring(path, kept, replace(ASKED, says="probabilities")) != name
    (kept / name / NETWORK).write_bytes(b"damaged")
    with pytest.raises(ValueError, match="differs from its manifest"):
        load(kept / name, name=f"onnx:{name}")


def of_others() -> Any:
    return classifier(domain="com.example")


def outside() -> Any:
    model = classifier()
    tensor = model.graph.initializer[0]
    onnx.external_data_helper.set_external_data(tensor, location="/etc/passwd")
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    return model


@pytest.mark.parametrize(
    ("model", "why"),
    [
        (of_others, "com.example"),
        (outside, "other files"),
        (lambda: classifier(columns=7), "7 columns"),
        (lambda: classifier(side=48), "the size said is 32"),
        (lambda: helper.make_model(helper.make_graph([], "empty", [], [])), "take one thing"),
    ],
)
def test_a_file_that_could_do_harm_or_does_not_fit_is_refused_and_says_why(
    model: Any, why: str, tmp_path: Path
) -> None:
    with pytest.raises(NotTaken, match=why):
        wrapped(read(saved(model(), tmp_path)), LOOK, [0, 1], "logits")


def test_what_the_file_says_of_itself_is_read_whoever_wrote_it(tmp_path: Path) -> None:
    model = classifier(columns=3, channels_last=True)
    onnx.helper.set_model_props(
        model, {"id2label": '{"0": "ok", "2": "b\\u0000ad\\ud800", "1": "so so"}', "std": "[0.2, 0.3, 1e999]"}
    )
    told = look(saved(model, tmp_path))
    assert (told["size"], told["columns"], told["layout"], told["numbers"]) == (SIDE, 3, "NHWC", "float32")
    assert told["names"] == ["ok", "so so", "bad"] and told["mean"] is None is told["std"]
    for names in ("__import__('os').system('true')", "{'a': 1}", "[1, 2, 3]", "[" * 10_000, "['one', 'two']"):
        onnx.helper.set_model_props(model, {"names": names})
        assert look(saved(model, tmp_path))["names"] == [], names


def test_several_columns_may_be_one_class_and_a_column_none(tmp_path: Path) -> None:
    path = saved(classifier(columns=4), tmp_path)
    alone = Asked(("a", "b", "c", "d"), LOOK)
    together = Asked(("bad", "ok", "bad", ""), LOOK)
    said = []
    for asked in (alone, together):
        folder = tmp_path / "kept" / bring(path, tmp_path / "kept", asked)
        (batch,) = Embedder(load(folder, name="onnx:tried")).embed([("a", photo_bytes(5))])
        odds = np.exp(batch.vectors[0] - batch.vectors[0].max())
        said.append(odds / odds.sum())
    a, b, c, _d = said[0]
    np.testing.assert_allclose(said[1], [(a + c) / (a + b + c), b / (a + b + c)], atol=1e-5)
    assert read_manifest(folder)["classes"] == ["bad", "ok"]


def test_the_process_that_tries_it_refuses_too_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(b"no model")
    with pytest.raises(NotTaken, match="no ONNX model"):
        bring(path, tmp_path / "kept", ASKED)
    assert not list((tmp_path / "kept").iterdir())
    monkeypatch.setattr("inference.brought_in.folder.MOST_BYTES", 4)
    with pytest.raises(NotTaken, match="at most"):
        bring(path, tmp_path / "kept", ASKED)


def test_how_photos_are_shown_is_read_as_hugging_face_says_it() -> None:
    vit = {
        "size": {"height": 224, "width": 224},
        "image_mean": [0.5] * 3,
        "image_std": [0.5] * 3,
        "resample": 3,
    }
    assert read_preprocessor(vit, {}) == Preprocessing(
        224, 224, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5), "bicubic", squash=True
    )
    crop = {
        "size": {"shortest_edge": 256},
        "crop_size": {"height": 224, "width": 224},
        "rescale_factor": 1 / 127.5,
    }
    read_crop = read_preprocessor(crop, {"mean": (0.1, 0.2, 0.3)})
    assert (read_crop.resize, read_crop.size, read_crop.squash, read_crop.mean) == (
        256,
        224,
        False,
        (0.1, 0.2, 0.3),
    )
    np.testing.assert_allclose(read_crop.std, np.array([0.229, 0.224, 0.225]) / 2)
    for bad in (
        {},
        {"size": {"height": 224, "width": 112}},
        {"size": 224, "image_std": [0, 1, 1]},
        {"size": 9_999},
        {"size": 224.0},
        {"size": 224, "rescale_factor": 0},
        {"size": 224, "rescale_factor": "a lot"},
        {"size": 224, "resample": []},
        {"size": {"shortest_edge": 224}, "crop_pct": 1e-320},
    ):
        with pytest.raises(NotTaken):
            read_preprocessor(bad, {})
