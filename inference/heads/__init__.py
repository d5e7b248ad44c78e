"""Small classifiers on top of frozen embeddings, one kind a file.

Know nothing of backbones, projects or where labels come from.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy.typing as npt

from inference.heads.auto import KINDS, Choice, automatic, choose_head
from inference.heads.base import Head, LinearHead, Progress, TooFewLabels
from inference.heads.cosine import CosineHead
from inference.heads.fused import FusedHead
from inference.heads.given import GivenHead
from inference.heads.lda import LdaHead
from inference.heads.logistic import LogisticHead
from inference.heads.mlp import MlpHead
from inference.heads.multilabel import MultiLabelHead
from inference.heads.ridge import RidgeHead

__all__ = [
    "KINDS",
    "Choice",
    "CosineHead",
    "FusedHead",
    "GivenHead",
    "Head",
    "LdaHead",
    "LinearHead",
    "LogisticHead",
    "MlpHead",
    "MultiLabelHead",
    "Progress",
    "RidgeHead",
    "TooFewLabels",
    "automatic",
    "choose_head",
    "from_arrays",
]


def from_arrays(kind: str, arrays: Mapping[str, npt.NDArray[Any]], classes: Sequence[Any]) -> Head:
    """A fitted head of ``kind`` from its ``to_arrays()`` and class labels.

    Raises:
        LookupError: no such kind.
        KeyError, ValueError: arrays are missing, or do not belong together.
    """
    known: dict[str, type[Head]] = {
        **KINDS,
        **{each.kind: each for each in (FusedHead, GivenHead, MultiLabelHead)},
    }
    if kind not in known:
        raise LookupError(f"No head of kind {kind}.")
    return known[kind].from_arrays(arrays, classes)
