"""Self-supervision on made photos: it learns, it can be stopped and gone on with, and it touches only what it should."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
import torchvision
from PIL import Image
from safetensors.torch import save_file

from inference import backbones, domain
from inference.backbones import Backbone, torchvision_zoo
from inference.backbones.preprocessing import Preprocessing
from inference.selfsup import Recipe, train
from inference.selfsup.__main__ import main as command
from inference.selfsup.augment import Augmentation
from inference.selfsup.squares import decoded_squares
from inference.selfsup.trainable import trailing_parameters

ARCHITECTURE = "shufflenet_v2_x0_5"
NAME = f"torchvision:{ARCHITECTURE}+stages"
SHORT = Recipe(epochs=3, batch_size=16, lr=1e-3)


@pytest.fixture(autouse=True, scope="module")
def _small_photos() -> Iterator[None]:
    """The network on squares of 32 pixels: the same maps, for a fiftieth of the arithmetic."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(backbones, "_loaded", {})
        patch.setattr(torchvision_zoo, "_preprocessing", lambda _weights: Preprocessing(32, 32))
        yield


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    torch.manual_seed(4)
    folder = tmp_path_factory.mktemp("weights")
    network = torchvision.models.get_model(ARCHITECTURE, weights=None)
    # A network whose normalisation never saw a photo says the same of all of them.
    with torch.no_grad():
        for _ in range(20):
            coarse = torch.randn(8, 3, 6, 6)
            network.train()(torch.nn.functional.interpolate(coarse, size=32, mode="bicubic"))
    save_file(network.state_dict(), folder / f"{ARCHITECTURE}.safetensors")
    return folder


@pytest.fixture(scope="module")
def base(weights: Path) -> Backbone:
    return backbones.load(NAME, weights=weights)


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    made = {}
    for index in range(48):
        rng = np.random.default_rng(index)
        coarse = Image.fromarray(rng.integers(0, 255, (6, 6, 3), dtype=np.uint8))
        file = io.BytesIO()
        coarse.resize((64, 64), Image.Resampling.BICUBIC).save(file, "PNG")
        made[f"photo{index:02}.png"] = file.getvalue()
    return made


class Stop(Exception):
    pass


def stop_at(step: int, total: int) -> object:
    def progress(done: int, of: int) -> None:
        if of == total and done == step:
            raise Stop

    return progress


def test_the_loss_falls_and_only_the_last_layers_move(
    base: Backbone, files: dict[str, bytes], tmp_path: Path
) -> None:
    before = {name: each.clone() for name, each in base.module().state_dict().items()}
    recipe = Recipe(epochs=12, batch_size=16, lr=2e-3, label_smoothing=0.2, share=0.5)
    made = train(base, list(files), files.__getitem__, folder=tmp_path, recipe=recipe, threads=1)
    assert made.photos == 48
    assert np.mean(made.losses[-3:]) < 0.9 * np.mean(made.losses[:3])
    moving = set(trailing_parameters(base.module(), 0.5))
    changed = {name for name, each in made.state.items() if not torch.equal(each, before[name])}
    assert changed and changed <= moving
    assert all(torch.equal(each, before[name]) for name, each in base.module().state_dict().items()), (
        "the backbone itself is not touched"
    )


def run(
    base: Backbone, files: dict[str, bytes], folder: Path, recipe: Recipe = SHORT, on_progress: object = None
) -> dict[str, torch.Tensor]:
    return train(
        base,
        list(files),
        files.__getitem__,
        folder=folder,
        recipe=recipe,
        threads=1,
        save_every=2,
        on_progress=on_progress,  # type: ignore[arg-type]
    ).state


@pytest.fixture(scope="module")
def whole(
    base: Backbone, files: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, torch.Tensor]:
    """What a short training that nothing stops makes."""
    return run(base, files, tmp_path_factory.mktemp("whole"))


@pytest.mark.parametrize("stop", [2, 5, 9])
def test_a_training_that_was_stopped_goes_on_to_the_same_bits(
    stop: int, base: Backbone, files: dict[str, bytes], whole: dict[str, torch.Tensor], tmp_path: Path
) -> None:
    with pytest.raises(Stop):
        run(base, files, tmp_path, on_progress=stop_at(stop, 9))
    resumed = run(base, files, tmp_path)
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)


def test_a_state_of_another_recipe_is_not_gone_on_with(
    base: Backbone, files: dict[str, bytes], whole: dict[str, torch.Tensor], tmp_path: Path
) -> None:
    with pytest.raises(Stop):
        run(base, files, tmp_path, on_progress=stop_at(5, 9))
    other = Recipe(epochs=3, batch_size=16, lr=1e-3, seed=1)
    again = run(base, files, tmp_path, other)
    alone = run(base, files, tmp_path / "alone", other)
    assert any(not torch.equal(whole[name], again[name]) for name in whole)
    assert all(torch.equal(alone[name], again[name]) for name in alone)


def test_too_few_photos_are_refused(base: Backbone, files: dict[str, bytes], tmp_path: Path) -> None:
    broken = {**files, **dict.fromkeys(list(files)[:20], b"no photo")}
    with pytest.raises(ValueError, match="28 photos are too few"):
        train(base, list(broken), broken.__getitem__, folder=tmp_path, recipe=SHORT, threads=1)


