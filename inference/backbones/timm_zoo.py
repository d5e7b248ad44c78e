"""timm's networks, any of them (DINOv2 and DINOv3 ViTs among them), with weights from a file, a folder or timm's hub.

``last`` (the default) is timm's own pooled layer before the classifier; ``stages`` are the maximum and standard deviation
over space of timm's feature maps from 1/8 of the photo on; ``cls`` and ``patches`` are the class token and the mean of the
patch tokens of a transformer (``cls+patches`` is what the DINOv2 paper's linear probe reads: Oquab et al. 2023);
``block7+block10`` are the maximum and standard deviation over space of the patch grids that those blocks hand on, before the
last layer's normalisation. Preprocessing is what timm's ``resolve_data_config`` says, at the size asked for; a transformer's
position embeddings are resampled to it by timm.

Knows how timm's networks are asked, and nothing of other families.
"""

from __future__ import annotations

import hashlib
import math
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from inference.backbones.assembling import measured, together
from inference.backbones.base import Backbone, Preprocessing, UnknownBackbone, WeightsError
from inference.backbones.names import Name
from inference.backbones.pooling import max_and_std
from inference.backbones.published import Published
from inference.backbones.weights import FOLDER_VARIABLE, find_weights, read_state

if TYPE_CHECKING:
    import torch
    from torch import nn

_COARSEST_FIRST = 7


def architectures() -> list[str]:
    """Names that timm lists, without tags of weights."""
    import timm

    return list(timm.list_models())


def load(name: Name, weights: Path | None) -> Backbone:
    """``timm:<architecture>[.tag]`` with a state dict in timm's form, or in one that timm converts.

    Raises:
        UnknownBackbone: timm has no such network, or it has no such features.
        WeightsError: there are no weights, or they do not fit.
    """
    architecture = name.architecture
    config = _config(architecture)
    features = name.features or ("last",)
    preprocessing = _preprocessing(config, name.size)
    build = partial(_build, architecture, features, name.size if config.fixed_input_size else 0)
    dim = measured(lambda: build(None), preprocessing.size)
    return Backbone(
        name=str(name),
        dim=dim,
        preprocessing=preprocessing,
        architecture=f"timm:{architecture.partition('.')[0]}",
        features=" + ".join(f"{each}-1" for each in features),
        weights=find_weights("timm", architecture, weights) or published(name).get(),
        build=build,
    )


def published(name: Name) -> Published:
    """What timm's hub offers, safetensors only; the hub states its SHA-256.

    Raises:
        UnknownBackbone: timm has no such network.
        WeightsError: timm has published no weights of it.
    """
    architecture = name.architecture
    config = _config(architecture)
    where = config.hf_hub_id
    if not where:
        raise WeightsError(
            f"timm has no published weights for {architecture}. Give a weights file, or put "
            f"{architecture}.safetensors into the folder timm/ in the folder that {FOLDER_VARIABLE} names."
        )
    if where.endswith("/"):
        where += architecture
    return Published(
        address=f"https://huggingface.co/{where}",
        licence=config.license or "timm states none; see the address",
        family="timm",
        # With the tag that timm takes by default: in a folder there may be others under the plain name.
        file=f"{'.'.join(filter(None, [config.architecture, config.tag]))}.safetensors",
        get=partial(_download, architecture, where),
    )


def _config(architecture: str) -> Any:
    import timm

    if not timm.is_model(architecture.partition(".")[0]):
        raise UnknownBackbone(f"timm has no network {architecture!r}; timm.list_models() lists those it has.")
    try:
        config = timm.models.get_pretrained_cfg(architecture, allow_unregistered=True)
    except RuntimeError as error:  # a tag of somebody's own
        raise UnknownBackbone(f"timm knows no weights called {architecture!r}: {error}") from error
    if config is None:
        raise UnknownBackbone(f"timm knows no preprocessing for {architecture!r}.")
    return config


def _preprocessing(config: Any, wanted: int) -> Preprocessing:
    """``wanted``: the side of the square, pixels; 0 for the one that the network was trained with."""
    import timm

    resolve: Any = timm.data.resolve_data_config  # type: ignore[attr-defined]
    data = resolve(pretrained_cfg=config.to_dict())
    size = wanted or int(data["input_size"][-1])
    return Preprocessing(
        resize=math.floor(size / data["crop_pct"]),
        size=size,
        mean=cast(tuple[float, float, float], tuple(data["mean"])),
        std=cast(tuple[float, float, float], tuple(data["std"])),
        interpolation="bicubic" if data["interpolation"] == "bicubic" else "bilinear",
        squash=data["crop_mode"] == "squash",
    )


def _download(architecture: str, where: str) -> Path:
    """The weights' file in the hub's cache, fetched unless it is there; its hash is checked against the hub's.

    The cache calls a file by the SHA-256 that the hub states, and links to it under the file's own name.
    """
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    name = "model.safetensors"
    try:
        file = Path(hf_hub_download(where, name))
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError, ValueError) as error:
        raise WeightsError(
            f"The weights of timm:{architecture} could not be fetched ({str(error).splitlines()[0]}). Fetch {name} of "
            f"{where} from the Hugging Face hub on a machine with network, and put it into the folder timm/ in the "
            f"folder that {FOLDER_VARIABLE} names, as {architecture}.safetensors."
        ) from error
    with file.open("rb") as opened:
        if hashlib.file_digest(opened, "sha256").hexdigest() != file.resolve().name:
            raise WeightsError(
                f"{file} is not the {name} of {where} that the hub names. Remove it, and fetch it again."
            )
    return file


