"""A defect of a few pixels: what tiles are for. The photos are drawn here; docs/log.md has the figures of a longer run."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from inference import backbones
from inference.backbones import efficientnet_lite
from inference.embed import Embedder

SIDE = 600
SPECK = 28
#: The networks look at squares of half the usual side, and the specks are twice as large.
LOOKS_AT = 112


def speck_photo(seed: int, *, defective: bool) -> bytes:
    """A PNG of 600 x 600: a made-up cell with one to three round specks, and a crossed one of their size if defective."""
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(0, 255, (9, 9), dtype=np.uint8))
    clouds = np.asarray(coarse.resize((SIDE, SIDE), Image.Resampling.BICUBIC), dtype=np.float64) / 127.5 - 1
    light = 170 + 12 * rng.standard_normal() + clouds * rng.uniform(10, 22)
    light[::12] -= 5
    shade = Image.new("L", (SIDE, SIDE), 255)
    draw = ImageDraw.Draw(shade)
    for x in (150, 300, 450):
        draw.rectangle((x - 3, 0, x + 3, SIDE), fill=70)
    half = SPECK / 2
    for _ in range(int(rng.integers(1, 4))):
        x, y = rng.uniform(30, SIDE - 30, 2)
        draw.ellipse((x - half, y - half, x + half, y + half), fill=110)
    if defective:
        x, y = rng.uniform(30, SIDE - 30, 2)
        for angle in rng.uniform(0, np.pi) + np.array([0, np.pi / 2]):
            dx, dy = 1.3 * half * np.cos(angle), 1.3 * half * np.sin(angle)
            draw.line((x - dx, y - dy, x + dx, y + dy), fill=100, width=2)
    light *= np.asarray(shade.filter(ImageFilter.GaussianBlur(0.7)), dtype=np.float64) / 255
    light += rng.normal(0, 2.5, light.shape)
    file = io.BytesIO()
    Image.fromarray(np.clip(light, 0, 255).astype(np.uint8)).save(file, "PNG", compress_level=1)
    return file.getvalue()


def test_tiles_tell_a_defect_of_a_few_pixels_that_the_whole_photo_hides(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backbones, "_loaded", {})
    small = replace(efficientnet_lite._VARIANTS["efficientnet_lite0"], size=LOOKS_AT)
    monkeypatch.setitem(efficientnet_lite._VARIANTS, "efficientnet_lite0", small)
    files = [(str(seed), speck_photo(seed, defective=seed % 2 == 1)) for seed in range(84)]
    y = np.arange(84) % 2
    accuracy = {}
    for name in ("efficientnet_lite0", "efficientnet_lite0+tiles2"):
        embedder = Embedder(backbones.load(name), "cpu", threads=1, cache_dir=tmp_path)
        X = np.concatenate([batch.vectors for batch in embedder.embed(files)])
        model = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=1000))
        accuracy[name] = cross_val_score(model, X, y, cv=5).mean()
    assert accuracy["efficientnet_lite0+tiles2"] > accuracy["efficientnet_lite0"] + 0.05
