"""Domain statistics: what is usual at a place, how many appearances there are, and the backbone made of them."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
import torchvision
from PIL import Image
from safetensors.torch import save_file

from inference import backbones, domain
from inference.backbones import Backbone, UnknownBackbone, WeightsError
from inference.domain.modes import find_modes
from inference.domain.statistics import FLOOR, StreamedSums, scales
from inference.embed import Embedder
from inference.photo.pixels import decode_rgb

ARCHITECTURE = "shufflenet_v2_x0_5"
BASE = f"torchvision:{ARCHITECTURE}+stages"
COUNT = 72


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small convolutional network's, made on the spot."""
    torch.set_num_threads(1)
    torch.manual_seed(3)
    folder = tmp_path_factory.mktemp("weights")
    save_file(
        torchvision.models.get_model(ARCHITECTURE, weights=None).state_dict(),
        folder / f"{ARCHITECTURE}.safetensors",
    )
    return folder


@pytest.fixture(scope="module")
def base(weights: Path) -> Backbone:
    return backbones.load(BASE, weights=weights)


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    """Two products, half of the photos each: bright with a dark bar on the left, and dark with fine stripes."""
    rng = np.random.default_rng(0)
    made = {}
    for index in range(COUNT):
        if index % 2:
            pixels = np.full((64, 64), 200.0)
            pixels[:, 8:20] = 40
        else:
            pixels = np.tile(np.arange(64) % 4 * 25.0, (64, 1)) + 20
        noisy = np.clip(pixels + rng.normal(0, 6, pixels.shape), 0, 255).astype(np.uint8)
        file = io.BytesIO()
        Image.fromarray(noisy).save(file, "PNG")
        made[f"photo{index:03}"] = file.getvalue()
    return made


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("onnx")


@pytest.fixture(scope="module")
def fitted(base: Backbone, files: dict[str, bytes], cache: Path) -> domain.DomainStatistics:
    return domain.fit(base, list(files), files.__getitem__, flips="flip", threads=1, cache_dir=cache)


def eager_maps(base: Backbone, data: bytes, axes: tuple[int, ...] = ()) -> list[np.ndarray]:
    photo = torch.from_numpy(base.preprocess(decode_rgb(data, max_pixels=10**6)))[None]
    with torch.no_grad():
        return [each[0].numpy() for each in base.module().maps(photo.flip(axes) if axes else photo)]  # type: ignore[operator]


# -- sums ----------------------------------------------------------------------------------------------------------


def test_streamed_sums_are_those_of_all_rows_at_once() -> None:
    rng = np.random.default_rng(1)
    # A mean that is large beside the deviation: naive squares in float32 would lose it.
    rows = (1000 + rng.normal(size=(90, 7))).astype(np.float32)
    mode = rng.integers(2, size=90)
    sums = StreamedSums(2, 7)
    for start in range(0, 90, 13):
        sums.add(rows[start : start + 13], mode[start : start + 13])
    mean, deviation = sums.mean_and_deviation()
    for each in (0, 1):
        exact = rows[mode == each].astype(np.float64)
        np.testing.assert_allclose(mean[each], exact.mean(axis=0), rtol=1e-6)
        np.testing.assert_allclose(deviation[each], exact.std(axis=0), rtol=1e-3)


def test_a_mode_without_photos_has_no_statistics() -> None:
    sums = StreamedSums(2, 3)
    sums.add(np.ones((4, 3), np.float32), np.zeros(4, np.int64))
    with pytest.raises(ValueError, match="without photos"):
        sums.mean_and_deviation()


def test_a_place_where_nothing_happens_is_not_divided_by_nothing() -> None:
    deviation = np.array([[0.0, 2.0, 4.0, 6.0, 0.0, 0.0]])
    found = scales(deviation, ((2, 1, 2), (1, 1, 2)))
    np.testing.assert_allclose(found[0, :4], [FLOOR * 3, 2 + FLOOR * 3, 4 + FLOOR * 3, 6 + FLOOR * 3])
    assert (found[0, 4:] > 0).all()


# -- modes ---------------------------------------------------------------------------------------------------------


