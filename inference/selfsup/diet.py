"""DIET: every photo of the pool is a class of its own, and the network learns to tell them apart however they are changed.

Source: Ibrahim, Klindt, Balestriero, "Occam's Razor for Self Supervised Learning: What is Sufficient to Learn Good
Representations?" (2024; first as "Unsupervised Learning on a DIET", Balestriero 2023). A linear layer with one row a
photo and a cross-entropy with strong label smoothing; no second view, no momentum network, no large batch. Chosen over
VICReg and SimSiam because its loss says how far training is, it cannot collapse, and it was made for pools of a few
thousand photos and small batches.

Continues from the backbone's weights: its last layers are trained, its normalisation keeps its statistics. On a GPU in bf16.
Can be stopped after any step that was saved and goes on to the same weights, bit by bit on a CPU.
"""

from __future__ import annotations

import contextlib
import copy
import hashlib
import json
import math
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from safetensors import safe_open
from safetensors.torch import save_file

from inference.backbones import Backbone
from inference.domain.network import map_shapes
from inference.embed import DEFAULT_MAX_PIXELS
from inference.on_disk import system_errors
from inference.selfsup.augment import Augmentation
from inference.selfsup.squares import decoded_squares
from inference.selfsup.trainable import plain_state, trailing_parameters, train_only

if TYPE_CHECKING:
    import torch

#: Called with (done, total) steps, first of decoding, then of training; may raise to stop.
OnProgress = Callable[[int, int], None]

LEAST_PHOTOS = 32
_KEPT_LOSSES = 200


class TooFewPhotos(ValueError):
    """Self-supervision needs more photos that can be decoded."""


class Diverged(ValueError):
    """The loss is no number any more."""


@dataclass(frozen=True)
class Recipe:
    """Everything that decides what comes out, beside photos and backbone.

    Attributes:
        epochs: each photo is seen so often.
        share: of the weights, from the end, that are trained.
        lr: highest learning rate (AdamW, a tenth of the steps to warm up, then down a cosine).
        label_smoothing: the paper's 0.8.
    """

    epochs: int = 100
    batch_size: int = 128
    lr: float = 3e-4
    weight_decay: float = 0.05
    label_smoothing: float = 0.8
    share: float = 0.6
    seed: int = 0
    augmentation: Augmentation = field(default_factory=Augmentation)


@dataclass(frozen=True)
class Trained:
    """What came out.

    Attributes:
        state: all tensors of the network of ``Backbone.module()``, on the CPU.
        photos: that were learned from.
        losses: means over the steps of up to 200 equal parts of the training, in nats.
    """

    state: dict[str, torch.Tensor]
    photos: int
    losses: list[float]


