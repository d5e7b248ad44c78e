"""Made-up photos of solar cells, for pictures that may be published: no photo of anybody is in them."""

from __future__ import annotations

import io
import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFilter

SIDE = 300
BUSBARS = (75, 150, 225)


@dataclass(frozen=True, slots=True)
class MadeCell:
    """A PNG. ``damage`` is 0 (none) to 1 (plain to see); at about 0.3 people may well disagree."""

    name: str
    data: bytes
    damage: float

    @property
    def is_defective(self) -> bool:
        return self.damage >= 0.3

    @property
    def key(self) -> str:
        """Of the class that it belongs to."""
        return "defective" if self.is_defective else "functional"


def make_cells(count: int, *, seed: int = 5) -> list[MadeCell]:
    """So many different cells, half of them without damage. The same seed gives the same cells."""
    rng = np.random.default_rng(seed)
    cells = []
    for number in range(1, count + 1):
        damage = 0.0 if rng.random() < 0.5 else float(rng.choice([0.2, 0.35, 0.6, 0.8, 1.0]))
        buffer = io.BytesIO()
        _draw(rng, damage).save(buffer, "PNG")
        cells.append(MadeCell(f"module-{number:03}.png", buffer.getvalue(), damage))
    return cells


def _draw(rng: np.random.Generator, damage: float) -> Image.Image:
    base = 170 + 25 * rng.standard_normal() / 2
    light = _clouds(rng) * rng.uniform(10, 22) + base
    light += np.linspace(-1, 1, SIDE)[None, :] * rng.uniform(-14, 14)
    light[::6, :] -= 5  # fingers
    shade = Image.new("L", (SIDE, SIDE), 255)
    draw = ImageDraw.Draw(shade)
    for x in BUSBARS:
        draw.rectangle((x - 2, 0, x + 2, SIDE), fill=70)
    if damage >= 0.6:
        _dead_area(rng, draw, damage)
    if damage > 0:
        _crack(rng, draw, damage)
    shade = shade.filter(ImageFilter.GaussianBlur(0.7))
    light *= np.asarray(shade, dtype=np.float64) / 255
    light += rng.normal(0, 2.0, light.shape)
    edge = 6
    light[:edge, :] = light[-edge:, :] = light[:, :edge] = light[:, -edge:] = 24
    return Image.fromarray(np.clip(light, 0, 255).astype(np.uint8))


def _clouds(rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """The crystals' grain: soft patches of about -1 to 1."""
    coarse = Image.fromarray(rng.integers(0, 255, (9, 9), dtype=np.uint8)).resize(
        (SIDE, SIDE), Image.Resampling.BICUBIC
    )
    return np.asarray(coarse, dtype=np.float64) / 127.5 - 1


def _crack(rng: np.random.Generator, draw: ImageDraw.ImageDraw, damage: float) -> None:
    x, y = rng.uniform(40, SIDE - 40, 2)
    heading = rng.uniform(0, 2 * math.pi)
    dark = int(200 - 170 * damage)
    width = 1 if damage < 0.5 else 2
    for _branch in range(1 + int(3 * damage)):
        at, towards = (x, y), heading + rng.uniform(-1.2, 1.2)
        for _step in range(int(6 + 16 * damage)):
            towards += rng.uniform(-0.5, 0.5)
            end = (at[0] + 9 * math.cos(towards), at[1] + 9 * math.sin(towards))
            draw.line((*at, *end), fill=dark, width=width)
            at = end


def _dead_area(rng: np.random.Generator, draw: ImageDraw.ImageDraw, damage: float) -> None:
    left = int(rng.choice([0, *BUSBARS]))
    top = int(rng.uniform(0, SIDE * 0.7))
    height = int(SIDE * rng.uniform(0.15, 0.15 + 0.3 * damage))
    corners = [
        (left + 3, top),
        (left + 72, top + rng.uniform(-25, 25)),
        (left + 72, top + height),
        (left + 3, top + height),
    ]
    draw.polygon(corners, fill=int(150 - 110 * damage))
