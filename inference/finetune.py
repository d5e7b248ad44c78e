"""Fine-tuning: the last layers of a backbone trained on the labels, judged in the very folds that judge a frozen head.

Linear probing first, then fine-tuning (Kumar et al., "Fine-Tuning can Distort Pretrained Features and Underperform
Out-of-Distribution", 2022): the classifier starts as the frozen backbone's logistic head, so that tuning begins from what is
known and the first gradients do not tear up the features. Photos are changed at random as an inspection photo may be
(``inference.selfsup.augment``); normalisation keeps its statistics; small steps, few of them.

What comes out competes by its out-of-fold probabilities: each from a network that was tuned without the photo's own label,
with a temperature fitted on the other folds. Knows nothing of projects; photos come as the squares that the network sees.
"""

from __future__ import annotations

import contextlib
import copy
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from inference.backbones import Backbone
from inference.heads import LogisticHead
from inference.heads.folds import HeldOut, stratified_folds
from inference.selfsup.augment import Augmentation
from inference.selfsup.diet import Diverged
from inference.selfsup.trainable import plain_state, trailing_parameters, train_only

if TYPE_CHECKING:
    import torch

__all__ = ["LEAST_A_CLASS", "Diverged", "FineTuned", "Recipe", "fine_tune"]

Pixels = npt.NDArray[np.uint8]
Proba = npt.NDArray[np.float64]
#: Called with (steps done, steps in all); may raise to stop.
OnProgress = Callable[[int, int], None]

#: Fewer labels of a class say nothing that a frozen head would not learn.
LEAST_A_CLASS = 20
_BATCH_TO_EMBED = 64


@dataclass(frozen=True)
class Recipe:
    """``share``: of the weights, from the end, that are tuned. ``lr`` is for them, ``head_lr`` for the classifier."""

    epochs: int = 12
    batch_size: int = 32
    lr: float = 1e-4
    head_lr: float = 1e-3
    weight_decay: float = 0.05
    share: float = 0.6
    cv: int = 5
    seed: int = 0
    augmentation: Augmentation = field(default_factory=Augmentation)


@dataclass(frozen=True)
class FineTuned:
    """What came out.

    Attributes:
        state: all tensors of the tuned network, tuned on all rows: the module of ``backbone``.
        head: linear, on the tuned network's vectors; calibrated.
        oof_proba: (n, k) out-of-fold probabilities, columns as ``head.classes_``.
        fold: (n,) the folds, those of the frozen heads for the same labels and seed.
    """

    state: dict[str, torch.Tensor]
    head: LogisticHead
    oof_proba: Proba
    fold: npt.NDArray[np.intp]


def fine_tune(
    backbone: Backbone,
    squares: Pixels,
    y: npt.ArrayLike,
    *,
    groups: npt.ArrayLike | None = None,
    recipe: Recipe | None = None,
    device: str = "cpu",
    on_progress: OnProgress | None = None,
) -> FineTuned:
    """Tune ``backbone`` on labeled photos, once for each fold and once on all.

    Args:
        backbone: one view, no tiles.
        squares: (n, S, S, 3) uint8, as ``Preprocessing.pixels`` makes them; memory-mapped is fine.
        y: (n,) labels of at least two classes.
        groups: (n,) rows with the same entry stay in one fold, as ``Head.fit``.

    Raises:
        TooFewLabels: fewer than two classes.
        Diverged: the loss is no number any more.
        ValueError: shapes that do not belong together, or a backbone with views.
    """
    chosen = recipe or Recipe()
    labels = np.asarray(y)
    side = backbone.input_size
    if backbone.preprocessing.tiles or backbone.flips:
        raise ValueError("Fine-tuning takes a backbone with one view; mirror images come by augmentation.")
    if squares.shape != (len(labels), side, side, 3):
        raise ValueError(
            f"{len(labels)} labels need squares of shape {(len(labels), side, side, 3)}; got {squares.shape}."
        )
    classes, column = np.unique(labels, return_inverse=True)
    frozen = _embed(backbone, copy.deepcopy(backbone.module()), squares, device)
    fold = stratified_folds(column, chosen.cv, chosen.seed, groups)
    count = int(fold.max()) + 1
    everything = np.ones(len(labels), dtype=bool)
    trainings = [*(fold != f for f in range(count)), everything]
    steps = [chosen.epochs * math.ceil(int(rows.sum()) / chosen.batch_size) for rows in trainings]
    before = 0
    logits = np.zeros((len(labels), len(classes)))
    tuned: _Tuned | None = None
    for index, rows in enumerate(trainings):

        def report(done: int, before: int = before) -> None:
            if on_progress is not None:
                on_progress(before + done, sum(steps))

        inside = None if groups is None else np.asarray(groups)[rows]
        start = LogisticHead(seed=chosen.seed).fit(frozen[rows], labels[rows], groups=inside)
        tuned = _tune(backbone, squares, column, len(classes), rows, start, classes, chosen, device, report)
        if index < count:
            outside = fold == index
            vectors = _embed(backbone, tuned.network, squares[outside], device)
            logits[outside] = vectors @ tuned.coef.T + tuned.intercept
            _refuse_nonsense(logits[outside])
        before += steps[index]
    assert tuned is not None
    held_out = HeldOut(logits[None], column, fold)
    head = LogisticHead.from_arrays(
        {
            "coef": tuned.coef,
            "intercept": tuned.intercept,
            # That of the held-out logits: a network is surer of photos that it was tuned on.
            "temperature": np.array([held_out.chosen().temperature]),
            "strength": np.array([float(start.strength_)]),
        },
        classes.tolist(),
    )
    head.seed = chosen.seed
    head.out_of_fold_proba_, head.out_of_fold_known_ = held_out.proba(), held_out.known
    head.out_of_fold_size_ = float(held_out.seen.mean())
    return FineTuned(plain_state(tuned.network), head, head.out_of_fold_proba_, fold)


