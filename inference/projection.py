"""Embeddings in few dimensions that keep who lies near whom: what is looked through to find photos alike.

Vectors are standardised by a sample, as :func:`inference.explain.similarities` compares them, brought to length one, and
turned onto the sample's principal axes (Pearson 1901). Between two of them the squared distance is then ``2 - 2 cos``, less
what the axes that were left out hold. A fit is kept: photos that come later are projected as the first ones were.
"""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

#: Axes that are kept; of a smaller space the others are zero.
DIM = 256
#: Bits of a sign code.
BITS = 256
#: Seed of the directions by which sign codes are made: the same for all.
_TURN = 20_261_130


@dataclass(frozen=True)
class Projection:
    """``mean`` and ``scale`` (d,) of the sample, ``axes`` (d, DIM); ``kept``: the share of the sample's variance on them."""

    mean: Floats
    scale: Floats
    axes: Floats
    kept: float

    @classmethod
    def fit(cls, sample: Floats) -> Projection:
        """Fit to (n, d) vectors. Raises :class:`ValueError` for none."""
        if sample.ndim != 2 or not len(sample):
            raise ValueError(f"A projection needs at least one vector; got {sample.shape}.")
        mean, deviation = sample.mean(axis=0), sample.std(axis=0)
        scale = deviation + max(0.1 * float(np.median(deviation)), 1e-6)
        unit = _unit((sample - mean) / scale)
        # About the origin, not about the mean: what is kept is the length of differences and of the vectors themselves.
        second = (unit.T @ unit).astype(np.float64) / len(unit)
        values, vectors = np.linalg.eigh(second)
        best = np.argsort(values)[::-1][:DIM]
        axes = np.zeros((sample.shape[1], DIM), dtype=np.float32)
        axes[:, : len(best)] = vectors[:, best]
        total = float(values.sum())
        kept = float(values[best].sum()) / total if total > 0 else 1.0
        return cls(mean.astype(np.float32), scale.astype(np.float32), axes, min(kept, 1.0))

    def __call__(self, rows: Floats) -> Floats:
        """(n, d) vectors to (n, DIM)."""
        projected: Floats = (_unit((rows - self.mean) / self.scale) @ self.axes).astype(np.float32)
        return projected

    def to_bytes(self) -> bytes:
        file = io.BytesIO()
        np.savez(file, mean=self.mean, scale=self.scale, axes=self.axes, kept=np.float64(self.kept))
        return file.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> Projection:
        with np.load(io.BytesIO(data), allow_pickle=False) as read:
            return cls(read["mean"], read["scale"], read["axes"], float(read["kept"]))


def sign_codes(rows: Floats) -> npt.NDArray[np.uint8]:
    """(n, BITS / 8) codes of projected vectors (n, DIM): the share of bits that differ is their angle over pi, on average.

    Charikar 2002, "Similarity estimation techniques from rounding algorithms": the signs along random directions.
    """
    directions = np.random.default_rng(_TURN).normal(size=(DIM, BITS)).astype(np.float32)
    return np.packbits(rows @ directions > 0, axis=1)


def _unit(rows: Floats) -> Floats:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.where(lengths > 0, lengths, 1.0), dtype=np.float32)
