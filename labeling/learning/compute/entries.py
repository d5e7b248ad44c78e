"""One backbone's part in a training."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from inference.backbones import Backbone
from inference.store import EmbeddingStore
from inference.train import TrainedHead


@dataclass(frozen=True)
class Entry:
    """Where its embeddings are, those of the training set (n, d), and the head made of them."""

    backbone: Backbone
    store: EmbeddingStore
    X: npt.NDArray[np.float32]
    trained: TrainedHead