@dataclass
class _Tuned:
    """A tuned network and its classifier on raw vectors: (k, d) and (k,)."""

    network: Any
    coef: npt.NDArray[np.float64]
    intercept: npt.NDArray[np.float64]


def _tune(
    backbone: Backbone,
    squares: Pixels,
    column: npt.NDArray[np.intp],
    classes: int,
    rows: npt.NDArray[np.bool_],
    start: LogisticHead,
    names: npt.NDArray[Any],
    recipe: Recipe,
    device: str,
    report: Callable[[int], None],
) -> _Tuned:
    import torch
    from torch import nn

    network: Any = copy.deepcopy(backbone.module())
    moving = set(trailing_parameters(network, recipe.share))
    train_only(network, moving)
    network.to(device)
    chosen = np.flatnonzero(rows)
    # The classifier sees standardised vectors, so that its learning rate means the same for every backbone.
    vectors = _embed(backbone, network, squares[chosen], device)
    centre, scale = vectors.mean(axis=0), vectors.std(axis=0)
    scale = scale + 0.1 * float(np.median(scale)) + 1e-6
    coef = np.zeros((classes, backbone.dim))
    intercept = np.full(classes, -math.log(len(chosen) + 1.0))
    present = np.searchsorted(names, start.classes_)
    coef[present] = start.coef_ / start.temperature_
    intercept[present] = start.intercept_ / start.temperature_
    classifier = nn.Linear(backbone.dim, classes)
    with torch.no_grad():
        classifier.weight.copy_(torch.from_numpy(coef * scale))
        classifier.bias.copy_(torch.from_numpy(intercept + coef @ centre))
    classifier.to(device)
    middle, inverse = (torch.from_numpy(each).float().to(device) for each in (centre, 1.0 / scale))
    mass = np.bincount(column[chosen], minlength=classes)
    weight = np.where(mass > 0, len(chosen) / (np.count_nonzero(mass) * np.maximum(mass, 1)), 0.0)
    loss_of = nn.CrossEntropyLoss(weight=torch.from_numpy(weight).float().to(device))
    optimizer = torch.optim.AdamW(
        [
            {"params": [p for name, p in network.named_parameters() if name in moving], "lr": recipe.lr},
            {"params": classifier.parameters(), "lr": recipe.head_lr},
        ],
        weight_decay=recipe.weight_decay,
    )
    normalise = _normaliser(backbone, device)
    steps_an_epoch = math.ceil(len(chosen) / recipe.batch_size)
    total, done = steps_an_epoch * recipe.epochs, 0
    rates = [group["lr"] for group in optimizer.param_groups]
    for epoch in range(recipe.epochs):
        order = np.random.default_rng([recipe.seed, epoch]).permutation(chosen)
        for start_at in range(0, len(order), recipe.batch_size):
            batch = order[start_at : start_at + recipe.batch_size]
            photos = recipe.augmentation(normalise(squares[batch]), recipe.seed * 1_000_003 + done)
            warm = min(1.0, (done + 1) / max(1, total // 10))
            for group, rate in zip(optimizer.param_groups, rates, strict=True):
                group["lr"] = rate * warm * 0.5 * (1 + math.cos(math.pi * done / total))
            with _half(device):
                found = (network(photos).float() - middle) * inverse
                loss = loss_of(classifier(found), torch.from_numpy(column[batch]).to(device))
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_([p for group in optimizer.param_groups for p in group["params"]], 1.0)
            optimizer.step()
            done += 1
            report(done)
        # Once an epoch: to look at it after each step would make a GPU wait.
        _refuse_nonsense(loss.detach().cpu().numpy())
    network.requires_grad_(False)
    raw = classifier.weight.detach().cpu().double().numpy() / scale
    _refuse_nonsense(raw)  # the last step may be the one
    return _Tuned(network, raw, classifier.bias.detach().cpu().double().numpy() - raw @ centre)


def _refuse_nonsense(values: npt.NDArray[Any]) -> None:
    if not np.isfinite(values).all():
        raise Diverged("The loss is no number any more. Try a smaller learning rate.")


def _embed(backbone: Backbone, network: Any, squares: Pixels, device: str) -> npt.NDArray[np.float64]:
    """(n, d) vectors of a network that may be in tuning."""
    import torch

    network.to(device)
    normalise = _normaliser(backbone, device)
    parts = []
    with torch.no_grad(), _half(device):
        for start in range(0, len(squares), _BATCH_TO_EMBED):
            vectors = network(normalise(squares[start : start + _BATCH_TO_EMBED]))
            parts.append(vectors.float().cpu().numpy().astype(np.float64))
    return np.concatenate(parts) if parts else np.empty((0, backbone.dim))


def _normaliser(backbone: Backbone, device: str) -> Callable[[Pixels], torch.Tensor]:
    import torch

    scale, shift = (
        torch.from_numpy(each)[:, None, None].to(device) for each in backbone.preprocessing.scale_and_shift()
    )

    def normalise(pixels: Pixels) -> torch.Tensor:
        # A copy: torch takes no memory that may not be written to, as a memory map's.
        raw = torch.from_numpy(np.array(pixels)).to(device)
        return raw.permute(0, 3, 1, 2).float() * scale - shift

    return normalise


def _half(device: str) -> contextlib.AbstractContextManager[Any]:
    import torch

    return torch.autocast("cuda", torch.bfloat16) if device.startswith("cuda") else contextlib.nullcontext()
