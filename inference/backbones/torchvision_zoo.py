"""Torchvision's classification networks, any of them, with weights from a file, a folder or torchvision's own download.

``last`` (the default) is what enters the classifier, pooled over space; ``stages`` are the maximum and standard deviation
over space at the end of each resolution from 1/8 of the photo on; ``cls`` and ``patches`` are a ViT's tokens.
Preprocessing is what torchvision's ``weights.transforms()`` says.

Knows how torchvision's networks are put together, and nothing of other families.
"""

from __future__ import annotations

import copy
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from inference.backbones.assembling import measured, sequence_stages, together
from inference.backbones.base import Backbone, Preprocessing, UnknownBackbone, WeightsError
from inference.backbones.names import Name
from inference.backbones.published import Published
from inference.backbones.weights import FOLDER_VARIABLE, find_weights, fit_state, read_state

if TYPE_CHECKING:
    import torch
    from torch import nn

# A classifier that takes the whole map, place by place (VGG, AlexNet), gets the map's mean instead.
_WIDEST = 4096
_LICENCE = (
    "torchvision states none of its own for these weights. Its code is under BSD-3-Clause; the photos that they were "
    "trained on, ImageNet's, may be used for research and teaching only"
)


def architectures() -> list[str]:
    """Names that torchvision lists under classification."""
    import torchvision

    return list(torchvision.models.list_models(module=torchvision.models))


def load(name: Name, weights: Path | None) -> Backbone:
    """``torchvision:<architecture>`` with a state dict for its 1,000-class form.

    Raises:
        UnknownBackbone: torchvision has no such network, or it has no such features.
        WeightsError: there are no weights, or they do not fit.
    """
    architecture = name.architecture
    choices = _choices(architecture)
    if name.size or name.blocks:
        raise UnknownBackbone(f"{name} asks for a size or for blocks, which timm's networks have.")
    features = name.features or ("last",)
    file = find_weights("torchvision", architecture, weights)
    chosen = choices.DEFAULT
    if file is None:
        file = published(name).get()
    else:
        # The file may be an older one of torchvision's; each was trained with a preprocessing of its own.
        chosen = next((each for each in choices if each.url.rpartition("/")[2] == file.name), chosen)
    preprocessing = _preprocessing(chosen)
    build = partial(_build, architecture, features, preprocessing.size)
    return Backbone(
        name=str(name),
        dim=measured(lambda: build(None), preprocessing.size),
        preprocessing=preprocessing,
        architecture=f"torchvision:{architecture}",
        features=" + ".join(f"{each}-1" for each in features),
        weights=file,
        build=build,
    )


def published(name: Name) -> Published:
    """Torchvision's own download of the weights that it calls the default.

    Raises:
        UnknownBackbone: torchvision has no such network.
    """
    chosen = _choices(name.architecture).DEFAULT
    return Published(
        address=chosen.url,
        licence=chosen.meta.get("license") or _LICENCE,
        family="torchvision",
        file=str(chosen.url).rpartition("/")[2],
        get=partial(_download, name.architecture, chosen),
    )


def _choices(architecture: str) -> Any:
    import torchvision

    if architecture not in architectures():
        raise UnknownBackbone(
            f"torchvision has no classification network {architecture!r}. It has: {', '.join(architectures())}."
        )
    return torchvision.models.get_model_weights(architecture)


def _preprocessing(weights: Any) -> Preprocessing:
    """As torchvision's ``ImageClassification`` transform of these weights."""
    transform = weights.transforms()
    interpolation = transform.interpolation.value
    return Preprocessing(
        resize=transform.resize_size[0],
        size=transform.crop_size[0],
        mean=cast(tuple[float, float, float], tuple(transform.mean)),
        std=cast(tuple[float, float, float], tuple(transform.std)),
        interpolation="bicubic" if interpolation == "bicubic" else "bilinear",
    )


