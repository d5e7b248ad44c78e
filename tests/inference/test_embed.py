"""From files to vectors: the same vectors on every path, in order, lazily, and bad photos stop nothing."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch
import torchvision
from PIL import Image
from safetensors.torch import save_file

from benchmarks.photo_files import png
from inference import backbones, embed
from inference.backbones import Backbone, efficientnet_lite
from inference.batches import next_batch
from inference.embed import EagerForward, Embedder, OnnxForward, cpu_forward
from inference.gpu import GpuEmbedder, decode_only, forward_only
from inference.gpu_decode import decode_jpegs, has_gpu_decoder, resize_and_crop, without_exif
from inference.photo import DecodeError
from inference.photo.pixels import decode_pixels, decode_rgb
from inference.pixel_network import export_onnx, pixel_network

Encode = Callable[..., bytes]
LIMIT = 10**7
CUDA = [
    "cpu",
    pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")),
]


@pytest.fixture(autouse=True, scope="module")
def _small_photos() -> Iterator[None]:
    """The packaged networks and weights on squares of 64 pixels: the same operators, for a tenth of the arithmetic."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(backbones, "_loaded", {})
        for name, variant in efficientnet_lite._VARIANTS.items():
            patch.setitem(efficientnet_lite._VARIANTS, name, replace(variant, size=64))
        yield


@pytest.fixture(scope="module")
def lite() -> Backbone:
    torch.set_num_threads(1)
    return backbones.load("efficientnet_lite0")


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("onnx")


@pytest.fixture
def photos(encode: Encode) -> list[tuple[str, bytes]]:
    """Seven colour PNGs, 320 x 240."""
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 255, (7, 12, 16, 3), dtype=np.uint8)
    return [(f"photo{i}", encode(np.kron(c, np.ones((20, 20, 1), np.uint8)))) for i, c in enumerate(coarse)]


def jpeg(
    seed: int,
    size: tuple[int, int] = (640, 480),
    *,
    grey: bool = False,
    orientation: int = 1,
    grain: int = 12,
) -> bytes:
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(0, 255, (6, 8, 3), dtype=np.uint8))
    soft = np.asarray(coarse.resize(size, Image.Resampling.BICUBIC), dtype=np.float64)
    # With grain: on a perfectly smooth photo the rounding of pixels is all that the network has to look at.
    grain = np.clip(soft + rng.normal(0, grain, (size[1], size[0], 1)), 0, 255).astype(np.uint8)
    photo = Image.fromarray(grain).convert("L" if grey else "RGB")
    exif = Image.Exif()
    exif[0x0112] = orientation
    file = io.BytesIO()
    photo.save(file, "JPEG", quality=92, exif=exif.tobytes())
    return file.getvalue()


def eager(backbone: Backbone, files: list[bytes]) -> np.ndarray:
    """What every path has to give: whole decoding, then the network as it is, in float32."""
    inputs = np.stack([backbone.preprocess(decode_rgb(data, max_pixels=LIMIT)) for data in files])
    with torch.no_grad():
        return backbone.module()(torch.from_numpy(inputs)).numpy()


