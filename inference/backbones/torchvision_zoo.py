"""Torchvision classification networks, last pooled layer, weights from a file (nothing is downloaded here).

Knows nothing but how to take each architecture's classifier off.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from inference.backbones.base import Backbone, Preprocessing, WeightsError, fit_state, read_state

if TYPE_CHECKING:
    import torch

# Architecture -> (attribute that holds the classifier, index of the layer to cut at or None for all of it, features).
_CUTS: dict[str, tuple[str, int | None, int]] = {
    "resnet18": ("fc", None, 512),
    "resnet50": ("fc", None, 2048),
    "mobilenet_v3_small": ("classifier", 0, 576),
    "convnext_tiny": ("classifier", 2, 768),
}


def load(name: str, weights: Path | None) -> Backbone:
    """``torchvision:<architecture>`` with a state dict for its 1,000-class form.

    Raises:
        WeightsError: ``weights`` is None or does not fit.
    """
    architecture = name.partition(":")[2]
    if weights is None:
        raise WeightsError(
            f"{name} needs a weights file (a state dict saved by torchvision, or safetensors)."
        )

    def build(path: Path) -> torch.nn.Module:
        import torchvision
        from torch import nn

        attribute, at, _ = _CUTS[architecture]
        network: nn.Module = torchvision.models.get_model(architecture, weights=None)
        fit_state(network, read_state(path), path.name)
        if at is None:
            setattr(network, attribute, nn.Identity())
        else:
            classifier = getattr(network, attribute)
            setattr(network, attribute, nn.Sequential(*list(classifier)[:at], nn.Flatten(1)))
        return network

    return Backbone(
        name=name,
        dim=_CUTS[architecture][2],
        preprocessing=Preprocessing(resize=256, size=224),
        architecture=name,
        features="pooled-1",
        weights=weights,
        build=build,
    )
