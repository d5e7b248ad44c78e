"""Random changes that leave what an inspection photo shows as it is.

The camera stands a little elsewhere (scale, shift), the light is a little different (gain, offset), the sensor is noisy;
and the photo is mirrored where a mirror image says the same. No colours are turned and nothing is cut away: a hue or a
corner may be the defect.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Augmentation:
    """How far to go; 0 or "" leaves a part out.

    Attributes:
        scale: the side seen, of the photo's: drawn from 1 - scale to 1 + scale.
        shift: of the side, either way.
        gain: contrast is drawn from 1 - gain to 1 + gain, about the photo's own mean.
        offset: brightness, in deviations of the normalisation, either way.
        noise: deviation of the pixel noise, in the same unit.
        flips: "", "flip" or "flips", as ``inference.backbones.views`` has them.
    """

    scale: float = 0.1
    shift: float = 0.05
    gain: float = 0.2
    offset: float = 0.2
    noise: float = 0.05
    flips: str = ""

    def __call__(self, photos: torch.Tensor, seed: int) -> torch.Tensor:
        """(B, 3, S, S) normalised to the same shape. The same seed draws the same changes on every device."""
        import torch
        from torch.nn import functional

        count, device = len(photos), photos.device
        generator = torch.Generator().manual_seed(seed)

        def drawn(reach: float, *shape: int) -> torch.Tensor:
            return ((2 * torch.rand(count, *shape, generator=generator) - 1) * reach).to(device)

        def sign(mirrored: bool) -> torch.Tensor:
            draw = torch.rand(count, generator=generator) < 0.5
            return torch.where(draw, -1.0, 1.0).to(device) if mirrored else torch.ones(count, device=device)

        side = 1 + drawn(self.scale)
        place = torch.zeros(count, 2, 3, device=device)
        place[:, 0, 0] = side * sign(self.flips != "")
        place[:, 1, 1] = side * sign(self.flips == "flips")
        # In the units of the sampling grid the whole side is 2 long.
        place[:, :, 2] = 2 * drawn(self.shift, 2)
        grid = functional.affine_grid(place, list(photos.shape), align_corners=False)
        seen = functional.grid_sample(
            photos, grid.to(photos.dtype), padding_mode="reflection", align_corners=False
        )
        mean = seen.mean(dim=(1, 2, 3), keepdim=True)
        seen = (seen - mean) * (1 + drawn(self.gain, 1, 1, 1)) + mean + drawn(self.offset, 1, 1, 1)
        if self.noise:
            # One pattern for the batch, shifted for each photo: drawing every pixel's noise would take longer than the rest.
            pattern = torch.randn(1, *photos.shape[1:], generator=generator).to(device)
            steps = torch.randint(photos.shape[2], (count,), generator=generator).tolist()
            seen = seen + self.noise * torch.cat([pattern.roll(step, dims=(2,)) for step in steps])
        return seen
