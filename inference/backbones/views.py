"""Several views of one photo made into one vector.

Tiles: the network sees the whole photo small and its parts large; the largest value of each feature over the parts
is put behind the whole's vector. A defect that covers a few pixels of the whole fills a good part of one tile, and the
maximum keeps it however many tiles show nothing.

Flips: a photo and its mirror images say the same, so their vectors are averaged: ``flip`` left and right, ``flips`` also
upside down (for photos without an up, such as cells).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

#: Name -> axes mirrored, of (..., height, width).
FLIPS: dict[str, list[list[int]]] = {"flip": [[-1]], "flips": [[-1], [-2], [-1, -2]]}


def with_views(network: torch.nn.Module, views: int, flips: str) -> torch.nn.Module:
    """``network`` as it is, or wrapped: (B, views, 3, S, S), (B, 3, S, S) for one view, to (B, dim)."""
    if views == 1 and not flips:
        return network

    import torch
    from torch import nn

    class Views(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self, photos: torch.Tensor) -> torch.Tensor:
            flat = photos.flatten(0, 1) if views > 1 else photos
            vectors: torch.Tensor = self.network(flat)
            for axes in FLIPS[flips] if flips else []:
                vectors = vectors + self.network(flat.flip(axes))
            if flips:
                vectors = vectors / (1 + len(FLIPS[flips]))
            if views == 1:
                return vectors
            vectors = vectors.reshape(-1, views, vectors.shape[1])
            whole, parts = vectors[:, 0], vectors[:, 1:]
            return torch.cat([whole, parts.amax(dim=1)], dim=1)

    return Views()
