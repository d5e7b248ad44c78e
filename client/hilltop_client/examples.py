"""What a head learns from: vectors and labels of a moment, split by the photos themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from hilltop_client.embeddings import Matrix

if TYPE_CHECKING:
    import numpy

    from hilltop_client.torch_data import LabeledVectors


@dataclass(frozen=True)
class Examples:
    """``vectors`` (n, d) float32 of the photos ``sha256`` (n), whose ``labels`` (n) are keys of ``classes``.

    ``backbones``: whose columns stand side by side, in order.
    """

    sha256: list[str]
    vectors: numpy.ndarray
    labels: list[str]
    classes: list[str]
    backbones: list[dict[str, Any]]

    @classmethod
    def joined(cls, matrix: Matrix, labels: Iterable[dict[str, Any]], classes: list[str]) -> Examples:
        """Photos that have both. A class that is out of use has none."""
        known = {row["sha256"]: row["class_now"] for row in labels}
        rows = [row for row, sha256 in enumerate(matrix.sha256) if known.get(sha256) in classes]
        return cls(
            [matrix.sha256[row] for row in rows],
            matrix.vectors[rows],
            [known[matrix.sha256[row]] for row in rows],
            classes,
            matrix.backbones,
        )

    def __len__(self) -> int:
        return len(self.sha256)

    def split(self, held_out: float = 0.2) -> tuple[Examples, Examples]:
        """(to learn from, held out). A photo's hash says where it belongs, so it is on the same side the next time, too."""
        if not 0 < held_out < 1:
            raise ValueError("The share that is held out lies between 0 and 1.")
        out = [int(sha256[:8], 16) < held_out * 2**32 for sha256 in self.sha256]
        return self._only([not each for each in out]), self._only(out)

    def torch(self) -> LabeledVectors:
        """(vector, number of its class) a photo, for a ``DataLoader``."""
        from hilltop_client.torch_data import LabeledVectors

        return LabeledVectors(self)

    def _only(self, which: list[bool]) -> Examples:
        rows = [row for row, each in enumerate(which) if each]
        return replace(
            self,
            sha256=[self.sha256[row] for row in rows],
            vectors=self.vectors[rows],
            labels=[self.labels[row] for row in rows],
        )


def in_force(as_of: datetime | None) -> Callable[[dict[str, Any]], bool]:
    """Of the API's ground truths those that are a class, settled by people on a photo that is no gold: now, or then."""

    def is_class(row: dict[str, Any]) -> bool:
        return bool(row["kind"] == "class" and row["origin"] != "gold")

    if as_of is None:
        return is_class
    then = as_of if as_of.tzinfo else as_of.astimezone()

    def was(row: dict[str, Any]) -> bool:
        ended = row["superseded_at"]
        return (
            is_class(row)
            and datetime.fromisoformat(row["created_at"]) <= then
            and (ended is None or datetime.fromisoformat(ended) > then)
        )

    return was
