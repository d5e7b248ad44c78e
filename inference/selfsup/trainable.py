"""Which part of a network is trained, and how that part is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from torch import nn


def trailing_parameters(network: nn.Module, share: float) -> dict[str, torch.Tensor]:
    """Name -> parameter of the last tensors that together hold at most ``share`` of all weights; at least one.

    Early layers see edges and textures, which are the same everywhere, and few photos would only spoil them. They need no
    gradient then, which also saves half of the time and memory.
    """
    if not 0 < share <= 1:
        raise ValueError(f"share must lie in (0, 1]; got {share}.")
    everything = dict(network.named_parameters())
    room = share * sum(parameter.numel() for parameter in everything.values())
    kept: dict[str, torch.Tensor] = {}
    for name, parameter in reversed(everything.items()):
        room -= parameter.numel()
        if room < 0 and kept:
            break
        kept[name] = parameter
    return dict(reversed(kept.items()))


def train_only(network: nn.Module, names: set[str]) -> None:
    """Gradients for the parameters ``names`` and no others; statistics of normalisation stay as they are."""
    network.eval()
    for name, parameter in network.named_parameters():
        parameter.requires_grad_(name in names)


def plain_state(network: nn.Module) -> dict[str, torch.Tensor]:
    """All tensors of a network on the CPU, as safetensors takes them."""
    return {name: each.detach().cpu().contiguous().clone() for name, each in network.state_dict().items()}
