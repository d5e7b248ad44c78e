"""What is usual at each place of each feature map, estimated from a pool without labels.

Every photo of an inspection station shows the same thing in the same place. The mean and deviation of a map's value
there, over the pool, say what is usual there; how far a photo is from it says where to look. This is how PaDiM (Defard et
al. 2021) models normal photos, without its covariances, and what AdaBN (Li et al. 2016) does to a whole domain, by place.

Sums are streamed, so that memory does not depend on the pool, and they can be stored and gone on with. Imports no torch.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from inference.domain.modes import Modes

Floats = npt.NDArray[np.float32]
Sums = npt.NDArray[np.float64]
#: (channels, height, width) of one stage's map.
Shape = tuple[int, int, int]

#: Of a stage's median deviation, added to every deviation: a place where nothing ever happens would shout otherwise.
FLOOR = 0.1


@dataclass(frozen=True)
class DomainStatistics:
    """Per mode and place: mean and scale of every stage's map.

    Attributes:
        base_hash: content hash of the backbone whose maps these are.
        flips: "" or the mirror images that were counted in and are looked at, see ``inference.backbones.views``.
        shapes: of the stages' maps.
        mean, scale: (modes, values) float32, all stages' maps end to end, each in C order; ``scale`` is positive.
        modes: how a photo's mode is told.
        counts: photos in each mode.
    """

    base_hash: str
    flips: str
    shapes: tuple[Shape, ...]
    mean: Floats
    scale: Floats
    modes: Modes
    counts: tuple[int, ...]

    @property
    def photos(self) -> int:
        return sum(self.counts)

    def to_arrays(self) -> dict[str, npt.NDArray[np.float32]]:
        return {
            "mean": self.mean,
            "scale": self.scale,
            "mode_weight": self.modes.weight,
            "mode_bias": self.modes.bias,
        }

    @property
    def digest(self) -> str:
        """SHA-256 (hex) over all that changes a vector."""
        digest = hashlib.sha256(f"{self.base_hash} {self.flips} {self.shapes}".encode())
        for name, array in sorted(self.to_arrays().items()):
            digest.update(f"{name} {array.shape}".encode())
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()


class StreamedSums:
    """Sums and sums of squares of maps, mode by mode; may be stored at any moment and gone on with.

    Values are shifted by the first photos' mean, so that squares lose no digits to a large mean.
    """

    def __init__(self, modes: int, values: int) -> None:
        self.shift: Sums | None = None
        self.count = np.zeros(modes, dtype=np.int64)
        self.total = np.zeros((modes, values))
        self.squares = np.zeros((modes, values))

    def add(self, maps: Floats, mode: npt.NDArray[np.int64]) -> None:
        """``maps``: (n, values), ``mode``: (n,)."""
        if len(maps) == 0:
            return
        if self.shift is None:
            self.shift = maps.mean(axis=0, dtype=np.float64)
        centred = maps - self.shift.astype(np.float32)
        for each in np.unique(mode):
            rows = centred[mode == each]
            self.count[each] += len(rows)
            self.total[each] += rows.sum(axis=0, dtype=np.float64)
            self.squares[each] += np.einsum("nv,nv->v", rows, rows, dtype=np.float64)

    def mean_and_deviation(self) -> tuple[Sums, Sums]:
        """(modes, values) each."""
        if self.shift is None or (self.count == 0).any():
            raise ValueError("A mode without photos has no statistics.")
        mean = self.total / self.count[:, None]
        variance = np.maximum(self.squares / self.count[:, None] - mean**2, 0.0)
        return mean + self.shift.astype(np.float32), np.sqrt(variance)

    def to_arrays(self) -> dict[str, npt.NDArray[np.float64 | np.int64]]:
        shift = np.empty(0) if self.shift is None else self.shift
        return {"shift": shift, "count": self.count, "total": self.total, "squares": self.squares}

    @classmethod
    def from_arrays(cls, arrays: dict[str, npt.NDArray[np.float64 | np.int64]]) -> StreamedSums:
        sums = cls(*arrays["total"].shape)
        sums.shift = None if arrays["shift"].size == 0 else arrays["shift"].astype(np.float64)
        sums.count = arrays["count"].astype(np.int64)
        sums.total = arrays["total"].astype(np.float64)
        sums.squares = arrays["squares"].astype(np.float64)
        return sums


def scales(deviation: Sums, shapes: tuple[Shape, ...]) -> Sums:
    """(modes, values) deviations with the floor added, stage by stage and mode by mode."""
    out = deviation.copy()
    start = 0
    for shape in shapes:
        stop = start + int(np.prod(shape))
        out[:, start:stop] += FLOOR * np.median(deviation[:, start:stop], axis=1, keepdims=True)
        start = stop
    # A map that is the same in every photo, as a dead channel's stage may be.
    return np.maximum(out, 1e-6)
