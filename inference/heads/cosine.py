"""Nearest class mean on the unit sphere, with exact leave-one-out scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.utils.validation import check_is_fitted

from inference.heads.base import Array, Examples, Head, Progress
from inference.heads.folds import choose, cross_fitted, training_size
from inference.logistic import standardisation


class CosineHead(Head):
    """Softmax over cosines between a standardised row and the class means of unit rows (Snell et al. 2017's prototypes on
    the sphere; Gidaris & Komodakis 2018's scaled cosine, the scale being 1 / temperature_).

    Without row u of class c, the class's sum of unit rows is s_c - u: leave-one-out scores cost nothing. Classes have one
    mean each, whatever their size, so they are balanced by construction.

    Args:
        seed, cv: of the folds on which temperatures are fitted for each other's rows in ``out_of_fold_proba_``.

    Attributes:
        mean_, scale_: (d,) standardisation.
        prototypes_: (k, d) unit class means.
    """

    kind = "cosine"

    mean_: Array
    scale_: Array
    prototypes_: Array

    def __init__(self, *, cv: int = 5, seed: int = 0) -> None:
        self.cv = cv
        self.seed = seed

    def _learn(
        self, given: Examples, fold: npt.NDArray[np.intp], groups: npt.ArrayLike | None, report: Progress
    ) -> None:
        n, k = len(given.rows), len(given.classes)
        counts = given.sample_weight if given.weighted else None
        member = np.arange(n) if groups is None else np.unique(np.asarray(groups), return_inverse=True)[1]
        self.mean_, self.scale_ = standardisation(given.rows)
        unit = self._unit(given.rows)
        weighted = unit * given.sample_weight[:, None]
        sums = np.zeros((k, unit.shape[1]))
        np.add.at(sums, given.column, weighted)
        held_out = np.empty((n, k))
        for each in np.split(np.argsort(member, kind="stable"), np.flatnonzero(np.diff(np.sort(member))) + 1):
            left = sums.copy()
            np.subtract.at(left, given.column[each], weighted[each])
            length = np.linalg.norm(left, axis=1)
            # A class of which nothing is left says nothing either way.
            held_out[each] = unit[each] @ (left / np.where(length > 1e-9, length, 1.0)[:, None]).T
        _, self.temperature_ = choose(held_out[None], given.column, weight=counts)
        self.out_of_fold_proba_ = cross_fitted(held_out[None], given.column, fold, weight=counts)
        self.out_of_fold_size_ = training_size(member)
        length = np.linalg.norm(sums, axis=1, keepdims=True)
        self.prototypes_ = sums / np.where(length > 1e-12, length, 1.0)
        report(1, 1)

    def logits(self, X: npt.ArrayLike) -> Array:
        return np.asarray(self._unit(self._rows(X)) @ self.prototypes_.T / self.temperature_)

    def to_arrays(self) -> dict[str, npt.NDArray[Any]]:
        check_is_fitted(self, "prototypes_")
        return {
            "mean": self.mean_,
            "scale": self.scale_,
            "prototypes": np.ascontiguousarray(self.prototypes_),
            "temperature": np.asarray([self.temperature_]),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]], classes: Sequence[Any]) -> Self:
        head = cls()
        head.classes_ = np.asarray(classes)
        head.mean_ = np.asarray(arrays["mean"], dtype=np.float64)
        head.scale_ = np.asarray(arrays["scale"], dtype=np.float64)
        head.prototypes_ = np.asarray(arrays["prototypes"], dtype=np.float64)
        head.temperature_ = float(arrays["temperature"][0])
        k = len(head.classes_)
        if head.prototypes_.shape != (k, *head.mean_.shape) or head.scale_.shape != head.mean_.shape:
            raise ValueError(f"Arrays do not fit {k} classes: prototypes {head.prototypes_.shape}.")
        head.n_features_in_ = head.prototypes_.shape[1]
        return head

    def _unit(self, rows: npt.NDArray[Any]) -> Array:
        centred = (rows - self.mean_) / self.scale_
        length = np.linalg.norm(centred, axis=1, keepdims=True)
        return np.asarray(centred / np.where(length > 1e-12, length, 1.0))