def train(
    backbone: Backbone,
    keys: Sequence[str],
    read: Callable[[str], bytes],
    *,
    folder: Path,
    recipe: Recipe | None = None,
    device: str = "cpu",
    threads: int | None = None,
    max_pixels: int = DEFAULT_MAX_PIXELS,
    save_every: int = 200,
    on_progress: OnProgress | None = None,
) -> Trained:
    """Train ``backbone``'s last layers on the photos ``keys``.

    Args:
        keys: in any order; ``read``: a key's file bytes. Photos that cannot be decoded are passed over.
        folder: for the decoded photos and the state that an interrupted training goes on from. The caller removes it.
        save_every: steps between two savings of the state.

    Raises:
        NoMaps: a backbone without stages' maps.
        TooFewPhotos: fewer than ``LEAST_PHOTOS`` can be decoded.
        Diverged: the loss is no number any more.
    """
    import torch
    from torch import nn

    chosen = recipe or Recipe()
    map_shapes(backbone)
    squares, kept = decoded_squares(
        folder,
        backbone,
        sorted(set(keys)),
        read,
        threads=threads or len(os.sched_getaffinity(0)),
        max_pixels=max_pixels,
        on_progress=on_progress,
    )
    if len(kept) < LEAST_PHOTOS:
        raise TooFewPhotos(f"{len(kept)} photos are too few: self-supervision needs at least {LEAST_PHOTOS}.")
    network: Any = copy.deepcopy(backbone.module())
    names = set(trailing_parameters(network, chosen.share))
    train_only(network, names)
    on_gpu = device.startswith("cuda")
    network.to(device)
    channels = map_shapes(backbone)[-1][0]
    # Made on the CPU by its own generator: the same on every device.
    head = nn.Linear(channels, len(kept), bias=False)
    nn.init.normal_(
        head.weight, std=1 / math.sqrt(channels), generator=torch.Generator().manual_seed(chosen.seed)
    )
    head.to(device)
    parameters = [*(each for name, each in network.named_parameters() if name in names), head.weight]
    optimizer = torch.optim.AdamW(parameters, lr=chosen.lr, weight_decay=chosen.weight_decay)
    steps_an_epoch = max(1, len(kept) // chosen.batch_size)
    total = steps_an_epoch * chosen.epochs
    digest = hashlib.sha256(
        json.dumps([backbone.content_hash, kept, asdict(chosen)], sort_keys=True).encode()
    ).hexdigest()
    checkpoint = folder / "state.safetensors"
    losses = _restore(checkpoint, digest, parameters, optimizer)
    done = len(losses)
    scale, shift = (
        torch.from_numpy(each)[:, None, None].to(device) for each in backbone.preprocessing.scale_and_shift()
    )
    loss_of = nn.CrossEntropyLoss(label_smoothing=chosen.label_smoothing)

    while done < total:
        epoch, step = divmod(done, steps_an_epoch)
        order = np.random.default_rng([chosen.seed, epoch]).permutation(len(kept))
        rows = np.sort(order[step * chosen.batch_size : (step + 1) * chosen.batch_size])
        pixels = torch.from_numpy(np.ascontiguousarray(squares[rows])).to(device)
        photos = chosen.augmentation(
            pixels.permute(0, 3, 1, 2).float() * scale - shift, seed=chosen.seed * 1_000_003 + done
        )
        for group in optimizer.param_groups:
            group["lr"] = chosen.lr * _warm_cosine(done, total)
        half = torch.autocast("cuda", torch.bfloat16) if on_gpu else contextlib.nullcontext()
        with half:
            features = network.maps(photos)[-1].float().mean(dim=(2, 3))
            # Networks differ in how large their last map is; the learning rate shall not have to.
            features = nn.functional.layer_norm(features, (channels,))
            loss = loss_of(head(features).float(), torch.from_numpy(rows).to(device))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        losses.append(loss.detach())  # a float would make a GPU wait here
        done += 1
        if done % save_every == 0 or done == total:
            told = torch.stack(losses).float().cpu()
            if not bool(torch.isfinite(told).all()):
                raise Diverged("The loss is no number any more. Try a smaller learning rate.")
            _save(checkpoint, digest, told, parameters, optimizer)
        if on_progress is not None:
            on_progress(done, total)
    parts = np.array_split(torch.stack(losses).float().cpu().numpy(), min(_KEPT_LOSSES, total))
    return Trained(plain_state(network), len(kept), [float(part.mean()) for part in parts])


def _warm_cosine(step: int, total: int) -> float:
    """Share of the learning rate at a step: linear over the first tenth, then half a cosine down to 0."""
    warm = max(1, total // 10)
    if step < warm:
        return (step + 1) / warm
    return 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, total - warm)))


@system_errors()
def _save(
    path: Path, digest: str, losses: torch.Tensor, parameters: Sequence[torch.Tensor], optimizer: Any
) -> None:
    """Everything that moves: weights and the optimizer's memory of them. What is drawn follows from the step alone."""
    arrays = {"losses": losses}
    for index, parameter in enumerate(parameters):
        arrays[f"{index}.weight"] = parameter.detach().cpu().contiguous().clone()
        for name, value in optimizer.state[parameter].items():
            arrays[f"{index}.{name}"] = value.detach().cpu().contiguous().clone()
    hidden = path.with_name(f".{path.name}.new")
    save_file(arrays, hidden, metadata={"digest": digest})
    os.replace(hidden, path)


def _restore(
    path: Path, digest: str, parameters: Sequence[torch.Tensor], optimizer: Any
) -> list[torch.Tensor]:
    """Put back what ``_save`` kept of the same training; the losses of its steps, none where there is nothing."""
    import torch

    if not path.is_file():
        return []
    try:
        with safe_open(path, framework="pt") as file:
            if file.metadata()["digest"] != digest:
                return []
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except Exception:  # cut short by a crash: the training begins anew
        return []
    for index, parameter in enumerate(parameters):
        with torch.no_grad():
            parameter.copy_(arrays[f"{index}.weight"])
        mine = {name: arrays[f"{index}.{name}"] for name in ("step", "exp_avg", "exp_avg_sq")}
        optimizer.state[parameter] = {
            # AdamW counts its steps on the CPU.
            name: value if name == "step" else value.to(parameter.device)
            for name, value in mine.items()
        }
    return list(arrays["losses"].to(parameters[0].device).unbind())
