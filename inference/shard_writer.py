"""New shards of a store of vectors: checked, whole when they appear, durable when they are named.

A writer reads nothing of the store, so any number may write on machines that hold none of it.
"""

from __future__ import annotations

import os
import secrets
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from inference import shards
from inference.on_disk import make_folder, publish, system_errors


class Elsewhere(Protocol):
    """The store that a folder is a copy of. Shards are known by their names, and never change."""

    def follow(self) -> None:
        """Bring into the folder what is there, and remove from it what is there no more."""

    def put(self, name: str, folder: Path) -> None:
        """Durable there when it returns; the caller then moves ``folder`` to its name here."""

    def drop(self, name: str) -> None:
        """Remove it there and here."""


class ShardWriter:
    """Writes shards of ``dim`` numbers a vector into ``folder``, which is made when absent, and what it is a copy of."""

    def __init__(self, folder: Path, dim: int, elsewhere: Elsewhere | None = None) -> None:
        self.folder = folder
        self.dim = dim
        self._elsewhere = elsewhere
        make_folder(folder)

    def write(self, keys: Sequence[str], vectors: npt.ArrayLike, dtype: npt.DTypeLike) -> str:
        """One shard of n vectors (n, dim) for n distinct keys, stored as ``dtype``; its name, or "" where n is 0.

        Raises:
            ValueError: shapes differ, keys repeat or are not SHA-256, or a vector is not finite.
        """
        rows = np.asarray(vectors, dtype=np.float32)
        array = shards.as_keys(keys)
        if rows.shape != (len(array), self.dim):
            raise ValueError(
                f"{len(array)} keys need vectors of shape {(len(array), self.dim)}; got {rows.shape}."
            )
        if not np.isfinite(rows).all():
            raise ValueError("A vector holds NaN or infinity.")
        with np.errstate(over="ignore"):  # told in the next lines
            stored = rows.astype(dtype, copy=False)
        if not np.isfinite(stored).all():
            raise ValueError(
                "A vector holds a number beyond float16; keep this backbone's vectors as float32."
            )
        if len(array) == 0:
            return ""
        order = np.argsort(array, kind="stable")
        array = array[order]
        if (array[1:] == array[:-1]).any():
            raise ValueError("The same key comes twice.")
        return self._publish(array, stored[order])

    @system_errors()
    def _publish(self, keys: npt.NDArray[np.bytes_], vectors: npt.NDArray[np.floating[Any]]) -> str:
        with self.new_shard() as (folder, name):
            np.save(shards.vectors_path(folder), vectors, allow_pickle=False)
            shards.write_keys(folder, keys)
        return name

    @contextmanager
    def new_shard(self) -> Iterator[tuple[Path, str]]:
        """A hidden folder to put vectors and keys into, and the name under which it appears when the block ends."""
        stamp = f"{time.time_ns():020d}-{os.getpid()}-{secrets.token_hex(4)}"
        hidden, name = self.folder / f".new-{stamp}", f"shard-{stamp}"
        hidden.mkdir()
        try:
            yield hidden, name
            shards.seal(hidden)
            if self._elsewhere is not None:
                self._elsewhere.put(name, hidden)
            publish(hidden, self.folder / name)
            shards.trust(self.folder / name)
        except BaseException:
            shutil.rmtree(hidden, ignore_errors=True)
            raise
