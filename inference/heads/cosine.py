"""Nearest class mean on the unit sphere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.utils.validation import check_is_fitted

from inference.heads.base import Array, Examples, Head, Progress
from inference.logistic import standardisation
from inference.onnx_graph import Graph

#: A row no longer than this, standardised, lies in the middle of all and has no direction.
_NO_LENGTH = 1e-12


class CosineHead(Head):
    """Softmax over cosines between a standardised row and the class means of unit rows (Snell et al. 2017's prototypes on
    the sphere; Gidaris & Komodakis 2018's scaled cosine, the scale being 1 / temperature_).

    Classes have one mean each, whatever their size, so they are balanced by construction. Held-out rows are standardised
    by the others, as rows that are centred together lie a little away from each other: a class that lacks the row would
    be told by it.

    Args:
        balanced: True: leave it at that; False: the classes' shares count; None: held-out rows choose how far.
        seed, cv: of the folds.

    Attributes:
        mean_, scale_: (d,) standardisation.
        prototypes_: (k, d) unit class means.
    """

    kind = "cosine"

    mean_: Array
    scale_: Array
    prototypes_: Array

    def __init__(self, *, cv: int = 5, balanced: bool | None = None, seed: int = 0) -> None:
        self.cv = cv
        self.balanced = balanced
        self.seed = seed

    def _counts_alike(self) -> bool | None:
        return self.balanced

    def _held_out(self, space: Any, given: Examples, fold: npt.NDArray[np.intp], report: Progress) -> Array:
        k, folds = len(given.classes), int(fold.max()) + 1
        held_out = np.zeros((1, len(given.rows), k))
        for f in range(folds):
            inside = fold == f
            if not inside.all():
                self._fit_means(given.only(~inside))
                held_out[0, inside] = self._cosines(given.rows[inside])
            report(f + 1, folds + 1)
        return held_out

    def _settle(self, space: Any, given: Examples, setting: int, report: Progress) -> None:
        self._fit_means(given)
        report(1, 1)

    def _fit_means(self, given: Examples) -> None:
        self.mean_, self.scale_ = standardisation(given.rows)
        share = np.eye(len(given.classes))[given.column] * given.sample_weight[:, None]
        sums = share.T @ self._unit(given.rows)
        length = np.linalg.norm(sums, axis=1, keepdims=True)
        self.prototypes_ = sums / np.where(length > _NO_LENGTH, length, 1.0)

    def _cosines(self, rows: npt.NDArray[Any]) -> Array:
        return np.asarray(self._unit(rows) @ self.prototypes_.T)

    def logits(self, X: npt.ArrayLike) -> Array:
        return np.asarray(self._cosines(self._rows(X)) / self.temperature_ + self.offset_)

    def express(self, graph: Graph, rows: str) -> str:
        centred = graph.standardised(rows, self.mean_, self.scale_)
        length = graph.op("ReduceL2", centred, axes=[1], keepdims=1)
        unit = graph.op("Div", centred, graph.op("Max", length, graph.constant(_NO_LENGTH)))
        return graph.affine(unit, self.prototypes_ / self.temperature_, self.offset_)

    def to_arrays(self) -> dict[str, npt.NDArray[Any]]:
        check_is_fitted(self, "prototypes_")
        return {
            "mean": self.mean_,
            "scale": self.scale_,
            "prototypes": np.ascontiguousarray(self.prototypes_),
            "temperature": np.asarray([self.temperature_]),
            "prior": np.asarray([self.prior_]),
            "shares": self.shares_,
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]], classes: Sequence[Any]) -> Self:
        head = cls()
        head.classes_ = np.asarray(classes)
        head.mean_ = np.asarray(arrays["mean"], dtype=np.float64)
        head.scale_ = np.asarray(arrays["scale"], dtype=np.float64)
        head.prototypes_ = np.asarray(arrays["prototypes"], dtype=np.float64)
        head.temperature_ = float(arrays["temperature"][0])
        head._read_prior(arrays)
        k = len(head.classes_)
        if head.prototypes_.shape != (k, *head.mean_.shape) or head.scale_.shape != head.mean_.shape:
            raise ValueError(f"Arrays do not fit {k} classes: prototypes {head.prototypes_.shape}.")
        head.n_features_in_ = head.prototypes_.shape[1]
        return head

    def _unit(self, rows: npt.NDArray[Any]) -> Array:
        centred = (rows - self.mean_) / self.scale_
        length = np.linalg.norm(centred, axis=1, keepdims=True)
        return np.asarray(centred / np.where(length > _NO_LENGTH, length, 1.0))