def clouds(sizes: list[int], apart: float, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(len(sizes), 40)) * apart
    rows = [centre + rng.normal(size=(size, 40)) for centre, size in zip(centres, sizes, strict=True)]
    return np.concatenate(rows).astype(np.float32)


@pytest.mark.parametrize("sizes", [[200], [120, 80], [90, 80, 70]])
def test_as_many_modes_are_found_as_there_are_appearances(sizes: list[int]) -> None:
    rows = clouds(sizes, 2.0)
    modes = find_modes(rows)
    assert modes.count == len(sizes)
    assert sorted(np.bincount(modes.of(rows)).tolist()) == sorted(sizes)


def test_a_few_odd_photos_are_no_mode_of_their_own() -> None:
    assert find_modes(clouds([200, 6], 4.0)).count == 1


def test_the_number_of_modes_can_be_given() -> None:
    assert find_modes(clouds([200], 0.0), wanted=3).count == 3
    assert find_modes(clouds([100, 100], 2.0), wanted=1).count == 1


# -- fitting -------------------------------------------------------------------------------------------------------


def test_statistics_are_those_of_the_maps_of_each_product(
    base: Backbone, files: dict[str, bytes], cache: Path
) -> None:
    found = domain.fit(base, list(files), files.__getitem__, threads=1, cache_dir=cache)
    assert found.counts == (COUNT // 2, COUNT // 2)
    maps = [
        np.concatenate([each.ravel() for each in eager_maps(base, data)])
        for data in list(files.values())[1::2]
    ]
    exact = np.mean(maps, axis=0)
    assert np.abs(found.mean - exact).max(axis=1).min() < 1e-3


def test_the_patch_grids_of_a_transformers_blocks_have_statistics_too(
    files: dict[str, bytes], cache: Path, tmp_path: Path
) -> None:
    torch.manual_seed(4)
    save_file(timm.create_model("vit_tiny_patch16_224").state_dict(), tmp_path / "random.safetensors")
    base = backbones.load(
        "timm:vit_tiny_patch16_224@64+block3+block7", weights=tmp_path / "random.safetensors"
    )
    found = domain.fit(base, list(files), files.__getitem__, flips="flip", threads=1, cache_dir=cache)
    assert found.shapes == ((192, 4, 4), (192, 4, 4)) and found.photos == COUNT
    backbone = domain.domain_backbone(base, found, name="domain:test")
    data = files["photo003"]
    (batch,) = Embedder(backbone, threads=1, cache_dir=cache).embed([("photo003", data)])
    photo = torch.from_numpy(backbone.preprocess(decode_rgb(data, max_pixels=10**6)))[None]
    with torch.no_grad():
        expected = backbone.module()(photo).numpy()
    assert batch.vectors.shape == (1, 3 * 2 * 192)
    assert np.abs(batch.vectors - expected).max() < 1e-3 * np.abs(expected).max()


def test_the_order_of_the_photos_does_not_matter_and_the_seed_settles_the_sample(
    base: Backbone, files: dict[str, bytes], cache: Path
) -> None:
    def made(keys: list[str], seed: int) -> str:
        return domain.fit(
            base, keys, files.__getitem__, modes=1, threads=1, max_photos=40, seed=seed, cache_dir=cache
        ).digest

    assert made(list(files), 1) == made(list(files)[::-1], 1)
    assert made(list(files), 1) != made(list(files), 2)


def test_photos_that_cannot_be_decoded_are_passed_over(
    base: Backbone, files: dict[str, bytes], cache: Path
) -> None:
    broken = {**files, "photo000": b"no photo"}
    found = domain.fit(base, list(broken), broken.__getitem__, modes=1, threads=1, cache_dir=cache)
    assert found.photos == COUNT - 1


def test_too_few_photos_are_refused(base: Backbone, files: dict[str, bytes], cache: Path) -> None:
    few = list(files)[: domain.LEAST_PHOTOS - 1]
    with pytest.raises(domain.TooFewPhotos, match="too few"):
        domain.fit(base, few, files.__getitem__, threads=1, cache_dir=cache)
    bad = dict.fromkeys(files, b"no photo")
    with pytest.raises(domain.TooFewPhotos, match="can be used"):
        domain.fit(base, list(bad), bad.__getitem__, threads=1, cache_dir=cache)


class Stop(Exception):
    pass


@pytest.mark.parametrize("stop_after", [2, 4, 7, 12, 21])
def test_a_fit_that_was_stopped_goes_on_to_the_same_statistics(
    stop_after: int,
    base: Backbone,
    files: dict[str, bytes],
    cache: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Three batches, and a progress report after each; then the state is kept, and a fourth.
    monkeypatch.setattr("inference.domain.fitting._SAVE_EVERY", 24)
    monkeypatch.setattr("inference.domain.fitting._BATCH", 8)
    checkpoint = tmp_path / "state"

    def run(read: Callable[[str], bytes], stop: int | None, kept: Path | None) -> domain.DomainStatistics:
        calls = 0

        def progress(done: int, total: int) -> None:
            nonlocal calls
            calls += 1
            if calls == stop:
                raise Stop

        return domain.fit(
            base,
            list(files),
            read,
            threads=1,
            cache_dir=cache,
            checkpoint=kept,
            on_progress=progress,
        )

    whole = run(files.__getitem__, None, None)
    with pytest.raises(Stop):
        run(files.__getitem__, stop_after, checkpoint)
    read_again: list[str] = []

    def read(key: str) -> bytes:
        read_again.append(key)
        return files[key]

    resumed = run(read, None, checkpoint)
    assert resumed.digest == whole.digest
    assert len(read_again) == 2 * COUNT - 24 * (stop_after // 4)
    assert not checkpoint.exists()


def test_a_fit_reports_after_every_batch_so_that_it_can_be_stopped_soon(
    base: Backbone, files: dict[str, bytes], cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("inference.domain.fitting._BATCH", 8)
    told: list[int] = []
    domain.fit(
        base,
        list(files),
        files.__getitem__,
        threads=1,
        cache_dir=cache,
        on_progress=lambda done, _total: told.append(done),
    )
    assert told == sorted(told) and told[-1] == 2 * COUNT
    assert max(after - before for before, after in pairwise([0, *told])) == 8


def test_a_state_of_another_pool_or_a_damaged_one_is_not_gone_on_with(
    base: Backbone, files: dict[str, bytes], cache: Path, tmp_path: Path
) -> None:
    checkpoint = tmp_path / "state"
    checkpoint.write_bytes(b"cut short")
    found = domain.fit(
        base, list(files), files.__getitem__, modes=1, threads=1, cache_dir=cache, checkpoint=checkpoint
    )
    assert found.photos == COUNT


def test_networks_without_places_are_refused(weights: Path) -> None:
    pooled = backbones.load(f"torchvision:{ARCHITECTURE}+last", weights=weights)
    with pytest.raises(domain.NoMaps, match="stages"):
        domain.map_shapes(pooled)
    with pytest.raises(domain.NoMaps, match="flips"):
        domain.map_shapes(backbones.load(f"{BASE}+flips", weights=weights))


# -- the backbone --------------------------------------------------------------------------------------------------


def test_vectors_are_the_extremes_of_the_standardised_maps(
    base: Backbone, files: dict[str, bytes], fitted: domain.DomainStatistics
) -> None:
    backbone = domain.domain_backbone(base, fitted, name="domain:test")
    data = files["photo003"]
    photo = torch.from_numpy(backbone.preprocess(decode_rgb(data, max_pixels=10**6)))[None]
    with torch.no_grad():
        vector = backbone.module()(photo)[0].numpy()
    upright = eager_maps(base, data)
    (mode,) = fitted.modes.of(np.concatenate([each.mean(axis=(1, 2)) for each in upright])[None])
    high: list[np.ndarray] = []
    uneven: list[np.ndarray] = []
    low: list[np.ndarray] = []
    start = 0
    for shape, first, second in zip(fitted.shapes, upright, eager_maps(base, data, (-1,)), strict=True):
        stop = start + int(np.prod(shape))
        mean, scale = (each[mode, start:stop].reshape(shape) for each in (fitted.mean, fitted.scale))
        odd = np.stack([(first - mean) / scale, (second - mean) / scale])
        high.append(odd.max(axis=(0, 2, 3)))
        uneven.append(odd.std(axis=(2, 3)).max(axis=0))
        low.append(odd.min(axis=(0, 2, 3)))
        start = stop
    expected = np.concatenate([*high, *uneven, *low])
    assert vector.shape == (backbone.dim,)
    np.testing.assert_allclose(vector, expected, rtol=2e-3, atol=2e-3)


def test_onnx_and_torch_agree_and_the_pipeline_knows_nothing_of_it(
    base: Backbone, files: dict[str, bytes], fitted: domain.DomainStatistics, cache: Path
) -> None:
    backbone = domain.domain_backbone(base, fitted, name="domain:test")
    some = dict(list(files.items())[:6])
    (batch,) = Embedder(backbone, threads=1, cache_dir=cache).embed(some.items())
    photos = np.stack([backbone.preprocess(decode_rgb(data, max_pixels=10**6)) for data in some.values()])
    with torch.no_grad():
        expected = backbone.module()(torch.from_numpy(photos)).numpy()
    assert batch.keys == list(some)
    np.testing.assert_allclose(batch.vectors, expected, rtol=1e-3, atol=1e-3)
    assert (cache / f"{backbone.content_hash}.pixels.onnx").is_file()


def test_mirror_images_have_the_same_vector_where_the_statistics_counted_them_in(
    base: Backbone, files: dict[str, bytes], cache: Path
) -> None:
    made = domain.fit(
        base, list(files), files.__getitem__, modes=1, flips="flips", threads=1, cache_dir=cache
    )
    module = domain.domain_backbone(base, made, name="domain:test").module()
    photo = torch.from_numpy(base.preprocess(decode_rgb(files["photo001"], max_pixels=10**6)))[None]
    with torch.no_grad():
        torch.testing.assert_close(module(photo), module(photo.flip([-2])), rtol=1e-3, atol=1e-3)


def test_a_defect_stands_out_more_after_standardising(
    base: Backbone, files: dict[str, bytes], fitted: domain.DomainStatistics
) -> None:
    adapted = domain.domain_backbone(base, fitted, name="domain:test")
    pixels = decode_rgb(files["photo001"], max_pixels=10**6).copy()
    damaged = pixels.copy()
    damaged[30:36, 40:58] = 90
    odd = []
    for backbone in (base, adapted):
        rows = np.stack(
            [backbone.preprocess(decode_rgb(data, max_pixels=10**6)) for data in list(files.values())[1::2]]
            + [backbone.preprocess(damaged)]
        )
        with torch.no_grad():
            vectors = backbone.module()(torch.from_numpy(rows)).numpy()
        usual = vectors[:-1]
        z = (vectors - usual.mean(axis=0)) / (usual.std(axis=0) + 1e-3)
        odd.append(float(np.linalg.norm(z[-1]) / np.linalg.norm(z[:-1], axis=1).max()))
    assert odd[1] > odd[0]


def test_the_hash_changes_with_the_statistics(base: Backbone, fitted: domain.DomainStatistics) -> None:
    from dataclasses import replace

    moved = replace(fitted, mean=fitted.mean + np.float32(0.5))
    hashes = {
        base.content_hash,
        domain.domain_backbone(base, fitted, name="domain:a").content_hash,
        domain.domain_backbone(base, moved, name="domain:a").content_hash,
        domain.domain_backbone(base, replace(fitted, flips=""), name="domain:a").content_hash,
    }
    assert len(hashes) == 4
    assert (
        domain.domain_backbone(base, fitted, name="domain:a").content_hash
        == domain.domain_backbone(base, fitted, name="domain:b").content_hash
    )


def test_statistics_of_another_backbone_are_refused(fitted: domain.DomainStatistics) -> None:
    with pytest.raises(ValueError, match="another backbone"):
        domain.domain_backbone(backbones.load("efficientnet_lite0"), fitted, name="domain:test")


# -- on disk -------------------------------------------------------------------------------------------------------


@pytest.fixture
def kept(
    fitted: domain.DomainStatistics, tmp_path: Path, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A folder with the backbone ``domain:cells-1``, found by the registry."""
    root = tmp_path / "backbones"
    domain.save(root / "cells-1", base=BASE, statistics=fitted, told={"method": "statistics", "seed": 0})
    monkeypatch.setenv("HILLTOP_BACKBONES_DIR", str(root))
    monkeypatch.setenv("HILLTOP_WEIGHTS_DIR", str(weights))
    monkeypatch.setattr(backbones, "_loaded", {})
    return root / "cells-1"


def test_the_registry_finds_a_kept_backbone(
    kept: Path, base: Backbone, fitted: domain.DomainStatistics
) -> None:
    found = backbones.load("domain:cells-1")
    assert found.name == "domain:cells-1"
    assert found.content_hash == domain.domain_backbone(base, fitted, name="x").content_hash
    assert "domain:cells-1" in backbones.available()
    assert backbones.load("domain:cells-1", weights=kept).content_hash == found.content_hash


def test_of_domain_backbones_only_those_asked_for_last_stay_in_memory(
    kept: Path, fitted: domain.DomainStatistics
) -> None:
    for number in range(2, 3 + backbones.MOST_DOMAIN):
        domain.save(kept.parent / f"cells-{number}", base=BASE, statistics=fitted)
    first = backbones.load("domain:cells-1")
    for number in range(2, 3 + backbones.MOST_DOMAIN):
        backbones.load(f"domain:cells-{number}")
        assert backbones.load("domain:cells-1") is first, "what is in use stays"
    assert sum(name.startswith("domain:") for name, _ in backbones._loaded) == backbones.MOST_DOMAIN
    assert any(not name.startswith("domain:") for name, _ in backbones._loaded), (
        "their bases are few, and stay"
    )


def test_views_features_and_unknown_folders_are_refused(kept: Path) -> None:
    for name in ("domain:cells-2", "domain:cells-1+flips", "domain:cells-1+tiles2", "domain:cells-1+last"):
        with pytest.raises(UnknownBackbone):
            backbones.load(name)


def test_a_kept_backbone_is_never_overwritten(kept: Path, fitted: domain.DomainStatistics) -> None:
    with pytest.raises(FileExistsError):
        domain.save(kept, base=BASE, statistics=fitted)


def rewrite(file: Path, change: Callable[[dict[str, object]], Mapping[str, object]]) -> None:
    file.write_text(json.dumps(change(json.loads(file.read_text()))))


@pytest.mark.parametrize("damage", ["statistics", "manifest", "format", "files", "missing"])
def test_damage_is_told_and_not_loaded(kept: Path, damage: str) -> None:
    manifest, statistics = kept / "manifest.json", kept / "statistics.safetensors"
    if damage == "statistics":
        statistics.write_bytes(statistics.read_bytes()[:-4] + b"\x00\x00\x00\x01")
    elif damage == "manifest":
        manifest.write_text("{")
    elif damage == "format":
        rewrite(manifest, lambda told: {**told, "format_version": 99})
    elif damage == "files":
        rewrite(manifest, lambda told: {**told, "files": {"../secret": "0"}})
    else:
        statistics.unlink()
    with pytest.raises(WeightsError):
        backbones.load("domain:cells-1")


def test_statistics_are_not_put_on_other_weights_than_they_were_made_with(
    kept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(9)
    other = tmp_path / "other" / f"{ARCHITECTURE}.safetensors"
    other.parent.mkdir()
    save_file(torchvision.models.get_model(ARCHITECTURE, weights=None).state_dict(), other)
    monkeypatch.setenv("HILLTOP_WEIGHTS_DIR", str(other.parent))
    with pytest.raises(WeightsError, match="other weights"):
        backbones.load("domain:cells-1")


@pytest.mark.parametrize("name", ["Cells", "-a", "a b", "", "x" * 65])
def test_folders_have_plain_names(name: str, fitted: domain.DomainStatistics, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="named"):
        domain.save(tmp_path / "backbones" / "x" / name if name else Path("/"), base=BASE, statistics=fitted)
