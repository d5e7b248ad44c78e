"""Several backbones' vectors of the same photos, read as one row each: what a head that fuses backbones is asked with.

Each backbone keeps a store of its own. Nothing is stored twice: rows are put side by side as they are read.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from inference.store import Floats, Located, MissingKeys, Vectors


@dataclass(frozen=True)
class SidePlaces:
    """Where the parts of n rows are, an entry a store. A row is found where all of its parts are."""

    parts: tuple[Located, ...]

    def __len__(self) -> int:
        return len(self.parts[0])

    def __getitem__(self, which: Any) -> SidePlaces:
        return SidePlaces(tuple(part[which] for part in self.parts))

    @property
    def found(self) -> npt.NDArray[np.bool_]:
        return np.asarray(np.logical_and.reduce([part.found for part in self.parts]))

    def in_disk_order(self) -> npt.NDArray[np.int64]:
        """(n,) the order of the first store: embedded photo by photo, the others lie much the same."""
        return self.parts[0].in_disk_order()


class SideBySide:
    """Stores whose vectors of a photo make up one row, in the order given. A photo is missing where any store lacks it."""

    def __init__(self, stores: Sequence[Vectors]) -> None:
        """Raises :class:`ValueError` without a store."""
        if not stores:
            raise ValueError("Rows side by side need at least one store.")
        self._stores = tuple(stores)

    @property
    def dim(self) -> int:
        return sum(store.dim for store in self._stores)

    @property
    def folders(self) -> tuple[Path, ...]:
        """Of all stores, in order: two that read the same ones in the same order are alike."""
        return tuple(folder for store in self._stores for folder in store.folders)

    def missing(self, keys: Iterable[str]) -> list[str]:
        """Those of ``keys`` that some store has no vector of, in the order given, each once."""
        wanted = list(dict.fromkeys(keys))
        lacking = {key for store in self._stores for key in store.missing(wanted)}
        return [key for key in wanted if key in lacking]

    def rows(self, keys: Sequence[str]) -> Floats:
        """(n, dim) rows of ``keys``, in their order, repeats allowed.

        Raises:
            MissingKeys: some are missing; it names those of all stores.
        """
        if lacking := self.missing(keys):
            raise MissingKeys(lacking)
        return np.concatenate([store.rows(keys) for store in self._stores], axis=1)

    def locate(self, digests: bytes) -> SidePlaces:
        """Where the rows of n keys are, given as n digests of 32 bytes, end to end."""
        return SidePlaces(tuple(store.locate(digests) for store in self._stores))

    def at(self, places: SidePlaces) -> Floats:
        """(n, dim) rows at ``places``, in their order. Raises :class:`IndexError` where one has no vector."""
        return np.concatenate(
            [store.at(part) for store, part in zip(self._stores, places.parts, strict=True)], axis=1
        )