def _build(architecture: str, features: tuple[str, ...], size: int, weights: Path | None) -> nn.Module:
    """``size``: of a network that is built for one, 0 for its own. ``weights`` None: as it is initialised, to measure it."""
    import timm

    sized: dict[str, Any] = {"img_size": size} if size else {}
    network: nn.Module = timm.create_model(architecture, pretrained=False, num_classes=0, **sized)
    _check_size(architecture, network, size)
    if weights is not None:
        _fill(network, architecture, read_state(weights), weights.name)
    network.eval()
    blocks = tuple(int(each.removeprefix("block")) for each in features if each.startswith("block"))
    parts = [
        _feature(architecture, network, feature) for feature in features if not feature.startswith("block")
    ]
    if blocks:
        wanted = _of_blocks(architecture, network, blocks)
        if not parts:
            # What comes after the last block would be stored, moved to a GPU and fine-tuned to no effect.
            cast(Any, network).prune_intermediate_layers(wanted, prune_norm=True)
        parts.append(_maps(network, wanted))
    return together(parts)


def _check_size(architecture: str, network: Any, size: int) -> None:
    """
    Raises:
        UnknownBackbone: patches of this network do not cover a square of ``size`` pixels.
    """
    patch = getattr(getattr(network, "patch_embed", None), "patch_size", None)
    if size and patch and size % patch[0]:
        below = size // patch[0] * patch[0]
        raise UnknownBackbone(
            f"timm:{architecture} sees patches of {patch[0]} pixels, so its size is a multiple of that: "
            f"{below or patch[0]} or {below + patch[0]}, not {size}."
        )


def _fill(network: Any, architecture: str, state: dict[str, torch.Tensor], source: str) -> None:
    """Every tensor of the network from ``state``; what the state has beyond that must belong to its classifier.

    Raises:
        WeightsError: names or shapes differ, also after timm's own conversion.
    """
    heads = network.pretrained_cfg.get("classifier") or ()
    heads = (heads,) if isinstance(heads, str) else tuple(heads)
    problems = []
    for convert in (None, _converter(network, architecture)):
        try:
            fitting = state if convert is None else convert(dict(state), network)
            left = network.load_state_dict(fitting, strict=False)
        except (RuntimeError, KeyError, TypeError, AttributeError) as error:
            problems.append(str(error))
            continue
        strange = [key for key in left.unexpected_keys if not key.startswith(tuple(f"{h}." for h in heads))]
        if not left.missing_keys and not strange:
            return
        problems.append(f"missing {left.missing_keys[:5]}, unexpected {strange[:5]}")
    raise WeightsError(f"The weights in {source} do not fit timm:{architecture}: {problems[0]}")


def _converter(network: Any, architecture: str) -> Any:
    """timm's own function that makes its names of a publisher's; one that changes nothing where timm has none."""
    import timm

    entry = timm.models.model_entrypoint(architecture.partition(".")[0])
    for module in (sys.modules[entry.__module__], sys.modules[type(network).__module__]):
        for function in ("checkpoint_filter_fn", "_filter_fn"):
            if hasattr(module, function):
                return getattr(module, function)
    return lambda state, _network: state


def _stages(infos: Any) -> list[int]:
    """Where a stage ends: the maps from 1/8 of the photo on; of a plain transformer's equal ones, four evenly spread."""
    wanted = [index for index, info in enumerate(infos) if info["reduction"] >= _COARSEST_FIRST]
    if len({infos[index]["reduction"] for index in wanted}) == 1 and len(wanted) > 4:
        return [wanted[len(wanted) * quarter // 4 - 1] for quarter in (1, 2, 3, 4)]
    return wanted


def _of_blocks(architecture: str, network: Any, blocks: tuple[int, ...]) -> list[int]:
    """timm's indices of a transformer's blocks, which count from 0.

    Raises:
        UnknownBackbone: the network has no such block, or none with a grid of patches.
    """
    count = len(network.blocks) if hasattr(network, "num_prefix_tokens") and hasattr(network, "blocks") else 0
    if not count or not hasattr(network, "forward_intermediates"):
        raise UnknownBackbone(
            f"timm:{architecture} has no blocks of patches. Choose another of its features."
        )
    if blocks[-1] > count:
        raise UnknownBackbone(
            f"timm:{architecture} has no block {blocks[-1]}: its blocks are block1 to block{count}."
        )
    return [block - 1 for block in blocks]


def _maps(network: Any, wanted: list[int]) -> nn.Module:
    """Maximum and standard deviation over space of the maps that timm counts as ``wanted``."""
    import torch
    from torch import nn

    class Maps(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def maps(self, photos: torch.Tensor) -> list[torch.Tensor]:
            """Each map by place, (B, C, H, W)."""
            return list(self.network.forward_intermediates(photos, indices=wanted, intermediates_only=True))

        def forward(self, photos: torch.Tensor) -> torch.Tensor:
            return torch.cat([part for each in self.maps(photos) for part in max_and_std(each)], dim=1)

    return Maps()


def _feature(architecture: str, network: Any, feature: str) -> nn.Module:
    from torch import nn

    if feature == "last":
        return cast(nn.Module, network)
    if feature == "stages":
        if not hasattr(network, "forward_intermediates"):
            raise UnknownBackbone(
                f"timm:{architecture} has no stages in timm. Choose another of its features."
            )
        return _maps(network, _stages(network.feature_info))
    prefix = getattr(network, "num_prefix_tokens", None)
    if prefix is None or (feature == "cls" and prefix == 0):
        raise UnknownBackbone(f"timm:{architecture} has no such token. Choose another of its features.")

    class Tokens(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self, photos: torch.Tensor) -> torch.Tensor:
            tokens: torch.Tensor = self.network.forward_features(photos).float()
            return tokens[:, 0] if feature == "cls" else tokens[:, prefix:].mean(dim=1)

    return Tokens()
