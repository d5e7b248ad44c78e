"""The statistics as a layer: a network whose maps are standardised by what is usual in the pool, then pooled.

Of each channel of each stage the largest, the deviation and the smallest value over space remain: how far above and below
the usual the photo goes somewhere, and how uneven it is. Mirror images are looked at too if the statistics counted them
in; the most extreme view counts. One module, so that exporting, embedding and storing know nothing of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from inference.backbones import Backbone
from inference.backbones.views import FLIPS

if TYPE_CHECKING:
    import torch
    from torch import nn

    from inference.domain.statistics import DomainStatistics, Shape

#: Raised when what comes out changes.
VERSION = 1


class NoMaps(ValueError):
    """A backbone whose features are not made of stages' maps."""


def mirrored(flips: str) -> list[list[int]]:
    """Axes of (..., height, width) to mirror, the upright view first."""
    return [[], *(FLIPS[flips] if flips else [])]


def map_shapes(backbone: Backbone) -> tuple[Shape, ...]:
    """(channels, height, width) of each stage's map.

    Raises:
        NoMaps: the backbone's features are not ``stages`` or blocks alone, or it looks at several views.
    """
    import torch

    module = _with_maps(backbone, backbone.module())
    size = backbone.input_size
    with torch.no_grad():
        maps = module.maps(torch.zeros(1, 3, size, size))
    return tuple((int(each.shape[1]), int(each.shape[2]), int(each.shape[3])) for each in maps)


def _with_maps(backbone: Backbone, module: nn.Module) -> Any:
    if not hasattr(module, "maps") or backbone.preprocessing.tiles or backbone.flips:
        raise NoMaps(
            f"{backbone.name} has no maps by place. Use the feature stages or a transformer's blocks alone, without "
            f"tiles or flips; for instance efficientnet_lite0, torchvision:resnet50+stages or "
            f"timm:vit_small_patch14_dinov2@224+block7+block10."
        )
    return module


def maps_backbone(backbone: Backbone, axes: tuple[int, ...] = ()) -> Backbone:
    """A backbone whose vector is all stages' maps of a photo, mirrored along ``axes`` first, end to end."""
    import torch
    from torch import nn

    shapes = map_shapes(backbone)
    values = sum(channels * height * width for channels, height, width in shapes)

    def build(network: Any) -> nn.Module:
        class Maps(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.network = network

            def forward(self, photos: torch.Tensor) -> torch.Tensor:
                seen = photos.flip(list(axes)) if axes else photos
                return torch.cat([each.float().flatten(1) for each in self.network.maps(seen)], dim=1)

        return Maps()

    return backbone.derived(
        name=f"{backbone.name} maps", dim=values, features=f"maps {axes}; {VERSION}", build=build
    )


def domain_backbone(backbone: Backbone, statistics: DomainStatistics, *, name: str) -> Backbone:
    """``backbone`` with its maps standardised by ``statistics``; vectors of 3 numbers a channel of each stage.

    Raises:
        NoMaps: as ``map_shapes``.
        ValueError: the statistics are another backbone's.
    """
    if statistics.base_hash != backbone.content_hash:
        raise ValueError(f"These statistics were made with another backbone than this {backbone.name}.")
    _with_maps(backbone, backbone.module())
    return backbone.derived(
        name=name,
        dim=3 * sum(channels for channels, _height, _width in statistics.shapes),
        features=f"domain statistics {statistics.digest}; {VERSION}",
        build=lambda network: standardised(network, statistics),
    )


def standardised(network: Any, statistics: DomainStatistics) -> nn.Module:
    """The vectors of what ``network.maps`` gives of photos and of their mirror images, see ``mirrored``."""
    import torch
    from torch import nn

    views = mirrored(statistics.flips)
    modes = statistics.modes.count
    sizes = [channels * height * width for channels, height, width in statistics.shapes]

    class Standardised(nn.Module):
        mode_weight: torch.Tensor
        mode_bias: torch.Tensor

        def __init__(self) -> None:
            super().__init__()
            self.network = network
            self.register_buffer("mode_weight", torch.from_numpy(statistics.modes.weight.copy()))
            self.register_buffer("mode_bias", torch.from_numpy(statistics.modes.bias.copy()))
            parts = zip(
                torch.split(torch.from_numpy(statistics.mean.copy()), sizes, dim=1),
                torch.split(torch.from_numpy(statistics.scale.copy()), sizes, dim=1),
                statistics.shapes,
                strict=True,
            )
            for index, (mean, scale, shape) in enumerate(parts):
                # A product is cheaper than a quotient.
                self.register_buffer(f"mean{index}", mean.reshape(modes, *shape).clone())
                self.register_buffer(f"inverse{index}", (1.0 / scale).reshape(modes, *shape).clone())

        def forward(self, photos: torch.Tensor) -> torch.Tensor:
            high: list[torch.Tensor] = []
            uneven: list[torch.Tensor] = []
            low: list[torch.Tensor] = []
            mode: torch.Tensor | None = None
            for view, axes in enumerate(views):
                maps = [each.float() for each in self.network.maps(photos.flip(axes) if axes else photos)]
                if modes > 1 and mode is None:
                    # A mirrored product is the same product: the upright view tells.
                    pooled = torch.cat([each.mean(dim=(2, 3)) for each in maps], dim=1)
                    mode = (pooled @ self.mode_weight.t() + self.mode_bias).argmax(dim=1)
                for index, each in enumerate(maps):
                    mean, inverse = getattr(self, f"mean{index}"), getattr(self, f"inverse{index}")
                    if mode is not None:
                        mean, inverse = mean[mode], inverse[mode]
                    odd = (each - mean) * inverse
                    centred = odd - odd.mean(dim=(2, 3), keepdim=True)
                    found = (
                        odd.amax(dim=(2, 3)),
                        (centred * centred).mean(dim=(2, 3)).clamp_min(1e-12).sqrt(),
                        odd.amin(dim=(2, 3)),
                    )
                    if view == 0:
                        for kind, value in zip((high, uneven, low), found, strict=True):
                            kind.append(value)
                    else:
                        high[index] = torch.maximum(high[index], found[0])
                        uneven[index] = torch.maximum(uneven[index], found[1])
                        low[index] = torch.minimum(low[index], found[2])
            return torch.cat([*high, *uneven, *low], dim=1)

    return Standardised()
