"""A heat map peaks on what made the photo what it is, and nearest photos are of its kind."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageDraw, ImageFilter

from inference import backbones, explain
from inference.backbones import efficientnet_lite
from inference.embed import cpu_forward
from inference.heads import LogisticHead

SIDE = 240
Pixels = npt.NDArray[np.uint8]
Box = tuple[int, int, int, int]


def cell(seed: int, defective: bool) -> tuple[Pixels, Box]:
    """A made-up cell with harmless round specks; a defective one has a star of cracks in the box."""
    rng = np.random.default_rng(seed)
    clouds = np.asarray(
        Image.fromarray(rng.integers(0, 255, (9, 9), dtype=np.uint8)).resize(
            (SIDE, SIDE), Image.Resampling.BICUBIC
        )
    )
    light = (clouds / 127.5 - 1) * rng.uniform(10, 22) + 170
    light[::6, :] -= 5
    shade = Image.new("L", (SIDE, SIDE), 255)
    draw = ImageDraw.Draw(shade)
    for x in (60, 120, 180):
        draw.rectangle((x - 2, 0, x + 2, SIDE), fill=70)
    for _ in range(3):
        x, y = rng.integers(25, SIDE - 25, 2)
        draw.ellipse((x - 4, y - 4, x + 4, y + 4), fill=150)
    x, y = (int(each) for each in rng.integers(40, SIDE - 40, 2))
    radius = int(rng.integers(13, 19))
    if defective:
        for _ in range(3):
            angle = rng.uniform(0, np.pi)
            dx, dy = radius * np.cos(angle), radius * np.sin(angle)
            draw.line((x - dx, y - dy, x + dx, y + dy), fill=40, width=3)
    light *= np.asarray(shade.filter(ImageFilter.GaussianBlur(0.7)), dtype=np.float64) / 255
    light += rng.normal(0, 2, light.shape)
    return np.clip(light, 0, 255).astype(np.uint8)[:, :, None], (
        x - radius,
        y - radius,
        x + radius,
        y + radius,
    )


@pytest.fixture(scope="module")
def scored() -> tuple[Callable[[Sequence[Pixels]], npt.NDArray[np.floating[Any]]], LogisticHead]:
    """Probability of a defect, by the packaged network on squares of 128 pixels, and a head on 80 cells."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(backbones, "_loaded", {})
        small = replace(efficientnet_lite._VARIANTS["efficientnet_lite0"], size=128)
        patch.setitem(efficientnet_lite._VARIANTS, "efficientnet_lite0", small)
        backbone = backbones.load("efficientnet_lite0")
    forward = cpu_forward(backbone, None)

    def rows(photos: Sequence[Pixels]) -> npt.NDArray[np.float32]:
        return forward(np.concatenate([backbone.preprocessing.pixels(each) for each in photos]))

    photos = [cell(seed, seed % 2 == 1)[0] for seed in range(80)]
    head = LogisticHead(seed=0).fit(rows(photos), np.arange(80) % 2)
    return lambda given: head.predict_proba(rows(given))[:, 1], head


def test_the_heat_map_peaks_on_the_planted_defect(scored: Any) -> None:
    probability, _head = scored
    found = 0
    for seed in range(201, 207, 2):
        photo, (left, top, right, bottom) = cell(seed, True)
        heat = explain.occlusion(photo, probability)
        assert heat.map.shape == photo.shape[:2]
        x, y = heat.peak[0] * SIDE, heat.peak[1] * SIDE
        assert heat.lowest < heat.before
        found += left - 10 <= x <= right + 10 and top - 10 <= y <= bottom + 10
    # The box and its margin are about a twentieth of the photo: by chance all three would be found once in eight thousand.
    assert found == 3


def test_what_hiding_does_not_touch_does_not_matter() -> None:
    """A score that looks at one corner only: all heat is there, and hiding elsewhere changes nothing."""
    photo = np.full((120, 200, 3), 100, dtype=np.uint8)
    photo[10:30, 160:180] = 250

    def bright(photos: Sequence[Pixels]) -> npt.NDArray[np.float64]:
        return np.array([min(0.99, 0.2 + each[10:30, 160:180].mean() / 400) for each in photos])

    heat = explain.occlusion(photo, bright)
    assert 155 <= heat.peak[0] * 200 <= 185 and 5 <= heat.peak[1] * 120 <= 35
    assert np.abs(heat.map[60:, :100]).max() < 1e-9
    assert heat.before > heat.lowest


def test_the_overlay_is_clear_where_nothing_mattered_and_strongest_at_the_peak() -> None:
    heat = explain.Heat(np.zeros((40, 60)), 0.9, 0.2, (0.5, 0.5))
    heat.map[10:14, 30:34] = 2.0
    heat.map[30:, :] = -3.0
    image = Image.open(io.BytesIO(explain.overlay(heat)))
    assert (image.mode, image.size) == ("RGBA", (60, 40))
    alpha = np.asarray(image)[:, :, 3]
    assert alpha[12, 32] == round(255 * 0.75)
    assert alpha[30:, :].max() == 0 and alpha[0, 0] == 0
    nothing = explain.Heat(np.full((8, 8), -1.0), 0.9, 0.9, (0.5, 0.5))
    assert np.asarray(Image.open(io.BytesIO(explain.overlay(nothing))))[:, :, 3].max() == 0


def test_large_photos_are_hidden_in_reduced_and_the_overlay_stays_small() -> None:
    photo = np.random.default_rng(0).integers(0, 255, (900, 1400, 1), dtype=np.uint8)
    shapes: set[tuple[int, ...]] = set()

    def any_score(photos: Sequence[Pixels]) -> npt.NDArray[np.float64]:
        shapes.update(each.shape for each in photos)
        return np.full(len(photos), 0.5)

    seen: list[tuple[int, int]] = []
    heat = explain.occlusion(
        photo, any_score, grid=4, on_progress=lambda done, total: seen.append((done, total))
    )
    assert shapes == {(309, 480, 1)}
    assert seen[-1] == (24, 24)
    assert len(explain.overlay(heat)) < 20_000


def test_the_nearest_rows_are_of_the_same_kind_whatever_one_loud_channel_says() -> None:
    rng = np.random.default_rng(4)
    kinds = np.arange(60) % 2
    rows = rng.normal(size=(61, 40)).astype(np.float32)
    rows[:60, :8] += 2.5 * kinds[:, None]
    rows[60, :8] += 2.5
    rows[:, 39] *= 500.0
    order, similarity = explain.nearest(rows[60], rows[:60])
    assert sorted(order.tolist()) == list(range(60))
    assert (kinds[order[:8]] == 1).mean() >= 0.75
    assert (np.diff(similarity) <= 0).all() and similarity[0] <= 1


def test_a_row_is_nearest_to_itself_and_shapes_must_fit() -> None:
    rows = np.random.default_rng(1).normal(size=(5, 7))
    order, similarity = explain.nearest(rows[3], rows)
    assert order[0] == 3 and similarity[0] == pytest.approx(1.0)
    with pytest.raises(ValueError):
        explain.nearest(rows[3][:6], rows)
    with pytest.raises(ValueError):
        explain.nearest(rows[3], rows[:0])
    with pytest.raises(ValueError):
        explain.occlusion(np.zeros((4, 4, 1), dtype=np.uint8), lambda photos: np.ones(len(photos)), grid=0)
