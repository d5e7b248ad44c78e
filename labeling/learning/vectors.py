"""Vectors of photos, read from a backbone's shards without arrays: a web process hands them on.

The layout is that of ``inference.shards``: n sorted keys of 32 bytes beside an (n, d) file of NumPy's format, each row a
photo's. A shard that is not what was written is passed over, as a worker sets it aside.
"""

from __future__ import annotations

import mmap
import struct
from ast import literal_eval
from bisect import bisect_left
from collections.abc import Sequence
from pathlib import Path

from labeling.learning.models import Part
from labeling.store import sums
from labeling.store.folders import VECTORS, Damaged

_KEY = 32
#: NumPy's name of a number's type -> as ``struct`` calls it, and its bytes.
_NUMBERS = {"<f4": ("f", 4), "<f2": ("e", 2)}
#: While shards are merged, those that were listed are gone a moment later, and the merged one is there.
_LOOKS = 3


class _Shard:
    """Raises :class:`ValueError` where the files do not belong together, :class:`OSError` where one is gone."""

    def __init__(self, folder: Path) -> None:
        self._keys, self._file = _mapped(folder / "keys.bin"), _mapped(folder / "vectors.npy")
        self._start, (self._code, self._size), (self.count, self.dim) = _header(self._file)
        whole = self._start + self.count * self.dim * self._size
        if len(self._keys) != _KEY * self.count or len(self._file) != whole:
            raise ValueError(f"{folder.name} has another length than its header says")

    def vector(self, key: bytes) -> bytes | None:
        """``dim`` numbers of float32, little endian; ``None`` where the shard has none of this photo."""
        row = bisect_left(range(self.count), key, key=self._key)
        if row == self.count or self._key(row) != key:
            return None
        at = self._start + row * self.dim * self._size
        raw = self._file[at : at + self.dim * self._size]
        if self._code == "f":
            return raw
        return struct.pack(f"<{self.dim}f", *struct.unpack(f"<{self.dim}{self._code}", raw))

    def _key(self, row: int) -> bytes:
        return self._keys[_KEY * row : _KEY * (row + 1)]


def vectors_of(parts: Sequence[Part], hashes: Sequence[str]) -> dict[str, bytes]:
    """SHA-256 of a photo -> its vectors by all ``parts``, side by side: float32, little endian.

    A photo that one of the backbones has not seen yet is left out. Raises :class:`~labeling.store.objects.StoreAway`.
    """
    found = dict.fromkeys(hashes, b"")
    for part in parts:
        shards = [each for each in _shards(part.backbone_hash) if each.dim == part.dim]
        found = {
            sha256: before + vector
            for sha256, before in found.items()
            if (vector := _first(shards, bytes.fromhex(sha256))) is not None
        }
    return found


def numbers(vector: bytes) -> list[float]:
    """Of float32, little endian."""
    return list(struct.unpack(f"<{len(vector) // 4}f", vector))


def _first(shards: Sequence[_Shard], key: bytes) -> bytes | None:
    return next((vector for each in shards if (vector := each.vector(key)) is not None), None)


def _shards(content_hash: str) -> list[_Shard]:
    for _look in range(_LOOKS - 1):
        try:
            return _opened(content_hash)
        except FileNotFoundError:
            continue
    return _opened(content_hash)


def _opened(content_hash: str) -> list[_Shard]:
    found = []
    for name in sorted(VECTORS.names(content_hash)):
        if not name.startswith("shard-"):
            continue
        try:
            folder = VECTORS.get(f"{content_hash}/{name}")
            if not sums.wrong_now(folder):
                found.append(_Shard(folder))
        except (Damaged, ValueError):
            continue
    return found


def _mapped(path: Path) -> mmap.mmap:
    with path.open("rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def _header(file: mmap.mmap) -> tuple[int, tuple[str, int], tuple[int, int]]:
    """Where the numbers begin, what they are, and (n, d), as a file of NumPy's says: its format's versions 1 and 2."""
    if file[:6] != b"\x93NUMPY" or file[6] not in (1, 2):
        raise ValueError("no file of NumPy's format")
    size = "<H" if file[6] == 1 else "<I"
    start = 8 + struct.calcsize(size)
    length = struct.unpack(size, file[8:start])[0]
    try:
        told = literal_eval(file[start : start + length].decode("latin-1").strip())
        count, dim = told["shape"]
        kind = _NUMBERS[told["descr"]]
    except (SyntaxError, LookupError, TypeError) as error:
        raise ValueError("a header that cannot be read") from error
    if told.get("fortran_order") or not (isinstance(count, int) and isinstance(dim, int)):
        raise ValueError("rows that do not lie one behind the other")
    return start + length, kind, (count, dim)
