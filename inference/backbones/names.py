"""A backbone's name, taken apart: ``[family:]architecture[@SIZE][+features ...][+tilesN][+flip|+flips][+levels-HOW]``.

For instance ``efficientnet_lite0``, ``torchvision:resnet50+stages``, ``timm:vit_small_patch14_dinov2+cls+patches+tiles2``,
``timm:vit_small_patch14_dinov2@224+block7+block10``.

Imports no torch.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from inference.backbones.base import UnknownBackbone
from inference.photo import DEFAULT_LEVELS, LEVELS, Levels

#: Feature sets, in the order in which their vectors are put together.
FEATURES = {
    "stages": "maximum and standard deviation over space of several stages",
    "last": "the last layer before the classifier, pooled",
    "cls": "the class token of a transformer",
    "patches": "the mean of a transformer's patch tokens",
}
#: Any block of a transformer, counted from 1: its patch grid, maximum and standard deviation over space.
BLOCK = re.compile(r"block([1-9]\d?)")
#: Sides of the square that a network may be shown, pixels.
SIZES = range(32, 1025)
FLIPS = ("flip", "flips")
#: How photos of more than 8 bits are shown to it, see ``inference.photo``.
_LEVELS = {f"levels-{each}": each for each in LEVELS}
_TILES = re.compile(r"tiles([2-4])")


@dataclass(frozen=True)
class Name:
    """``family`` is one of ``inference.backbones.FAMILIES``; no ``features`` means the family's own choice.

    ``size``: the side of the square that the network is shown, pixels; 0 for its own.
    """

    family: str
    architecture: str
    features: tuple[str, ...] = ()
    tiles: int = 0
    flips: str = ""
    levels: Levels = DEFAULT_LEVELS
    size: int = 0

    @property
    def blocks(self) -> tuple[int, ...]:
        """Blocks asked for among the features, counted from 1, ascending."""
        return tuple(int(match[1]) for each in self.features if (match := BLOCK.fullmatch(each)))

    def __str__(self) -> str:
        start = (
            self.architecture if self.family == "efficientnet_lite" else f"{self.family}:{self.architecture}"
        )
        start += f"@{self.size}" if self.size else ""
        views = [f"tiles{self.tiles}"] if self.tiles else []
        views += [self.flips] if self.flips else []
        views += [f"levels-{self.levels}"] if self.levels != DEFAULT_LEVELS else []
        return "+".join([start, *self.features, *views])


def parse(name: str) -> Name:
    """``name`` taken apart, its parts in one order.

    Raises:
        UnknownBackbone: no such family, size or suffix. Whether the architecture exists is for the family to say.
    """
    start, *suffixes = name.split("+")
    family, colon, architecture = start.partition(":")
    if not colon:
        family, architecture = "efficientnet_lite", start
    architecture, at, told = architecture.partition("@")
    size = int(told) if told.isascii() and told.isdecimal() else 0
    if at and size not in SIZES:
        raise UnknownBackbone(
            f"{name!r} asks for the size {told!r}. A size is a number of pixels from {SIZES[0]} to {SIZES[-1]}."
        )
    features, tiles, flips = set(), 0, ""
    levels = DEFAULT_LEVELS
    for suffix in suffixes:
        if suffix in FEATURES or BLOCK.fullmatch(suffix):
            features.add(suffix)
        elif match := _TILES.fullmatch(suffix):
            tiles = int(match[1])
        elif suffix in FLIPS:
            flips = suffix
        elif suffix in _LEVELS:
            levels = _LEVELS[suffix]
        else:
            known = ", ".join([*FEATURES, "block1 and so on", "tiles2", "tiles3", "tiles4", *FLIPS, *_LEVELS])
            raise UnknownBackbone(f"{name!r} asks for {suffix!r}, which there is not. Known: {known}.")
    blocks = sorted(features - set(FEATURES), key=lambda each: int(each.removeprefix("block")))
    chosen = (*(each for each in FEATURES if each in features), *blocks)
    return Name(family, architecture, chosen, tiles, flips, levels, size)
