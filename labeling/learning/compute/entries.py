"""One backbone's part in a training, or that of several whose heads are fused."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from inference import train
from inference.backbones import Backbone
from inference.side_by_side import SideBySide
from inference.store import Vectors
from inference.train import TrainedHead
from labeling.learning.models import FUSED_BY


@dataclass(frozen=True)
class Entry:
    """Where its embeddings are, those of the training set (n, d), and the head made of them.

    ``backbones``: several where it is fused, and their vectors then stand side by side in the rows, in their order.
    ``judged``: (n,) the rows that may judge it; None where all may.
    """

    backbones: tuple[Backbone, ...]
    store: Vectors
    X: npt.NDArray[np.float32]
    trained: TrainedHead
    judged: npt.NDArray[np.bool_] | None = None

    @property
    def name(self) -> str:
        return FUSED_BY.join(each.name for each in self.backbones)

    @property
    def content_hash(self) -> str:
        """The backbone's; of several, the SHA-256 over theirs (hex, end to end)."""
        if len(self.backbones) == 1:
            return self.backbones[0].content_hash
        return hashlib.sha256("".join(each.content_hash for each in self.backbones).encode()).hexdigest()

    def parts(self) -> list[dict[str, Any]]:
        """As a manifest tells them; see :attr:`labeling.learning.models.ModelVersion.parts`."""
        return [
            {"backbone": each.name, "backbone_hash": each.content_hash, "dim": each.dim}
            for each in self.backbones
        ]


def fused(entries: Sequence[Entry], labels: Sequence[str], *, seed: int) -> Entry:
    """The entries as one: their heads' mean of calibrated logits. ``labels`` (n,): class keys of the rows."""
    return Entry(
        tuple(backbone for entry in entries for backbone in entry.backbones),
        SideBySide([entry.store for entry in entries]),
        np.concatenate([entry.X for entry in entries], axis=1),
        train.fuse([entry.trained for entry in entries], labels, seed=seed),
    )