def _download(architecture: str, weights: Any) -> Path:
    """The weights' file in torch's cache, fetched unless it is there; its hash is checked against its name."""
    import torch

    file = Path(torch.hub.get_dir()) / "checkpoints" / str(weights.url).rpartition("/")[2]
    if file.is_file():
        return file
    file.parent.mkdir(parents=True, exist_ok=True)
    prefix = file.stem.rpartition("-")[2]
    try:
        torch.hub.download_url_to_file(weights.url, str(file), hash_prefix=prefix, progress=False)
    except (OSError, RuntimeError) as error:
        raise WeightsError(
            f"The weights of torchvision:{architecture} could not be fetched ({error}). Fetch {weights.url} on a "
            f"machine with network, and put the file into the folder torchvision/ in the folder that "
            f"{FOLDER_VARIABLE} names."
        ) from error
    return file


def _build(architecture: str, features: tuple[str, ...], size: int, weights: Path | None) -> nn.Module:
    """``weights`` None: as it is initialised, to measure it."""
    import torchvision

    options: dict[str, Any] = {}
    if architecture.startswith("vit_"):
        options["image_size"] = size
    if architecture in ("googlenet", "inception_v3"):
        options["init_weights"] = False
    network: nn.Module = torchvision.models.get_model(architecture, weights=None, **options)
    if weights is not None:
        fit_state(network, read_state(weights), weights.name)
    network.eval()
    return together([_feature(architecture, network, feature) for feature in features])


def _feature(architecture: str, network: nn.Module, feature: str) -> nn.Module:
    if feature == "stages":
        return sequence_stages(
            _sequence(architecture, network), channels_last=architecture.startswith("swin")
        )
    if feature in ("cls", "patches"):
        return _tokens(architecture, network, feature)
    return _without_classifier(network)


def _without_classifier(network: nn.Module) -> nn.Module:
    """The network up to the pooled input of its classifier's first linear layer. Changes a shallow copy only."""
    from torch import nn

    cut = copy.copy(network)
    cut._modules = dict(network._modules)
    attribute, head = list(network.named_children())[-1]
    layers = list(head.children()) if isinstance(head, nn.Sequential) else [head]
    kept: list[nn.Module] = []
    for layer in layers:
        if isinstance(layer, nn.Linear) and layer.in_features > _WIDEST:
            cut._modules["avgpool"] = nn.AdaptiveAvgPool2d(1)
            kept = []
        if isinstance(layer, nn.Linear | nn.Conv2d):
            break
        kept.append(layer)
    if any(isinstance(layer, nn.Conv2d) for layer in layers):  # SqueezeNet classifies place by place
        kept = [nn.AdaptiveAvgPool2d(1)]
    cut._modules[attribute] = nn.Sequential(*kept, nn.Flatten(1))
    return cut


def _sequence(architecture: str, network: Any) -> list[nn.Module]:
    """The modules that a photo passes one after the other, up to the last map."""
    from torch import nn

    if architecture.startswith(("resnet", "resnext", "wide_resnet")):
        stem = nn.Sequential(network.conv1, network.bn1, network.relu, network.maxpool)
        return [stem, network.layer1, network.layer2, network.layer3, network.layer4]
    if architecture.startswith("regnet"):
        return [network.stem, *network.trunk_output.children()]
    if architecture.startswith("shufflenet"):
        stem = nn.Sequential(network.conv1, network.maxpool)
        return [stem, network.stage2, network.stage3, network.stage4, network.conv5]
    if architecture.startswith("mnasnet"):
        return list(network.layers.children())
    if architecture.startswith("maxvit"):
        return [network.stem, *network.blocks.children()]
    if isinstance(getattr(network, "features", None), nn.Sequential):
        return list(network.features.children())
    raise UnknownBackbone(f"torchvision:{architecture} has no stages here. Choose another of its features.")


def _tokens(architecture: str, network: Any, feature: str) -> nn.Module:
    if not architecture.startswith("vit_"):
        raise UnknownBackbone(
            f"torchvision:{architecture} has no tokens: choose among the features last, stages."
        )

    import torch
    from torch import nn

    class Tokens(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self, photos: torch.Tensor) -> torch.Tensor:
            x = self.network._process_input(photos)
            x = torch.cat([self.network.class_token.expand(x.shape[0], -1, -1), x], dim=1)
            tokens: torch.Tensor = self.network.encoder(x).float()
            return tokens[:, 0] if feature == "cls" else tokens[:, 1:].mean(dim=1)

    return Tokens()
