"""Parts that families share when they put a feature extractor together: stages of a sequence, several features, its dim."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from inference.backbones.pooling import max_and_std

if TYPE_CHECKING:
    import torch
    from torch import nn

# Stages begin where a map is this much smaller than the photo (7: sides that do not divide by 8 round down).
_COARSEST_FIRST = 7


def measured(build: Callable[[], nn.Module], size: int) -> int:
    """Length of the vector that a network makes of a (size, size) photo.

    Run without data (torch's meta device), so that it costs neither memory nor arithmetic; networks that cannot be
    are run on one empty photo.
    """
    import torch

    with torch.no_grad():
        try:
            with torch.device("meta"):
                return int(build().eval()(torch.empty(2, 3, size, size)).shape[1])
        except (NotImplementedError, RuntimeError):
            return int(build().eval()(torch.zeros(2, 3, size, size)).shape[1])


def together(parts: Sequence[nn.Module]) -> nn.Module:
    """Several features of one photo in one vector.

    Each part runs the shared layers by itself; ONNX Runtime and torch.compile see that they are the same and run them once.
    """
    import torch
    from torch import nn

    if len(parts) == 1:
        return parts[0]

    class Together(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.parts = nn.ModuleList(parts)

        def forward(self, photos: torch.Tensor) -> torch.Tensor:
            return torch.cat([part(photos).float() for part in self.parts], dim=1)

    return Together()


def sequence_stages(sequence: Sequence[nn.Module], *, channels_last: bool = False) -> nn.Module:
    """Maximum and standard deviation over space of the last map at each resolution from 1/8 of the photo on.

    ``channels_last``: the modules hand on (B, H, W, C), as Swin's do.
    """
    import torch
    from torch import nn

    class Stages(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.sequence = nn.ModuleList(sequence)

        def maps(self, photos: torch.Tensor) -> list[torch.Tensor]:
            """The last map of each resolution, (B, C, H, W) each."""
            x = photos
            maps: list[torch.Tensor] = []
            for module in self.sequence:
                x = module(x)
                seen = x.permute(0, 3, 1, 2) if channels_last else x
                if maps and maps[-1].shape[2] == seen.shape[2]:
                    maps.pop()
                if photos.shape[2] // seen.shape[2] >= _COARSEST_FIRST:
                    maps.append(seen)
            return maps

        def forward(self, photos: torch.Tensor) -> torch.Tensor:
            return torch.cat([part for each in self.maps(photos) for part in max_and_std(each)], dim=1)

    return Stages()
