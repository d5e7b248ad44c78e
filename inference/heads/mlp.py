"""A small multilayer perceptron, stopped where held-out rows say so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import torch
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from inference.heads.base import Array, Examples, Head, Progress
from inference.logistic import standardisation
from inference.onnx_graph import Graph

_BATCH = 512
_LOOKS = 20
_RATE = 2e-3
_DECAY = 1e-2
_BETAS = (0.9, 0.999)
_EPSILON = 1e-8
_FIRST = 0.3
#: Of the tanh form of GELU.
_GELU = (float(np.sqrt(2.0 / np.pi)), 0.044715)


class MlpHead(Head):
    """One hidden layer of GELUs on standardised features, trained by AdamW (Loshchilov & Hutter 2019).

    All folds train side by side, as one batched network; every few epochs they answer for their held-out rows. The number of
    epochs with the least held-out log-loss, at its own temperature, is what the network on all rows trains for.
    Rows stay in their own features: in their singular directions, AdamW's step for each coordinate would shout as loud along
    the quietest direction as along the loudest (measured: held-out rows at chance).

    Args:
        hidden: width of the hidden layer.
        epochs: at most so many, looked at in twenty steps.
        balanced: True: classes weigh the same; None: and held-out rows choose how far their shares count after all; False:
            each label counts 1.
        seed: of folds, first weights and order of rows.

    Attributes:
        epochs_: how long it trained.
        mean_, scale_: (d,) standardisation.
        hidden_weight_, hidden_bias_, out_weight_, out_bias_: (hidden, d), (hidden,), (k, hidden), (k,).
    """

    kind = "mlp"

    epochs_: int

    def __init__(
        self, *, hidden: int = 64, epochs: int = 100, cv: int = 5, balanced: bool | None = None, seed: int = 0
    ) -> None:
        self.hidden = hidden
        self.epochs = epochs
        self.cv = cv
        self.balanced = balanced
        self.seed = seed

    def _looks(self) -> list[int]:
        return sorted({max(1, round(self.epochs * (i + 1) / _LOOKS)) for i in range(_LOOKS)})

    def _held_out(self, space: Any, given: Examples, fold: npt.NDArray[np.intp], report: Progress) -> Array:
        k, folds, looks = len(given.classes), int(fold.max()) + 1, self._looks()
        held_out = np.zeros((len(looks), len(given.rows), k))
        if folds < 2:
            return held_out
        # Each fold's rows are standardised by the others.
        standard = _Standard.of([standardisation(given.rows[fold != f]) for f in range(folds)])
        weight = np.stack([given.class_weight(self.balanced, fold != f) for f in range(folds)])
        for epoch, networks in self._train(given, standard, weight, looks[-1]):
            if epoch in looks:
                for f in range(folds):
                    one = [each[f : f + 1] for each in networks]
                    rows = torch.as_tensor(given.rows[fold == f]).float()
                    answer = _forward(one, standard.of_fold(f)(rows))[0]
                    held_out[looks.index(epoch), fold == f] = answer.double().numpy()
            report(epoch, 2 * looks[-1])
        return held_out

    def _settle(self, space: Any, given: Examples, setting: int, report: Progress) -> None:
        looks = self._looks()
        self.epochs_ = looks[setting]
        self.mean_, self.scale_ = standardisation(given.rows)
        standard = _Standard.of([(self.mean_, self.scale_)])
        final: list[Tensor] = []
        for epoch, networks in self._train(
            given, standard, given.class_weight(self.balanced)[None], self.epochs_
        ):
            final = networks
            report(looks[-1] + epoch, 2 * looks[-1])
        first, hidden_bias, second, out_bias = (each[0].double().numpy() for each in final)
        # As they lie once read back (see ``LinearHead._place``).
        self.hidden_weight_, self.out_weight_ = np.ascontiguousarray(first.T), np.ascontiguousarray(second.T)
        self.hidden_bias_, self.out_bias_ = hidden_bias, out_bias
        report(2 * looks[-1], 2 * looks[-1])

    def _train(self, given: Examples, standard: _Standard, weight: Array, epochs: int) -> Any:
        """Yields (epoch, weights) of F networks side by side; ``weight`` (F, n) of the rows is 0 where held out."""
        raw, target = torch.as_tensor(np.array(given.rows)).float(), torch.as_tensor(given.column)
        k = len(given.classes)
        draw = torch.Generator().manual_seed(self.seed)
        count, width = len(weight), raw.shape[1]
        # The same first weights in every fold, and small: in what no training row spans they stay as they are.
        first = _FIRST * torch.randn(1, width, self.hidden, generator=draw) / width**0.5
        second = torch.randn(1, self.hidden, k, generator=draw) / self.hidden**0.5
        adamw = _AdamW(
            [
                first.repeat(count, 1, 1),
                torch.zeros(count, self.hidden),
                second.repeat(count, 1, 1),
                torch.zeros(count, k),
            ]
        )
        networks = adamw.weights
        rows_weight = torch.as_tensor(weight / weight.sum(axis=1, keepdims=True) * len(target)).float()
        for epoch in range(1, epochs + 1):
            order = torch.randperm(len(target), generator=draw)
            for start in range(0, len(order), _BATCH):
                at = order[start : start + _BATCH]
                logits = _forward(networks, standard(raw[at]))
                loss = torch.nn.functional.cross_entropy(
                    logits.reshape(-1, k), target[at].repeat(count), reduction="none"
                )
                adamw.forget()
                (loss.reshape(count, -1) * rows_weight[:, at]).mean(dim=1).sum().backward()  # type: ignore[no-untyped-call]
                adamw.step()
            yield epoch, [each.detach() for each in networks]

    def settings(self) -> dict[str, Any]:
        return {**super().settings(), "epochs": float(self.epochs_)}

    def logits(self, X: npt.ArrayLike) -> Array:
        standard = (self._rows(X) - self.mean_) / self.scale_
        hidden = _gelu(standard @ self.hidden_weight_.T + self.hidden_bias_)
        return np.asarray((hidden @ self.out_weight_.T + self.out_bias_) / self.temperature_ + self.offset_)

    def express(self, graph: Graph, rows: str) -> str:
        standard = graph.standardised(rows, self.mean_, self.scale_)
        x = graph.affine(standard, self.hidden_weight_, self.hidden_bias_)
        cubed = graph.op("Mul", graph.op("Mul", graph.op("Mul", x, x), x), graph.constant(_GELU[1]))
        inner = graph.op("Mul", graph.op("Add", x, cubed), graph.constant(_GELU[0]))
        doubled = graph.op("Add", graph.op("Tanh", inner), graph.constant(1.0))
        hidden = graph.op("Mul", graph.op("Mul", x, doubled), graph.constant(0.5))
        bias = self.out_bias_ / self.temperature_ + self.offset_
        return graph.affine(hidden, self.out_weight_ / self.temperature_, bias)

    def to_arrays(self) -> dict[str, npt.NDArray[Any]]:
        check_is_fitted(self, "out_weight_")
        return {
            "mean": self.mean_,
            "scale": self.scale_,
            "hidden_weight": np.ascontiguousarray(self.hidden_weight_),
            "hidden_bias": self.hidden_bias_,
            "out_weight": np.ascontiguousarray(self.out_weight_),
            "out_bias": self.out_bias_,
            "temperature": np.asarray([self.temperature_]),
            "epochs": np.asarray([self.epochs_], dtype=np.int64),
            "prior": np.asarray([self.prior_]),
            "shares": self.shares_,
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]], classes: Sequence[Any]) -> Self:
        head = cls(hidden=len(arrays["hidden_bias"]))
        head.classes_ = np.asarray(classes)
        for name in ("mean", "scale", "hidden_weight", "hidden_bias", "out_weight", "out_bias"):
            setattr(head, f"{name}_", np.asarray(arrays[name], dtype=np.float64))
        head.temperature_ = float(arrays["temperature"][0])
        head.epochs_ = int(arrays["epochs"][0])
        head._read_prior(arrays)
        k, d, hidden = len(head.classes_), len(head.mean_), len(head.hidden_bias_)
        if head.hidden_weight_.shape != (hidden, d) or head.out_weight_.shape != (k, hidden):
            raise ValueError(f"Arrays do not fit {k} classes: {head.out_weight_.shape}.")
        head.n_features_in_ = d
        return head


class _AdamW:
    """torch's AdamW, weight by weight the same, with all ``weights`` in one row of numbers: of networks as small as these
    its own, which goes from tensor to tensor and through its hooks, was half of a training."""

    def __init__(self, weights: Sequence[Tensor]) -> None:
        self._row = torch.cat([each.flatten() for each in weights])
        self._slope, self._mean, self._square = (torch.zeros_like(self._row) for _ in range(3))
        self._steps = 0
        sizes = [each.numel() for each in weights]
        pairs = zip(weights, torch.split(self._row, sizes), torch.split(self._slope, sizes), strict=True)
        self.weights: list[Tensor] = []
        for each, part, slope in pairs:
            weight = part.view(each.shape).requires_grad_(True)
            weight.grad = slope.view(each.shape)
            self.weights.append(weight)

    def forget(self) -> None:
        """The slopes of the step before."""
        self._slope.zero_()

    def step(self) -> None:
        self._steps += 1
        first, second = (1 - beta**self._steps for beta in _BETAS)
        with torch.no_grad():
            self._row.mul_(1 - _RATE * _DECAY)
            self._mean.lerp_(self._slope, 1 - _BETAS[0])
            self._square.mul_(_BETAS[1]).addcmul_(self._slope, self._slope, value=1 - _BETAS[1])
            root = (self._square.sqrt() / second**0.5).add_(_EPSILON)
            self._row.addcdiv_(self._mean, root, value=-_RATE / first)


@dataclass(frozen=True)
class _Standard:
    """Standardisations of F networks: (F, 1, d) means and deviations."""

    mean: Tensor
    scale: Tensor

    @classmethod
    def of(cls, pairs: Sequence[tuple[Array, Array]]) -> _Standard:
        mean, scale = (torch.as_tensor(np.stack(each)).float()[:, None] for each in zip(*pairs, strict=True))
        return cls(mean, scale)

    def of_fold(self, f: int) -> _Standard:
        return _Standard(self.mean[f : f + 1], self.scale[f : f + 1])

    def __call__(self, raw: Tensor) -> Tensor:
        """(F, n, d) of rows (n, d)."""
        return (raw - self.mean) / self.scale


def _forward(networks: Sequence[Tensor], rows: Tensor) -> Tensor:
    """(F, n, k) logits of F networks for rows (F, n, r)."""
    first, hidden_bias, second, out_bias = networks
    hidden = torch.nn.functional.gelu(torch.baddbmm(hidden_bias[:, None], rows, first), approximate="tanh")
    return torch.baddbmm(out_bias[:, None], hidden, second)


def _gelu(x: Array) -> Array:
    """The tanh form of GELU (Hendrycks & Gimpel 2016), as in training."""
    return np.asarray(0.5 * x * (1.0 + np.tanh(_GELU[0] * (x + _GELU[1] * x**3))))
