"""Where a library writes a file that is sent on as it grows: no more held than was not taken yet."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

_PIECE = 2**16


class Sink(io.RawIOBase):
    """It cannot seek, and knows how much was written."""

    def __init__(self) -> None:
        self._waiting = bytearray()
        self._put: Callable[[Any], object] = self._waiting.extend
        self._written = 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._written

    def write(self, piece: Any) -> int:
        size = memoryview(piece).nbytes
        self._put(piece)
        self._written += size
        return size

    def taken(self) -> bytes:
        """What was written since it was last taken."""
        data = bytes(self._waiting)
        self._waiting.clear()
        return data

    def all_of(self, write: Callable[[], object]) -> Iterator[bytes]:
        """What ``write`` writes at once, in pieces: by way of a disk, however much it is."""
        with tempfile.TemporaryFile() as file:
            self._put = file.write
            write()
            self._put = self._waiting.extend
            file.seek(0)
            yield from iter(partial(file.read, _PIECE), b"")
