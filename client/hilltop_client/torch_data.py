"""Data sets of torch: vectors, or the pictures themselves, each with the number of its class."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch.utils.data import Dataset

if TYPE_CHECKING:
    from hilltop_client.examples import Examples
    from hilltop_client.project import Project


class LabeledVectors(Dataset[tuple[torch.Tensor, torch.Tensor]]):
    """(d,) float32 and a class number, a photo."""

    def __init__(self, examples: Examples) -> None:
        self.classes = examples.classes
        self.vectors = torch.from_numpy(examples.vectors)
        number = {key: place for place, key in enumerate(examples.classes)}
        self.targets = torch.tensor([number[key] for key in examples.labels])

    def __len__(self) -> int:
        return len(self.targets)

    def __getitem__(self, place: int) -> tuple[torch.Tensor, torch.Tensor]:
        return self.vectors[place], self.targets[place]


class LabeledPhotos(Dataset[tuple[Any, int]]):
    """Pictures as people see them, fetched when they are asked for. ``transform``: from Pillow's picture to a tensor."""

    def __init__(
        self,
        project: Project,
        labels: Iterable[dict[str, Any]],
        transform: Callable[[Any], Any],
        *,
        classes: Sequence[str] = (),
    ) -> None:
        self.classes = list(classes or project.classes)
        self._project, self._transform = project, transform
        self._rows = [(row["sha256"], row["class_now"]) for row in labels if row["class_now"] in self.classes]

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, place: int) -> tuple[Any, int]:
        from PIL import Image

        sha256, key = self._rows[place]
        with Image.open(io.BytesIO(self._project.photo(sha256))) as picture:
            return self._transform(picture.convert("RGB")), self.classes.index(key)
