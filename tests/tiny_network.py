"""A network that costs next to nothing, for tests whose subject is not how well a network sees.

A family of backbones like any other, ``tiny:net``: three convolutions with fixed random weights, on 64 x 64 pixels. It tells
stripes from discs. What holds of the packaged networks alone is asked of those. ``python -m tests.tiny_network`` is a
worker that knows it.
"""

from __future__ import annotations

import sys
from itertools import pairwise
from pathlib import Path

import torch
from torch import nn

from inference import backbones
from inference.backbones import Backbone, UnknownBackbone
from inference.backbones.names import Name
from inference.backbones.pooling import max_and_std
from inference.backbones.preprocessing import Preprocessing
from inference.backbones.weights import fit_state, read_state

SIDE = 64
CHANNELS = (3, 16, 24, 32)


def architectures() -> list[str]:
    return ["net"]


def load(name: Name, weights: Path | None) -> Backbone:
    if name.architecture not in architectures() or set(name.features) - {"stages"}:
        raise UnknownBackbone(f"{name} is none of the tests' networks.")
    return Backbone(
        name=str(name),
        dim=2 * sum(CHANNELS[1:]),
        preprocessing=Preprocessing(resize=SIDE, size=SIDE),
        architecture="tiny",
        features="stages",
        weights=weights or Path(__file__),  # what this file makes is settled by what it says
        build=_build,
    )


def _build(weights: Path) -> nn.Module:
    network = Tiny()
    if weights != Path(__file__):
        fit_state(network, read_state(weights), weights.name)
    return network.eval()


class Tiny(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        dice = torch.Generator().manual_seed(0)
        self.layers = nn.ModuleList()
        for taken, given in pairwise(CHANNELS):
            layer = nn.Conv2d(taken, given, 5, stride=2, padding=2)
            with torch.no_grad():
                weight = torch.randn(layer.weight.shape, generator=dice)
                layer.weight.copy_(weight / (25 * taken / 2) ** 0.5)
                layer.bias.zero_()
            self.layers.append(layer)

    def maps(self, photos: torch.Tensor) -> list[torch.Tensor]:
        found = [photos]
        for layer in self.layers:
            found.append(layer(found[-1]).relu())
        return found[1:]

    def forward(self, photos: torch.Tensor) -> torch.Tensor:
        return torch.cat([part for each in self.maps(photos) for part in max_and_std(each)], dim=1)


def known() -> None:
    """Whoever calls it knows this family."""
    backbones.FAMILIES["tiny"] = "tests.tiny_network"


if __name__ == "__main__":
    from manage import main

    known()
    sys.argv[1:1] = ["worker"]
    main()
