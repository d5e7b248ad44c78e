"""Feature maps made into vectors."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def max_and_std(x: torch.Tensor) -> list[torch.Tensor]:
    """(B, C, H, W) to the maximum and the standard deviation over space, each (B, C) float32.

    Second moments in float32 also under bf16 autocast, where they would lose most digits.
    """
    wide = x.float()
    centred = wide - wide.mean(dim=(2, 3), keepdim=True)
    return [wide.amax(dim=(2, 3)), (centred * centred).mean(dim=(2, 3)).clamp_min(1e-12).sqrt()]
