"""From a photo's pixels to a network's input: which parts of the photo, at what size, how normalised.

Two halves, so that the second can run inside the network (exported, or on a GPU): ``pixels`` resizes and crops to uint8,
``normalised`` makes floats of them. Imports no torch.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from PIL import Image

from inference.photo import DEFAULT_LEVELS, Levels

Pixels = npt.NDArray[np.uint8]
#: Left, top, right, bottom in the photo's pixels, fractions allowed.
Box = tuple[float, float, float, float]

_FILTERS = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}
# Neighbouring tiles share at least a quarter of their width, so that a defect on a seam is whole in one of them.
_OVERLAP = 0.25


@dataclass(frozen=True)
class Preprocessing:
    """Shorter side to ``resize`` pixels (antialiased), centre crop of ``size``, then (x / 255 - mean) / std.

    Attributes:
        resize, size: pixels.
        mean, std: a channel, of values from 0 to 1.
        interpolation: the antialiasing filter.
        squash: the whole photo is squeezed into the square instead of cropped.
        levels: how more than 8 bits a channel became 8 when the photo was decoded.
        tiles: 0, or n: beside the crop, n x n overlapping squares that cover the whole photo, each at full ``size``.
    """

    resize: int
    size: int
    mean: tuple[float, float, float] = (0.485, 0.456, 0.406)
    std: tuple[float, float, float] = (0.229, 0.224, 0.225)
    interpolation: Literal["bilinear", "bicubic"] = "bilinear"
    squash: bool = False
    tiles: int = 0
    levels: Levels = DEFAULT_LEVELS

    @property
    def views(self) -> int:
        """Squares that the network sees of one photo."""
        return 1 + self.tiles * self.tiles

    @property
    def min_side(self) -> int:
        """A photo whose shorter side keeps this many pixels loses nothing that the network would see."""
        if not self.tiles:
            return self.resize
        return max(self.resize, math.ceil(self.size * (1 + (self.tiles - 1) * (1 - _OVERLAP))))

    def with_tiles(self, tiles: int) -> Preprocessing:
        return replace(self, tiles=tiles)

    def spec(self) -> dict[str, Any]:
        """For the content hash. Fields that came later and are at their defaults are left out: hashes stay."""
        later = {"interpolation", "squash", "tiles", "levels"}
        values = asdict(self)
        defaults = {field.name: field.default for field in fields(self)}
        return {name: value for name, value in values.items() if name not in later or value != defaults[name]}

    def boxes(self, height: int, width: int) -> list[Box]:
        """The parts of a photo of (height, width) that become views: the crop first, then tiles row by row.

        Tiles are squares, evenly spread from edge to edge, so large that neighbours along the longer side share a
        quarter (they share more along the shorter one). They cover the photo up to a ratio of sides of about ``tiles``.
        """
        short = min(height, width)
        if self.squash:
            boxes: list[Box] = [(0.0, 0.0, float(width), float(height))]
        else:
            # The part that the crop shows, in the photo's own pixels: one resize instead of resize and crop.
            side = short * self.size / self.resize
            left, top = (width - side) / 2, (height - side) / 2
            boxes = [(left, top, left + side, top + side)]
        if self.tiles:
            n = self.tiles
            side = min(float(short), max(height, width) / (1 + (n - 1) * (1 - _OVERLAP)))
            for top in _spread(height - side, n):
                for left in _spread(width - side, n):
                    boxes.append((left, top, left + side, top + side))
        return boxes

    def pixels(self, photo: Pixels) -> Pixels:
        """(H, W, C) uint8, C 1 (grey) or 3, to (views, size, size, C) uint8."""
        image = Image.fromarray(photo[:, :, 0] if photo.shape[2] == 1 else photo)
        height, width = photo.shape[:2]
        out = np.empty((self.views, self.size, self.size, photo.shape[2]), dtype=np.uint8)
        for view, box in zip(out, self.boxes(height, width), strict=True):
            resized = np.asarray(image.resize((self.size, self.size), _FILTERS[self.interpolation], box=box))
            view[:] = resized.reshape(view.shape)
        return out

    def crop(self, rgb: Pixels) -> Pixels:
        """(H, W, 3) uint8 of any size to (size, size, 3) uint8: the first view."""
        (square,) = self.with_tiles(0).pixels(rgb)
        return np.asarray(square, dtype=np.uint8)

    def normalised(self, pixels: Pixels) -> npt.NDArray[np.float32]:
        """(..., size, size, 3) uint8 to (..., 3, size, size) float32, contiguous."""
        scale, shift = self.scale_and_shift()
        return np.ascontiguousarray(np.moveaxis(pixels * scale - shift, -1, -3), dtype=np.float32)

    def scale_and_shift(self) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """(3,) and (3,) such that a normalised value is pixel * scale - shift."""
        std = np.asarray(self.std, dtype=np.float32)
        return 1.0 / (255.0 * std), np.asarray(self.mean, dtype=np.float32) / std

    def __call__(self, rgb: Pixels) -> npt.NDArray[np.float32]:
        """(H, W, 3) uint8 to (3, size, size) float32, or with tiles (views, 3, size, size)."""
        out = self.normalised(self.pixels(rgb))
        return out if self.tiles else out[0]


def _spread(room: float, count: int) -> list[float]:
    """``count`` positions from 0 to ``room``, evenly; all in the middle when there is only one."""
    if count == 1:
        return [room / 2]
    return [room * at / (count - 1) for at in range(count)]
