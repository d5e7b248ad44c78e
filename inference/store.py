"""Embeddings on disk: append-only shards, memory-mapped, shared by any number of processes.

A shard is a folder with ``vectors.npy`` (n, dim) and ``keys.bin``, n sorted keys of 32 bytes. It is written
under a hidden name, synced and renamed, so it is either whole or not there: what a killed writer left is never read.
One that was damaged later is set aside, and its vectors are missing until somebody appends them anew.
Nobody locks to read or to append. Two writers may store the same key; the vectors are the same and either is served.

Vectors are float32, or float16 where half the disk and half the reading are worth the rounding (one part in 2,048,
far below what separates classes). All shards of a store have one type: whoever appends follows what is there, so that
what is served does not depend on who wrote it. Readers get float32 either way.

The folder may be a copy of one that several machines share (:class:`Elsewhere`): then a shard is there before it is here,
and ``refresh()`` brings what others wrote.

Knows nothing of photos or models: a key is the SHA-256 (hex) of a photo's bytes, a store belongs to one backbone hash.
"""

from __future__ import annotations

import fcntl
import logging
import os
import re
import shutil
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Protocol, Self

import numpy as np
import numpy.typing as npt

from inference import shards
from inference.shard_writer import Elsewhere, ShardWriter

logger = logging.getLogger(__name__)

Floats = npt.NDArray[np.float32]
Stored = npt.NDArray[np.floating[Any]]
Keys = npt.NDArray[np.bytes_]

_HEX64 = re.compile(r"[0-9a-f]{64}")
_KEY = shards.KEY
_DTYPES = shards.DTYPES
# Leftovers of killed writers are removed by compact() once they are surely dead.
_STALE_SECONDS = 24 * 3600.0


class _OtherDim(ValueError):
    """A sound shard of another network."""


class Busy(RuntimeError):
    """Another process does what only one can do at a time."""


class MissingKeys(KeyError):
    """Keys without an embedding in this store; ``keys`` names them all."""

    def __init__(self, keys: list[str]) -> None:
        super().__init__(keys)
        self.keys = keys

    def __str__(self) -> str:
        shown = ", ".join(self.keys[:3]) + (", ..." if len(self.keys) > 3 else "")
        return f"{len(self.keys)} keys have no embedding yet: {shown}"


@dataclass(frozen=True)
class Places:
    """Where vectors are: (n,) shard number and (n,) row in it, -1 where there is none. Good until ``refresh()``."""

    shard: npt.NDArray[np.int64]
    row: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.row)

    def __getitem__(self, which: Any) -> Places:
        return Places(self.shard[which], self.row[which])

    @property
    def found(self) -> npt.NDArray[np.bool_]:
        return self.shard >= 0

    def in_disk_order(self) -> npt.NDArray[np.int64]:
        """(n,) the order in which to read them all from front to back."""
        return np.lexsort((self.row, self.shard))


@dataclass(frozen=True)
class _Run:
    """Part of the index: sorted keys and where each one's vector is."""

    keys: Keys
    shard: npt.NDArray[np.int64]
    row: npt.NDArray[np.int64]

    @cached_property
    def beginnings(self) -> npt.NDArray[np.uint64]:
        return _beginnings(self.keys)


