"""The head of a classifier that was brought in: its logits as they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from inference.heads.base import Examples, LinearHead, Progress


class GivenHead(LinearHead):
    """Softmax of rows that are logits of the classes already, in their order. Nothing of it is fitted.

    A head that is trained on the same rows calibrates them: logistic regression on logits is Platt's scaling (1999) of two
    classes, and matrix scaling (Guo et al. 2017) of more.
    """

    kind = "given"

    @classmethod
    def of(cls, classes: Sequence[Any]) -> Self:
        k = len(classes)
        arrays = {name: np.asarray([value]) for name, value in (("temperature", 1.0), ("strength", 1.0))}
        return cls.from_arrays({"coef": np.eye(k), "intercept": np.zeros(k), **arrays}, classes)

    def settings(self) -> dict[str, Any]:
        return {"temperature": float(self.temperature_)}

    def fit_in(self, space: Any, given: Examples, groups: npt.ArrayLike | None, report: Progress) -> None:
        raise NotImplementedError("What was brought in is not fitted. Train a head on its rows instead.")