def cosine(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return (a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)


# -- on a CPU ------------------------------------------------------------------------------------------------------


def test_onnx_and_torch_agree(lite: Backbone, cache: Path, photos: list[tuple[str, bytes]]) -> None:
    (batch,) = Embedder(lite, threads=1, cache_dir=cache).embed(photos)
    assert batch.keys == [key for key, _ in photos] and not batch.failures
    assert batch.vectors.shape == (7, lite.dim)
    assert np.abs(batch.vectors - eager(lite, [data for _, data in photos])).max() < 1e-3


def test_grey_photos_and_colour_ones_may_share_a_batch(
    lite: Backbone, cache: Path, photos: list[tuple[str, bytes]], encode: Encode
) -> None:
    grey = encode(np.random.default_rng(3).integers(0, 255, (240, 300), dtype=np.uint8))
    files = [grey, photos[0][1], grey, grey, grey, grey, grey, photos[1][1]]
    (batch,) = Embedder(lite, threads=2, cache_dir=cache).embed(
        [(str(i), data) for i, data in enumerate(files)]
    )
    assert np.abs(batch.vectors - eager(lite, files)).max() < 1e-3


@pytest.mark.parametrize("name", ["efficientnet_lite0+last+tiles2", "tiny:net+tiles3+flip"])
def test_tiles_and_flips_are_the_same_in_onnx(
    name: str, cache: Path, photos: list[tuple[str, bytes]]
) -> None:
    backbone = backbones.load(name)
    batches = list(Embedder(backbone, "cpu", 2, 1, cache_dir=cache).embed(photos[:3]))
    vectors = np.concatenate([batch.vectors for batch in batches])
    assert np.abs(vectors - eager(backbone, [data for _, data in photos[:3]])).max() < 1e-3


@pytest.mark.parametrize(
    "name",
    [
        "torchvision:resnet18+stages+last",
        "torchvision:mobilenet_v3_small",
        "torchvision:swin_t",
        "timm:vit_tiny_patch16_224+cls+patches",
        "timm:vit_tiny_patch16_224@64+block7+block10",
        "timm:mobilenetv4_conv_small+stages",
    ],
)
def test_other_families_are_the_same_in_onnx(
    name: str, tmp_path: Path, photos: list[tuple[str, bytes]]
) -> None:
    family, _, architecture = name.partition("+")[0].partition(":")
    make = timm.create_model if family == "timm" else torchvision.models.get_model
    file = tmp_path / "random.safetensors"
    save_file(make(architecture.partition("@")[0]).state_dict(), file)
    backbone = backbones.load(name, weights=file)
    forward = cpu_forward(backbone, tmp_path)
    assert isinstance(forward, OnnxForward)
    pixels = np.concatenate(
        [backbone.preprocessing.pixels(decode_pixels(data, max_pixels=LIMIT)) for _, data in photos[:3]]
    )
    expected = eager(backbone, [data for _, data in photos[:3]])
    assert np.abs(forward(pixels) - expected).max() < 1e-3 * max(1.0, np.abs(expected).max())


def test_a_network_that_cannot_be_exported_runs_in_torch(
    lite: Backbone, photos: list[tuple[str, bytes]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise RuntimeError("an operator without an ONNX form")

    monkeypatch.setattr(torch.onnx, "export", refuse)
    embedder = Embedder(lite, "cpu", 4, 1, cache_dir=tmp_path)
    assert isinstance(embedder._forward, EagerForward)
    vectors = np.concatenate([batch.vectors for batch in embedder.embed(photos[:4])])
    assert np.abs(vectors - eager(lite, [data for _, data in photos[:4]])).max() < 1e-3
    assert [path.suffix for path in tmp_path.iterdir()] == [".no-onnx"], "and half an export is left nowhere"


@pytest.mark.parametrize("threads", [1, 3])
def test_the_batch_a_photo_rides_in_does_not_matter(
    lite: Backbone, cache: Path, photos: list[tuple[str, bytes]], threads: int
) -> None:
    one = [batch.vectors for batch in Embedder(lite, "cpu", 1, threads, cache_dir=cache).embed(photos)]
    five = [batch.vectors for batch in Embedder(lite, "cpu", 5, threads, cache_dir=cache).embed(photos)]
    assert [len(each) for each in five] == [5, 2]
    assert np.abs(np.concatenate(one) - np.concatenate(five)).max() < 1e-3


@pytest.mark.parametrize("threads", [1, 3])
def test_bad_photos_are_reported_and_stop_nothing(
    lite: Backbone, cache: Path, photos: list[tuple[str, bytes]], threads: int
) -> None:
    mixed = [("bad1", b"no photo"), *photos[:3], ("bad2", photos[3][1][:60]), photos[4]]
    batches = list(Embedder(lite, "cpu", 2, threads, cache_dir=cache).embed(mixed))
    assert [key for b in batches for key in b.keys] == ["photo0", "photo1", "photo2", "photo4"]
    failures = {key: error.code for b in batches for key, error in b.failures}
    assert failures == {"bad1": "not_an_image", "bad2": "truncated"}
    assert sum(len(b.vectors) for b in batches) == 4


def test_a_batch_of_nothing_but_bad_photos_is_empty(lite: Backbone, cache: Path) -> None:
    (batch,) = Embedder(lite, "cpu", 4, 1, cache_dir=cache).embed([("a", b"no"), ("b", b"photo")])
    assert batch.vectors.shape == (0, lite.dim) and len(batch.failures) == 2


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


def test_threads_that_export_different_networks_at_once_do_not_break_each_other(tmp_path: Path) -> None:
    torch.set_num_threads(1)
    networks = [backbones.load(name) for name in ("efficientnet_lite0", "efficientnet_lite1")]
    begin = threading.Barrier(2)

    def export(backbone: Backbone) -> Path:
        begin.wait()
        return export_onnx(backbone, tmp_path)

    with ThreadPoolExecutor(2) as threads:
        made = list(threads.map(export, networks))
    assert {each.name for each in tmp_path.iterdir()} == {each.name for each in made}
    for network, path in zip(networks, made, strict=True):
        pixels = np.zeros((1, network.input_size, network.input_size, 3), np.uint8)
        assert OnnxForward(path)(pixels).shape == (1, network.dim)


@pytest.mark.parametrize("left", [0, 1000])
def test_a_damaged_export_is_made_again(left: int, lite: Backbone, cache: Path, tmp_path: Path) -> None:
    damaged = tmp_path / export_onnx(lite, cache).name
    damaged.write_bytes(export_onnx(lite, cache).read_bytes()[:left])
    assert isinstance(cpu_forward(lite, tmp_path), OnnxForward)
    assert damaged.stat().st_size > 10_000


class _Refusing:
    def __init__(self, *_given: object) -> None:
        raise RuntimeError("an operator that this runtime does not know")


def test_a_network_that_no_runtime_takes_is_exported_once_a_version(
    lite: Backbone, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    exports: list[Path] = []

    def export(backbone: Backbone, folder: Path) -> Path:
        exports.append(path := folder / "network.onnx")
        path.touch()
        return path

    monkeypatch.setattr(embed, "export_onnx", export)
    monkeypatch.setattr(embed, "OnnxForward", _Refusing)
    monkeypatch.setattr(embed, "EagerForward", lambda _backbone: "in torch")
    for _start in range(3):
        assert cpu_forward(lite, tmp_path) == "in torch"
    assert len(exports) == 2, "once, and once more as it may have been damaged"
    monkeypatch.setattr(embed, "version", lambda name: f"the next {name}")
    assert cpu_forward(lite, tmp_path) == "in torch" and len(exports) == 4
    monkeypatch.setattr(embed, "OnnxForward", lambda *_given: "in the runtime")
    assert cpu_forward(lite, tmp_path) == "in torch" and len(exports) == 4
    monkeypatch.setattr(embed, "version", lambda name: f"the one after {name}")
    assert cpu_forward(lite, tmp_path) == "in the runtime"


@pytest.mark.parametrize("error", [OSError("disk full"), MemoryError()])
def test_what_says_nothing_of_a_network_is_not_remembered(
    error: Exception, lite: Backbone, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def export(*_given: object) -> None:
        raise error

    monkeypatch.setattr(embed, "export_onnx", export)
    monkeypatch.setattr(embed, "EagerForward", lambda _backbone: "in torch")
    assert cpu_forward(lite, tmp_path) == "in torch"
    assert list(tmp_path.iterdir()) == []


def test_the_export_is_made_once_and_leaves_nothing_half(lite: Backbone, tmp_path: Path) -> None:
    path = export_onnx(lite, tmp_path)
    stamp = path.stat().st_mtime_ns
    assert export_onnx(lite, tmp_path).stat().st_mtime_ns == stamp
    assert [p.name for p in tmp_path.iterdir()] == [f"{lite.content_hash}.pixels.onnx"]


# -- the GPU's way, on a CPU too -----------------------------------------------------------------------------------


@pytest.mark.parametrize("device", CUDA)
@pytest.mark.parametrize("name", ["efficientnet_lite0", "efficientnet_lite0+last+tiles2"])
def test_the_gpus_way_agrees_within_bf16(device: str, name: str) -> None:
    backbone = backbones.load(name)
    files = [jpeg(seed) for seed in range(3)] + [jpeg(9, (300, 500), grey=True), jpeg(4)]
    embedder = GpuEmbedder(backbone, device, batch_size=2, threads=2, max_pixels=LIMIT)
    batches = list(embedder.embed((str(i), data) for i, data in enumerate(files)))
    assert [key for batch in batches for key in batch.keys] == ["0", "1", "2", "3", "4"]
    assert [len(batch.vectors) for batch in batches] == [2, 2, 1]
    vectors = np.concatenate([batch.vectors for batch in batches])
    assert (cosine(vectors, eager(backbone, files)) > 0.995).all()


@pytest.mark.parametrize("device", CUDA)
def test_on_a_gpu_odd_files_go_by_the_cpu_and_bad_ones_stop_nothing(
    device: str, lite: Backbone, photos: list[tuple[str, bytes]]
) -> None:
    cmyk = io.BytesIO()
    Image.open(io.BytesIO(jpeg(1))).convert("CMYK").save(cmyk, "JPEG")
    cut = jpeg(2)[:2000]
    files = [photos[0], ("cmyk", cmyk.getvalue()), ("cut", cut), ("no", b"no photo"), ("ok", jpeg(3))]
    embedder = GpuEmbedder(lite, device, batch_size=8, threads=2, max_pixels=LIMIT)
    (batch,) = embedder.embed(files)
    assert batch.keys == ["photo0", "cmyk", "ok"]
    assert {key: error.code for key, error in batch.failures} == {"cut": "truncated", "no": "not_an_image"}
    expected = eager(lite, [photos[0][1], cmyk.getvalue(), files[-1][1]])
    assert (cosine(batch.vectors, expected) > 0.995).all()


@pytest.mark.skipif(not has_gpu_decoder(), reason="TorchCodec is not installed")
def test_a_batch_that_the_devices_decoder_refuses_goes_to_the_cpu(
    lite: Backbone,
) -> None:
    whole = jpeg(5)
    # A Huffman table of nonsense: from outside the file looks whole.
    table = whole.index(b"\xff\xc4") + 5
    damaged = whole[:table] + b"\xff" * 16 + whole[table + 16 :]
    embedder = GpuEmbedder(lite, "cpu", batch_size=4, threads=1, max_pixels=LIMIT)
    (batch,) = embedder.embed([("a", whole), ("damaged", damaged), ("b", jpeg(6))])
    assert batch.keys == ["a", "b"]
    assert [(key, error.code) for key, error in batch.failures] == [("damaged", "truncated")]


@pytest.mark.skipif(not has_gpu_decoder(), reason="TorchCodec is not installed")
def test_of_a_batch_with_a_refused_file_the_others_stay_on_the_device(
    lite: Backbone, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = jpeg(5)
    table = whole.index(b"\xff\xc4") + 5
    damaged = whole[:table] + b"\xff" * 16 + whole[table + 16 :]
    embedder = GpuEmbedder(lite, "cpu", batch_size=8, threads=1, max_pixels=LIMIT)
    on_cpu: list[bytes] = []
    read = embedder._read_on_cpu

    def watched(data: bytes) -> Any:
        on_cpu.append(data)
        return read(data)

    monkeypatch.setattr(embedder, "_read_on_cpu", watched)
    files = [(str(i), jpeg(i)) for i in range(7)]
    (batch,) = embedder.embed([*files[:3], ("damaged", damaged), *files[3:]])
    assert batch.keys == [key for key, _ in files]
    assert on_cpu == [damaged]
    assert (cosine(batch.vectors, eager(lite, [data for _, data in files])) > 0.995).all()


@pytest.mark.skipif(not has_gpu_decoder(), reason="TorchCodec is not installed")
def test_whole_photos_are_on_the_device_only_a_few_at_a_time(
    lite: Backbone, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []
    floats: list[int] = []

    def decode(files: Any, *rest: Any) -> Any:
        calls.append(len(files))
        return decode_jpegs(files, *rest)

    def interpolate(part: torch.Tensor, **options: Any) -> torch.Tensor:
        floats.append(part.shape[0] * part.shape[2] * part.shape[3])
        return plainly(part, **options)

    plainly = torch.nn.functional.interpolate
    monkeypatch.setattr("inference.gpu.decode_jpegs", decode)
    monkeypatch.setattr("inference.gpu_decode.functional.interpolate", interpolate)
    for module in ("inference.gpu", "inference.gpu_decode"):
        monkeypatch.setattr(f"{module}.MOST_PIXELS", 2 * 300 * 400)
    files = [jpeg(i, (400, 300)) for i in range(5)] + [jpeg(6, (800, 600))]
    (batch,) = GpuEmbedder(lite, "cpu", batch_size=8, threads=1, max_pixels=LIMIT).embed(
        (str(i), data) for i, data in enumerate(files)
    )
    assert calls == [2, 2, 1, 1], "one that is too large by itself goes alone"
    assert max(floats[:3]) <= 2 * 300 * 400
    assert (cosine(batch.vectors, eager(lite, files)) > 0.995).all()


@pytest.mark.skipif(not has_gpu_decoder(), reason="TorchCodec is not installed")
def test_photos_for_which_the_device_has_no_memory_go_in_smaller_groups(
    lite: Backbone, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []

    def resize(photos: Any, preprocessing: Any) -> Any:
        sizes.append(len(photos))
        if len(photos) > 1:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return resize_and_crop(photos, preprocessing)

    monkeypatch.setattr("inference.gpu.resize_and_crop", resize)
    files = [jpeg(i) for i in range(3)]
    (batch,) = GpuEmbedder(lite, "cpu", batch_size=4, threads=1, max_pixels=LIMIT).embed(
        (str(i), data) for i, data in enumerate(files)
    )
    assert sizes == [3, 1, 2, 1, 1]
    assert (cosine(batch.vectors, eager(lite, files)) > 0.995).all()


def test_without_torchcodec_the_cpu_decodes(lite: Backbone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("inference.gpu.has_gpu_decoder", lambda: False)
    monkeypatch.setattr("inference.gpu.decode_jpegs", None)
    (batch,) = GpuEmbedder(lite, "cpu", batch_size=4, threads=1, max_pixels=LIMIT).embed([("a", jpeg(7))])
    assert (cosine(batch.vectors, eager(lite, [jpeg(7)])) > 0.995).all()


@pytest.mark.skipif(not has_gpu_decoder(), reason="TorchCodec is not installed")
@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_devices_pixels_are_those_of_the_cpu(orientation: int) -> None:
    data = jpeg(8, (400, 300), orientation=orientation, grain=0)
    prepare = backbones.load("efficientnet_lite0+tiles2").preprocessing
    (photo,) = decode_jpegs([data], [orientation], torch.device("cpu"))
    (squares,) = resize_and_crop([photo], prepare)
    expected = prepare.pixels(decode_rgb(data, max_pixels=LIMIT))
    assert squares.shape == expected.shape
    assert np.abs(squares.numpy().astype(int) - expected).mean() < 2


@pytest.mark.skipif(not has_gpu_decoder(), reason="TorchCodec is not installed")
def test_fill_bytes_before_the_exif_do_not_turn_a_photo_twice() -> None:
    plain = jpeg(8, (400, 300), orientation=6)
    at = plain.index(b"\xff\xe1")
    filled = plain[:at] + b"\xff\xff" + plain[at:]
    assert b"Exif" not in without_exif(filled)
    (photo,) = decode_jpegs([filled], [6], torch.device("cpu"))
    assert photo.shape[1:] == decode_rgb(filled, max_pixels=LIMIT).shape[:2]


def test_the_last_smaller_batch_of_a_compiled_network_is_filled_up(
    lite: Backbone, photos: list[tuple[str, bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    shapes: list[int] = []

    class Compiled(torch.nn.Module):
        def __init__(self, network: torch.nn.Module) -> None:
            super().__init__()
            self._orig_mod = network

        def forward(self, pixels: torch.Tensor) -> torch.Tensor:
            shapes.append(len(pixels))
            return self._orig_mod(pixels)

    monkeypatch.setattr(torch, "compile", lambda network, **_: Compiled(network))
    embedder = GpuEmbedder(lite, "cpu", batch_size=4, threads=1, max_pixels=LIMIT, compiled=True)
    vectors = np.concatenate([batch.vectors for batch in embedder.embed(photos)])
    assert vectors.shape == (7, lite.dim) and set(shapes) == {4}
    assert (cosine(vectors, eager(lite, [data for _, data in photos])) > 0.995).all()


def test_a_network_that_cannot_be_compiled_runs_as_it_is(
    lite: Backbone, photos: list[tuple[str, bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_compiler(*_: object, **__: object) -> object:
        def fail(*_: object) -> None:
            raise RuntimeError("no C++ compiler")

        return fail

    monkeypatch.setattr(torch, "compile", no_compiler)
    embedder = GpuEmbedder(lite, "cpu", batch_size=4, threads=1, max_pixels=LIMIT, compiled=True)
    assert sum(len(batch.vectors) for batch in embedder.embed(photos)) == 7


def test_the_gpus_parts_can_be_run_alone(lite: Backbone, monkeypatch: pytest.MonkeyPatch) -> None:
    embedder = GpuEmbedder(lite, "cpu", batch_size=2, threads=1, max_pixels=LIMIT)
    ran: list[str] = []

    def counted(name: str) -> Any:
        part = getattr(embedder, name)

        def run(*args: Any) -> Any:
            ran.append(name)
            return part(*args)

        return run

    for name in ("forward", "_decode"):
        monkeypatch.setattr(embedder, name, counted(name))
    forward_only(embedder, 3)
    assert ran == ["forward", "forward"], "three photos are two batches"
    decode_only(embedder, [(str(i), jpeg(i, (320, 240))) for i in range(3)])
    assert ran[2:] == ["_decode", "_decode"]


def test_the_pixel_network_leaves_the_backbones_own_alone(lite: Backbone) -> None:
    network = pixel_network(lite).to(torch.float16)
    assert next(lite.module().parameters()).dtype == torch.float32
    assert next(network.parameters()).dtype == torch.float16


def test_a_decode_error_keeps_its_code() -> None:
    with pytest.raises(DecodeError) as caught:
        decode_pixels(b"no photo", max_pixels=LIMIT)
    assert caught.value.code == "not_an_image"


def test_how_more_than_8_bits_become_8_is_part_of_the_key_and_of_what_is_embedded(cache: Path) -> None:
    ramp = png(np.tile(np.arange(256, dtype=np.uint16) * 16, (256, 1)))
    plain = png(np.tile(np.arange(256, dtype=np.uint8), (256, 1)))
    found = {}
    for name in ("efficientnet_lite0", "efficientnet_lite0+levels-12", "efficientnet_lite0+levels-16"):
        backbone = backbones.load(name)
        (batch,) = Embedder(backbone, threads=1, cache_dir=cache).embed([("ramp", ramp), ("plain", plain)])
        found[backbone.content_hash] = batch.vectors
    bits, twelve, sixteen = found.values()
    assert (bits == twelve).all() and (bits[1] == sixteen[1]).all()
    assert np.abs(bits[0] - sixteen[0]).max() > 0.1


def test_a_batch_of_large_files_is_a_small_one() -> None:
    source = iter([(f"{at}", bytes(3 << 20)) for at in range(5)] + [("small", b"")] * 3)
    assert [len(next_batch(source, 2)) for _ in range(5)] == [2, 2, 2, 2, 0]
    source = iter([("large", bytes(9 << 20)), ("small", b"")])
    assert [len(next_batch(source, 2)) for _ in range(2)] == [1, 1]