class EmbeddingStore:
    """Vectors of one backbone. Reads see the shards known at the last ``refresh()``, and one's own appends."""

    def __init__(
        self,
        root: Path,
        backbone_hash: str,
        dim: int,
        *,
        dtype: Literal["float32", "float16"] = "float32",
        elsewhere: Elsewhere | None = None,
    ) -> None:
        """Opens ``root / backbone_hash``, made when absent.

        Args:
            dtype: how an empty store begins; one that holds vectors keeps its own.
            elsewhere: what the folder is a copy of, if it is one.

        Raises:
            ValueError: the hash is not 64 hex digits, dim is not positive, or there is no such dtype.
        """
        if not _HEX64.fullmatch(backbone_hash) or dim < 1:
            raise ValueError("A store needs a backbone hash of 64 hex digits and a positive dim.")
        if dtype not in _DTYPES:
            raise ValueError(f"Vectors are stored as {' or '.join(_DTYPES)}; got {dtype!r}.")
        self.dim = dim
        self._wished = np.dtype(dtype)
        self._elsewhere = elsewhere
        #: Names of the damaged shards that this object found.
        self.set_aside: list[str] = []
        self.folder = root / backbone_hash
        self._writer = ShardWriter(self.folder, dim, elsewhere)
        self._clear()
        self.refresh()

    def __len__(self) -> int:
        """How many vectors there are; a key stored twice counts twice until ``compact()``."""
        return sum(len(run.keys) for run in self._runs)

    @property
    def folders(self) -> tuple[Path, ...]:
        """The one that it is in; several where stores are read side by side."""
        return (self.folder,)

    @property
    def dtype(self) -> np.dtype[Any]:
        """How vectors are stored: as in the shards that are there, else as wished."""
        return self._shards[0].dtype if self._shards else self._wished

    def missing(self, keys: Iterable[str]) -> list[str]:
        """Those of ``keys`` without a vector, in the order given, each once."""
        wanted = list(dict.fromkeys(keys))
        shard, _ = self._locate(shards.as_keys(wanted))
        return [wanted[i] for i in np.flatnonzero(shard < 0)]

    def append(self, keys: Sequence[str], vectors: npt.ArrayLike) -> None:
        """Store vectors (n, dim) for n distinct keys; durable when it returns.

        Raises:
            ValueError: shapes differ, keys repeat or are not SHA-256, or a vector is not finite.
        """
        if not self._shards:
            self.refresh()  # another writer may have begun the store
        if name := self._writer.write(keys, vectors, self.dtype):
            self._admit(name)

    def rows(self, keys: Sequence[str]) -> Floats:
        """(n, dim) vectors of ``keys``, in their order, repeats allowed.

        Raises:
            MissingKeys: some have none.
        """
        array = shards.as_keys(keys)
        shard, row = self._locate(array)
        if (shard < 0).any():
            raise MissingKeys(list(dict.fromkeys(keys[i] for i in np.flatnonzero(shard < 0).tolist())))
        return self.at(Places(shard, row))

    def locate(self, digests: bytes) -> Places:
        """Where the vectors of n keys are, given as n digests of 32 bytes, end to end: for very many keys."""
        return Places(*self._locate(np.frombuffer(digests, dtype=_KEY)))

    def at(self, places: Places) -> Floats:
        """(n, dim) vectors at ``places``, in their order, repeats allowed; read only where they lie side by side.

        Raises:
            IndexError: there is none at one of them.
        """
        shard, row = places.shard, places.row
        if (shard < 0).any():
            raise IndexError("There is no vector at some of these places.")
        if len(row) and (shard == shard[0]).all() and (np.diff(row) == 1).all():
            return np.asarray(self._shards[int(shard[0])][int(row[0]) : int(row[-1]) + 1], dtype=np.float32)
        out = np.empty((len(row), self.dim), dtype=np.float32)
        # Shard by shard and in row order: sequential reads of the memory map.
        order = places.in_disk_order()
        for part in np.split(order, np.flatnonzero(np.diff(shard[order])) + 1):
            if len(part):
                out[part] = self._shards[int(shard[part[0]])][row[part]]
        return out

    def keys(self) -> list[str]:
        """All keys, sorted, each once."""
        if not self._runs:
            return []
        together = np.unique(np.concatenate([run.keys for run in self._runs]))
        text = together.tobytes().hex()
        return [text[i : i + 64] for i in range(0, len(text), 64)]

    def refresh(self) -> None:
        """See shards that other processes published, and drop those that a compaction replaced."""
        if self._elsewhere is not None:
            self._elsewhere.follow()
        names = self._published()
        if not set(self._names) <= names:
            self._clear()
        strange: dict[str, ValueError] = {}
        for name in sorted(names - set(self._names)):
            # A compaction may remove it right now; its rows are then in a shard that this or the next refresh sees.
            try:
                self._admit(name)
            except FileNotFoundError:
                continue
            except shards.Damaged as error:
                self._set_aside(name, error)
            except _OtherDim as error:
                strange[name] = error
        # Where none fits, it is the caller who is wrong.
        if strange and not self._names:
            raise next(iter(strange.values()))
        for name, why in strange.items():
            self._set_aside(name, why)

    def compact(self) -> None:
        """Merge all shards into one and remove what killed writers left. Safe beside readers and writers."""
        with self._compaction_lock() as mine:
            if not mine:
                return
            self.refresh()
            self._sweep()
            old = list(self._names)
            if len(old) < 2:
                return
            keys = np.concatenate([run.keys for run in self._runs])
            shard = np.concatenate([run.shard for run in self._runs])
            row = np.concatenate([run.row for run in self._runs])
            keys, first = np.unique(keys, return_index=True)
            # First the merged shard, then the removals: a crash in between leaves duplicates, never a gap.
            self._publish_rows(keys, shard[first], row[first])
            for name in old:
                self._retire(name)
            self._clear()
            self.refresh()

    def forget(self, keys: Iterable[str]) -> int:
        """Remove vectors for good: shards that hold some are written anew without them. Returns how many there were.

        Safe beside readers and writers; who still maps an old shard keeps what it reads until it lets go of it.

        Raises:
            Busy: a compaction is at work; ask again later.
        """
        gone = shards.as_keys(list(keys))
        count = 0
        with self._compaction_lock() as mine:
            if not mine:
                raise Busy(f"{self.folder} is being compacted")
            self.refresh()
            for name, number in list(self._names.items()):
                held, _vectors = shards.read(self.folder / name)
                left = np.flatnonzero(~np.isin(held, gone))
                if len(left) == len(held):
                    continue
                if len(left):
                    self._publish_rows(held[left], np.full(len(left), number), left)
                self._retire(name)
                count += len(held) - len(left)
            for damaged in self.folder.glob(".damaged-*"):
                shutil.rmtree(damaged, ignore_errors=True)
            if count:
                self._clear()
                self.refresh()
        return count

    # -- the index -----------------------------------------------------------------------------------------------

    def _clear(self) -> None:
        self._names: dict[str, int] = {}
        self._shards: list[Stored] = []
        self._runs: list[_Run] = []

    def _admit(self, name: str) -> None:
        if name in self._names:
            return
        keys, vectors = shards.read(self.folder / name)
        if vectors.shape[1] != self.dim:
            raise _OtherDim(f"Shard {name} holds vectors of {vectors.shape[1]} numbers, not {self.dim}.")
        number = len(self._shards)
        self._names[name] = number
        self._shards.append(vectors)
        self._runs.append(_Run(keys, np.full(len(keys), number), np.arange(len(keys))))
        # Runs at least double in size from last to first, so there are few of them and an append costs O(log n).
        while len(self._runs) > 1 and len(self._runs[-2].keys) < 2 * len(self._runs[-1].keys):
            self._runs[-2:] = [_merge(self._runs[-2], self._runs[-1])]

    def _locate(self, wanted: Keys) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """(n,) shard number and (n,) row of each key; -1 where there is none."""
        shard = np.full(len(wanted), -1, dtype=np.int64)
        row = np.full(len(wanted), -1, dtype=np.int64)
        short = _beginnings(wanted)
        for run in self._runs:
            if not len(run.keys):
                continue
            # Numbers are found many times faster than strings. Keys that begin alike, should there be any, are
            # told apart by a second, slow look.
            at = np.searchsorted(run.beginnings, short)
            at[at == len(run.keys)] = 0
            doubt = np.flatnonzero((run.beginnings[at] == short) & (run.keys[at] != wanted))
            if len(doubt):
                at[doubt] = np.searchsorted(run.keys, wanted[doubt]).clip(max=len(run.keys) - 1)
            found = (run.keys[at] == wanted) & (shard < 0)
            shard[found], row[found] = run.shard[at[found]], run.row[at[found]]
        return shard, row

    # -- the disk ------------------------------------------------------------------------------------------------

    def _published(self) -> set[str]:
        return {entry.name for entry in os.scandir(self.folder) if entry.name.startswith("shard-")}

    def _publish_rows(
        self, keys: Keys, shard: npt.NDArray[np.int64], row: npt.NDArray[np.int64], chunk: int = 65_536
    ) -> None:
        """Publish vectors that are stored already, a chunk at a time: the whole store need not fit in memory."""
        with self._writer.new_shard() as (folder, _):
            path = shards.vectors_path(folder)
            # Two first writers with different wishes: the finer one loses nothing of either.
            dtype = np.result_type(*(each.dtype for each in self._shards))
            merged = np.lib.format.open_memmap(path, mode="w+", dtype=dtype, shape=(len(keys), self.dim))
            for start in range(0, len(keys), chunk):
                stop = min(start + chunk, len(keys))
                for number in np.unique(shard[start:stop]):
                    here = start + np.flatnonzero(shard[start:stop] == number)
                    merged[here] = self._shards[int(number)][row[here]]
            merged.flush()
            del merged
            shards.write_keys(folder, keys)

    def _retire(self, name: str) -> None:
        if self._elsewhere is not None:
            self._elsewhere.drop(name)
            return
        # Renamed first, so that no reader opens a folder that is half removed; open memory maps stay valid.
        hidden = self.folder / f".old-{name}"
        (self.folder / name).rename(hidden)
        shutil.rmtree(hidden, ignore_errors=True)

    def _set_aside(self, name: str, why: ValueError) -> None:
        logger.error("embeddings in %s are damaged and set aside, to be computed again: %s", self.folder, why)
        self.set_aside.append(name)
        with suppress(OSError):  # another process was first, or the folder cannot be written to
            (self.folder / name).rename(self.folder / f".damaged-{name}")
        if self._elsewhere is not None:
            self._elsewhere.drop(name)

    def _sweep(self) -> None:
        for entry in list(os.scandir(self.folder)):
            if (
                entry.name.startswith((".new-", ".old-", ".damaged-"))
                and time.time() - entry.stat().st_mtime > _STALE_SECONDS
            ):
                shutil.rmtree(entry.path, ignore_errors=True)

    @contextmanager
    def _compaction_lock(self) -> Iterator[bool]:
        with (self.folder / ".compact.lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
                return
            yield True


class Located(Protocol):
    """Where n rows are, found or not; as :class:`Places` tells."""

    def __len__(self) -> int: ...

    def __getitem__(self, which: Any, /) -> Self: ...

    @property
    def found(self) -> npt.NDArray[np.bool_]: ...

    def in_disk_order(self) -> npt.NDArray[np.int64]: ...


class Vectors(Protocol):
    """What is asked of vectors by whoever reads them: of one store, or of several side by side."""

    @property
    def dim(self) -> int: ...

    @property
    def folders(self) -> tuple[Path, ...]: ...

    def missing(self, keys: Iterable[str]) -> list[str]: ...

    def rows(self, keys: Sequence[str]) -> Floats: ...

    def locate(self, digests: bytes) -> Any: ...

    def at(self, places: Any) -> Floats: ...


class PlacedRows:
    """Vectors at ``places`` that look like an (n, dim) array and are read from the store only when indexed.

    Takes what a strategy or a head asks for: a slice, a mask, or an array of row numbers.
    """

    def __init__(self, store: Vectors, places: Located) -> None:
        self._store = store
        self._places = places

    @property
    def shape(self) -> tuple[int, int]:
        return len(self._places), self._store.dim

    @property
    def ndim(self) -> int:
        return 2

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, which: Any) -> Floats:
        if isinstance(which, slice):
            return self._store.at(self._places[which])
        rows = np.asarray(which)
        if rows.ndim == 0:
            vector: Floats = self._store.at(self._places[rows.reshape(1)])[0]
            return vector
        return self._store.at(self._places[rows])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[Any]:
        return np.asarray(self[:], dtype=dtype)


def _beginnings(keys: Keys) -> npt.NDArray[np.uint64]:
    """(n,) the first eight bytes of each key as a number; they rise with the keys."""
    return np.ascontiguousarray(keys).view(">u8").reshape(-1, 4)[:, 0].astype(np.uint64)


def _merge(first: _Run, second: _Run) -> _Run:
    keys = np.concatenate([first.keys, second.keys])
    order = np.argsort(keys, kind="stable")
    return _Run(
        keys[order],
        np.concatenate([first.shard, second.shard])[order],
        np.concatenate([first.row, second.row])[order],
    )