def test_photos_are_decoded_once(base: Backbone, files: dict[str, bytes], tmp_path: Path) -> None:
    read: list[str] = []

    def reading(key: str) -> bytes:
        read.append(key)
        return files[key]

    for _ in range(2):
        squares, kept = decoded_squares(tmp_path, base, list(files), reading, threads=1, max_pixels=10**6)
    assert len(read) == 48 and kept == list(files)
    assert squares.shape == (48, base.input_size, base.input_size, 3)
    decoded_squares(tmp_path, base, list(files)[:40], reading, threads=1, max_pixels=10**6)
    assert len(read) == 88


# -- changes of photos ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("damage", ["no json", '{"digest": 1}', "[]", "photos cut short"])
def test_what_a_killed_decoding_left_is_decoded_again(
    damage: str, base: Backbone, files: dict[str, bytes], tmp_path: Path
) -> None:
    keys = sorted(files)[:3]
    whole, _ = decoded_squares(tmp_path, base, keys, files.__getitem__, threads=1, max_pixels=10**6)
    expected = np.array(whole)
    assert {each.name for each in tmp_path.iterdir()} == {"squares.json", "squares.bin"}
    if damage == "photos cut short":
        (tmp_path / "squares.bin").write_bytes(b"cut")
    else:
        (tmp_path / "squares.json").write_text(damage)
    again, kept = decoded_squares(tmp_path, base, keys, files.__getitem__, threads=1, max_pixels=10**6)
    assert kept == keys and (again == expected).all()


@pytest.mark.parametrize(("name", "told"), [("Not a Name", "small letters"), ("there", "exists")])
def test_the_command_refuses_a_target_before_it_trains(
    name: str, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("inference.selfsup.__main__.train", None)
    (tmp_path / "there").mkdir()
    with pytest.raises(SystemExit) as stopped:
        command([str(tmp_path), str(tmp_path / name)])
    assert stopped.value.code == 2 and told in capsys.readouterr().err


def test_the_same_seed_draws_the_same_changes_and_another_one_others() -> None:
    photos = torch.randn(4, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    change = Augmentation(flips="flips")
    assert torch.equal(change(photos, 7), change(photos, 7))
    assert not torch.allclose(change(photos, 7), change(photos, 8))


def test_nothing_is_mirrored_unless_mirror_images_say_the_same() -> None:
    photos = torch.arange(32.0).expand(64, 3, 32, 32)
    still = Augmentation(scale=0, shift=0, gain=0, offset=0, noise=0)
    torch.testing.assert_close(still(photos, 1), photos)
    mirrored = Augmentation(scale=0, shift=0, gain=0, offset=0, noise=0, flips="flip")(photos, 1)
    turned = (mirrored[:, 0, 0, 0] > mirrored[:, 0, 0, -1]).sum().item()
    assert 16 < turned < 48


def test_at_least_one_tensor_is_trained_and_at_most_the_share(base: Backbone) -> None:
    network = base.module()
    everything = sum(each.numel() for each in network.parameters())
    assert len(trailing_parameters(network, 1e-9)) == 1
    assert sum(each.numel() for each in trailing_parameters(network, 0.5).values()) <= 0.5 * everything
    assert set(trailing_parameters(network, 1.0)) == {name for name, _ in network.named_parameters()}
    with pytest.raises(ValueError, match="share"):
        trailing_parameters(network, 0)


# -- on disk -------------------------------------------------------------------------------------------------------


def test_a_trained_network_is_kept_with_the_pools_statistics_and_found_by_name(
    base: Backbone,
    weights: Path,
    files: dict[str, bytes],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HILLTOP_WEIGHTS_DIR", str(weights))
    monkeypatch.setenv("HILLTOP_BACKBONES_DIR", str(tmp_path / "kept"))
    monkeypatch.setattr(backbones, "_loaded", {})
    plain = backbones.load(NAME)
    made = train(plain, list(files), files.__getitem__, folder=tmp_path / "state", recipe=SHORT, threads=1)
    domain.save_trained(
        tmp_path / "kept" / "one", plain, made.state, list(files), files.__getitem__, threads=1, modes=1
    )
    domain.save_trained(
        tmp_path / "kept" / "two", plain, made.state, list(files), files.__getitem__, statistics=False
    )
    one, two = backbones.load("domain:one"), backbones.load("domain:two")
    assert len({one.content_hash, two.content_hash, plain.content_hash}) == 3
    photo = torch.randn(1, 3, plain.input_size, plain.input_size, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert one.module()(photo).shape == (1, one.dim)
        assert two.dim == plain.dim
        assert not torch.allclose(two.module()(photo), plain.module()(photo))
    state = two.module().state_dict()
    assert all(torch.equal(state[name], each) for name, each in made.state.items())


def test_the_command_makes_a_backbone_of_a_folder_of_photos(
    weights: Path, files: dict[str, bytes], tmp_path: Path
) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    for name, data in files.items():
        (photos / name).write_bytes(data)
    out = tmp_path / "kept" / "from-a-folder"
    done = subprocess.run(
        [
            *(sys.executable, "-m", "inference.selfsup", str(photos), str(out)),
            *("--backbone", NAME, "--epochs", "1", "--batch-size", "16", "--threads", "1"),
        ],
        env={
            "HILLTOP_WEIGHTS_DIR": str(weights),
            "OMP_NUM_THREADS": "1",
            "PATH": "",
            "PYTHONPATH": str(Path(__file__).resolve().parents[2]),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["photos"] == 48 and (out / "weights.safetensors").is_file()
    assert (out / "statistics.safetensors").is_file()
    assert not out.with_name(".from-a-folder.state").exists()
