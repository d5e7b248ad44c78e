"""CLIP-like models from a folder: photos and words in one space, and what is wrong with a folder."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inference import backbones
from inference.backbones import UnknownBackbone, WeightsError
from inference.embed import Embedder
from inference.words import TextEncoder, class_vectors, prompts_of, zero_shot
from tests.tiny_clip import COLOURS, LENGTH, make_clip

PAINT = {"red": (200, 20, 30), "green": (10, 180, 20), "blue": (20, 30, 220), "grey": (140, 140, 140)}


def photo(colour: tuple[int, int, int], mode: str = "RGB") -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (60, 40), colour).convert(mode).save(buffer, format="PNG")
    return buffer.getvalue()


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(backbones, "_loaded", {})
    monkeypatch.setenv("HILLTOP_WEIGHTS_DIR", str(tmp_path))
    return make_clip(tmp_path / "clip" / "tiny")


def test_each_colours_name_lies_nearest_to_its_photo(model: Path) -> None:
    assert "clip:tiny" in backbones.available()
    backbone = backbones.load("clip:tiny")
    photos = [(name, photo(paint)) for name, paint in PAINT.items()]
    photos.append(("grey as stored", photo(PAINT["grey"], "L")))
    (batch,) = Embedder(backbone, threads=1).embed(photos)
    assert np.allclose(np.linalg.norm(batch.vectors, axis=1), 1, atol=1e-6) and not batch.failures
    np.testing.assert_allclose(batch.vectors[-1], batch.vectors[-2], atol=1e-6)

    encoder = TextEncoder(backbone, threads=1)
    classes = class_vectors(encoder, [prompts_of(name, [f"its paint is {name}"]) for name in COLOURS])
    told = zero_shot(batch.vectors, classes)
    assert told.argmax(axis=1).tolist() == [0, 1, 2, 3, 3]
    np.testing.assert_allclose(told.sum(axis=1), 1, rtol=1e-5)
    korean = encoder(["빨간 차", "파란 차"])
    assert (batch.vectors[:4] @ korean.T).argmax(axis=0).tolist() == [0, 2]
    # What is longer than the model reads is cut off, and what it does not know says nothing.
    assert np.array_equal(encoder(["red " + "car " * LENGTH]), encoder(["red " + "car " * 2 * LENGTH]))


def test_it_runs_on_the_cpu_whatever_is_asked_for_and_is_no_network_to_train(model: Path) -> None:
    backbone = backbones.load("clip:tiny")
    assert Embedder(backbone, device="cuda", threads=1).gpu is None
    with pytest.raises(WeightsError, match="cannot be adapted or fine-tuned"):
        backbone.module()


def test_its_hash_is_of_the_image_encoder_and_of_how_photos_are_decoded(model: Path, tmp_path: Path) -> None:
    backbone = backbones.load("clip:tiny")
    other = backbones.load("clip:tiny", weights=make_clip(tmp_path / "other", seed=1))
    assert other.content_hash != backbone.content_hash
    deep = backbones.load("clip:tiny+levels-percentiles")
    assert deep.content_hash != backbone.content_hash
    assert TextEncoder(deep, threads=1).dim == deep.dim


def test_a_text_encoder_of_another_model_is_refused(model: Path) -> None:
    with pytest.raises(UnknownBackbone, match="knows no words"):
        TextEncoder(backbones.load("tiny:net"))


@pytest.mark.parametrize(
    "name", ["clip:tiny@224", "clip:tiny+tiles2", "clip:tiny+flip", "clip:tiny+last", "clip:../tiny", "clip:"]
)
def test_views_sizes_and_paths_are_none_of_its_names(model: Path, name: str) -> None:
    with pytest.raises(UnknownBackbone):
        backbones.load(name)


def test_what_is_wrong_with_a_folder_is_said(model: Path, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"lacks vision_model\.onnx, text_model\.onnx"):
        backbones.load("clip:nothing")
    made = make_clip(tmp_path / "clip" / "unprojected", without_projection=True)
    with pytest.raises(WeightsError, match="Export the model with its projection"):
        backbones.load("clip:unprojected")
    (made / "onnx" / "vision_model.onnx").write_bytes(b"<!DOCTYPE html>")
    with pytest.raises(WeightsError, match="cannot be loaded"):
        backbones.load("clip:unprojected")
    for said in ({"size": 32}, {"size": {"height": 32, "width": 16}}, [], None):
        (model / "preprocessor_config.json").write_text(json.dumps(said))
        with pytest.raises(WeightsError, match="no preprocessing"):
            backbones.load("clip:tiny")


def test_a_photo_is_squeezed_where_the_model_says_so(model: Path) -> None:
    said = json.loads((model / "preprocessor_config.json").read_text())
    del said["crop_size"], said["do_center_crop"]
    (model / "preprocessor_config.json").write_text(json.dumps(said | {"size": {"height": 32, "width": 32}}))
    prepared = backbones.load("clip:tiny").preprocessing
    assert prepared.squash and (prepared.size, prepared.interpolation) == (32, "bicubic")


def test_a_tokenizer_that_is_none_is_said(model: Path) -> None:
    (model / "tokenizer.json").write_text("{}")
    with pytest.raises(WeightsError, match="tokenizer"):
        TextEncoder(backbones.load("clip:tiny"))
