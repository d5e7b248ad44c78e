"""One head a backbone, each on its own block of columns, fused late: the mean of their calibrated logits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate, pairwise
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted

from inference import calibrate
from inference.heads.auto import KINDS, choose_head
from inference.heads.base import Array, Head, LinearHead, Progress, examples
from inference.onnx_graph import Graph


class FusedHead(Head):
    """Softmax of the mean of its parts' calibrated logits: their normalised geometric mean (the product rule of Kittler et
    al., On Combining Classifiers, 1998, under equal weights that sum to one; Hinton's logarithmic opinion pool).

    Each part sees its own columns of X, side by side as ``widths`` say. Out of fold the same is done with the parts'
    out-of-fold probabilities, which have had no part of a row's own label.

    Args:
        widths: columns of each block, in order; () for one block of all columns.
        kinds: what each part is chosen from, the reference first; see ``choose_head``.
        heads: unfitted heads, one a block, to fit instead of choosing.
        cv, seed: of the folds, which all parts share.
        device: where logistic parts are solved.

    Attributes:
        parts_: the fitted heads, one a block.
        widths_: columns of each block.
        temperature_: 1; the parts' own temperatures are in their logits.
        coef_, intercept_: (k, d), (k,) on all columns side by side, where every part is linear; no attributes otherwise.
    """

    kind = "fused"

    parts_: tuple[Head, ...]
    widths_: tuple[int, ...]

    def __init__(
        self,
        *,
        widths: Sequence[int] = (),
        kinds: Sequence[str] = ("auto",),
        heads: Sequence[Head] = (),
        cv: int = 5,
        seed: int = 0,
        device: str = "cpu",
    ) -> None:
        self.widths = widths
        self.kinds = kinds
        self.heads = heads
        self.cv = cv
        self.seed = seed
        self.device = device

    @classmethod
    def of(cls, parts: Sequence[Head]) -> FusedHead:
        """The fused head of heads that are fitted already, on the same rows, classes and folds.

        Fitted anew, it fits heads of the same kinds and parameters. Parts that came from the disk hold no out-of-fold
        rows; then it holds none either.

        Raises:
            ValueError: no parts, parts of different classes or numbers of rows, or one that answers several questions.
        """
        if not parts:
            raise ValueError("A fused head needs at least one part.")
        first = parts[0]
        for each in parts:
            if each.link != "softmax" or each.kind not in KINDS:
                raise ValueError(f"A head of kind {each.kind} cannot be part of a fused one.")
            if list(each.classes_) != list(first.classes_):
                raise ValueError("Parts of a fused head need the same classes, in the same order.")
            if (each.cv, each.seed) != (first.cv, first.seed):
                raise ValueError("Parts of a fused head must be judged in the same folds.")
        widths = tuple(int(each.n_features_in_) for each in parts)
        head = cls(widths=widths, heads=[clone(each) for each in parts], cv=first.cv, seed=first.seed)
        head._hold(parts)
        return head

    def _fit(
        self,
        X: npt.ArrayLike,
        y: npt.ArrayLike,
        sample_weight: npt.ArrayLike | None,
        groups: npt.ArrayLike | None,
        report: Progress,
    ) -> None:
        given = examples(X, y, sample_weight, of=self)
        blocks = self._blocks(given.rows.shape[1])
        weight = given.sample_weight if given.weighted else None
        parts: list[Head] = []
        for index, block in enumerate(blocks):

            def within(done: int, total: int, index: int = index) -> None:
                report(100 * index + 100 * done // max(total, 1), 100 * len(blocks))

            rows = given.rows[:, block]
            if self.heads:
                head = clone(self.heads[index]).set_params(cv=self.cv, seed=self.seed)
                parts.append(
                    head.fit(rows, given.column, on_progress=within, sample_weight=weight, groups=groups)
                )
            else:
                chosen = choose_head(
                    rows,
                    given.column,
                    kinds=self.kinds,
                    cv=self.cv,
                    seed=self.seed,
                    on_progress=within,
                    sample_weight=weight,
                    groups=groups,
                    device=self.device,
                )
                parts.append(chosen.head)
        for part in parts:
            part.classes_ = given.classes
        self._hold(parts)

    def _blocks(self, features: int) -> list[slice]:
        widths = [int(width) for width in self.widths] or [features]
        if min(widths) < 1 or sum(widths) != features:
            raise ValueError(f"Blocks of {widths} columns do not make up {features} features.")
        if len(self.heads) not in (0, len(widths)):
            raise ValueError(f"{len(self.heads)} heads for {len(widths)} blocks of columns.")
        return _slices(widths)

    def _hold(self, parts: Sequence[Head]) -> None:
        self.parts_ = tuple(parts)
        self.widths_ = tuple(int(part.n_features_in_) for part in parts)
        self.n_features_in_ = sum(self.widths_)
        self.classes_ = parts[0].classes_
        self.temperature_ = 1.0
        held_out = [part.out_of_fold_proba_ for part in parts if hasattr(part, "out_of_fold_proba_")]
        if len(held_out) < len(parts):
            return
        if len({proba.shape for proba in held_out}) > 1:
            raise ValueError("Parts of a fused head must be fitted on the same rows.")
        known = parts[0].out_of_fold_known_
        if any((part.out_of_fold_known_ != known).any() for part in parts):
            raise ValueError("Parts of a fused head must be judged in the same folds.")
        self.out_of_fold_proba_ = mean_logits(held_out, known)
        self.out_of_fold_known_ = known
        self.out_of_fold_size_ = float(np.mean([part.out_of_fold_size_ for part in parts]))

    def settings(self) -> dict[str, Any]:
        return {
            "temperature": self.temperature_,
            "widths": list(self.widths_),
            "parts": [{"kind": part.kind, **part.settings()} for part in self.parts_],
        }

    def logits(self, X: npt.ArrayLike) -> Array:
        rows = self._rows(X)
        found = [
            part.logits(rows[:, block])
            for part, block in zip(self.parts_, _slices(self.widths_), strict=True)
        ]
        return np.asarray(np.mean(found, axis=0) / self.temperature_)

    def express(self, graph: Graph, rows: str) -> str:
        found = [
            part.express(graph, graph.columns(rows, block.start, block.stop))
            for part, block in zip(self.parts_, _slices(self.widths_), strict=True)
        ]
        return graph.op("Div", graph.op("Sum", *found), graph.constant(len(found) * self.temperature_))

    @property
    def coef_(self) -> Array:
        """(k, d) on all columns side by side."""
        return np.concatenate([part.coef_ / part.temperature_ for part in self._linear()], axis=1) / len(
            self.parts_
        )

    @property
    def intercept_(self) -> Array:
        """(k,)."""
        return np.asarray(np.mean([part.intercept_ / part.temperature_ for part in self._linear()], axis=0))

    def _linear(self) -> list[LinearHead]:
        linear = [part for part in getattr(self, "parts_", ()) if isinstance(part, LinearHead)]
        if not linear or len(linear) < len(self.parts_):
            raise AttributeError("Only a fused head whose parts are all linear has coefficients.")
        return linear

    def to_arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Each part's arrays as ``PLACE/KIND/NAME``, and the temperature."""
        check_is_fitted(self, "parts_")
        arrays = {
            f"{place}/{part.kind}/{name}": array
            for place, part in enumerate(self.parts_)
            for name, array in part.to_arrays().items()
        }
        return {"temperature": np.asarray([self.temperature_]), **arrays}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]], classes: Sequence[Any]) -> Self:
        found: dict[int, tuple[str, dict[str, npt.NDArray[Any]]]] = {}
        for key in arrays:
            if key == "temperature":
                continue
            place, kind, name = key.split("/")
            known, own = found.setdefault(int(place), (kind, {}))
            if known != kind:
                raise ValueError(f"Part {place} is of two kinds, {known} and {kind}.")
            own[name] = arrays[key]
        if not found or sorted(found) != list(range(len(found))):
            raise ValueError(f"Parts {sorted(found)} do not make up a fused head.")
        parts: list[Head] = []
        for _place, (kind, own) in sorted(found.items()):
            if kind not in KINDS:
                raise LookupError(f"No head of kind {kind}.")
            parts.append(KINDS[kind].from_arrays(own, classes))
        head = cls(widths=tuple(int(part.n_features_in_) for part in parts), heads=[clone(p) for p in parts])
        head._hold(parts)
        head.temperature_ = float(arrays["temperature"][0])
        return head


def mean_logits(parts: Sequence[Array], known: npt.NDArray[np.bool_]) -> Array:
    """(n, k) the softmax of the mean of the parts' logits, from their probabilities (n, k) out of fold.

    A mean of log-probabilities is a mean of logits but for what a row's columns have in common. A class that no fit of a row
    knew (``known``, (n, k)) keeps what every part gave it: parts that contradict each other say nothing for it.
    """
    logs = np.log(np.maximum(np.stack(parts), np.finfo(np.float64).tiny)).mean(axis=0)
    unseen = np.where(known, 0.0, parts[0])
    left = 1.0 - unseen.sum(axis=1, keepdims=True)
    return np.asarray(unseen + left * calibrate.softmax(np.where(known, logs, -np.inf)))


def _slices(widths: Sequence[int]) -> list[slice]:
    return [slice(*ends) for ends in pairwise([0, *accumulate(widths)])]
