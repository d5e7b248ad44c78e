"""One shard of a store on disk: ``vectors.npy``, ``keys.bin``, and ``sums.json`` by which damage is told.

A disk that fails, a copy that broke off, a file restored from another backup: what is read from a shard is either what was
written or nothing. Embeddings can always be computed again, so a damaged shard is set aside, and what it held is missing.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

KEY = np.dtype("S32")
DTYPES = ("float32", "float16")

_VECTORS, _KEYS, _SUMS = "vectors.npy", "keys.bin", "sums.json"
_PIECE = 2**20
_ROWS = 65_536
_HEX64 = re.compile(r"[0-9a-f]{64}")

#: Shards that this process has read whole and found sound: folder -> what its files were then.
_sound: dict[Path, tuple[tuple[int, int], ...]] = {}


class Damaged(ValueError):
    """A shard that is not what was written."""


def as_keys(names: Sequence[str]) -> npt.NDArray[np.bytes_]:
    """(n,) keys of n SHA-256 in lower-case hex. Raises :class:`ValueError` where one is none."""
    for name in names:
        if not _HEX64.fullmatch(name):
            raise ValueError(f"A key is a SHA-256 in lower-case hex; got {name!r}.")
    # S32 compares all 32 bytes as long as every key has 32 of them, so keys that end in zero bytes are safe.
    return np.frombuffer(bytes.fromhex("".join(names)), dtype=KEY)


def write_keys(folder: Path, keys: npt.NDArray[np.bytes_]) -> None:
    (folder / _KEYS).write_bytes(keys.tobytes())


def seal(folder: Path) -> None:
    """Write down what the finished files of a new shard are."""
    (folder / _SUMS).write_text(json.dumps({name: _sum(folder / name) for name in (_VECTORS, _KEYS)}) + "\n")


def trust(folder: Path) -> None:
    """This process has just written it: it need not be read to be known as sound."""
    _sound[folder] = _stamp(folder)


def vectors_path(folder: Path) -> Path:
    return folder / _VECTORS


def read(folder: Path) -> tuple[npt.NDArray[np.bytes_], npt.NDArray[np.floating[Any]]]:
    """(n,) sorted keys and (n, d) vectors, memory-mapped. All of it is looked at once in a process.

    Raises:
        Damaged: files are missing, cut, contradict each other or their sums, or hold what is no number.
        FileNotFoundError: the folder is not there any more.
    """
    if not folder.is_dir():
        raise FileNotFoundError(folder)
    try:
        keys = np.frombuffer((folder / _KEYS).read_bytes(), dtype=KEY)
        vectors = np.load(folder / _VECTORS, mmap_mode="r", allow_pickle=False)
    except Exception as error:  # a damaged header makes its reader fail in many ways
        if not folder.is_dir():
            raise FileNotFoundError(folder) from error
        raise Damaged(f"{folder.name} cannot be read: {error}") from error
    if vectors.ndim != 2 or len(vectors) != len(keys) or vectors.dtype.name not in DTYPES:
        raise Damaged(f"{folder.name} holds {vectors.shape} {vectors.dtype} for {len(keys)} keys")
    now = _stamp(folder)
    if _sound.get(folder) != now:
        _look_through(folder, keys, vectors)
        _sound[folder] = now
    return keys, vectors


def _stamp(folder: Path) -> tuple[tuple[int, int], ...]:
    found = ((folder / name).stat() for name in (_VECTORS, _KEYS))
    return tuple((each.st_mtime_ns, each.st_size) for each in found)


def _look_through(folder: Path, keys: npt.NDArray[np.bytes_], vectors: npt.NDArray[np.floating[Any]]) -> None:
    try:
        sums = json.loads((folder / _SUMS).read_text())
    except FileNotFoundError:  # of a store that is older than its sums
        sums = None
    except (OSError, ValueError) as error:
        raise Damaged(f"{folder.name} has no sums that can be read") from error
    if sums is not None:
        if sums != {name: _sum(folder / name) for name in (_VECTORS, _KEYS)}:
            raise Damaged(f"{folder.name} is not what was written")
        return
    as_bytes = keys.view(np.uint8).reshape(-1, KEY.itemsize).view(">u8")[:, 0]
    if (as_bytes[1:] < as_bytes[:-1]).any():
        raise Damaged(f"{folder.name} has keys out of order")
    for start in range(0, len(vectors), _ROWS):
        if not np.isfinite(vectors[start : start + _ROWS]).all():
            raise Damaged(f"{folder.name} holds what is no number")


def _sum(path: Path) -> str:
    found = 0
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            found = zlib.crc32(piece, found)
    return f"{found:08x}-{path.stat().st_size}"
