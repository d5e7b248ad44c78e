"""Where a library writes a file that is sent on as it grows: nothing on a disk, and no more held than was not taken yet."""

from __future__ import annotations

import io
from typing import Any


class Sink(io.RawIOBase):
    """It cannot seek, and knows how much was written."""

    def __init__(self) -> None:
        self._waiting = bytearray()
        self._written = 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._written

    def write(self, piece: Any) -> int:
        size = memoryview(piece).nbytes
        self._waiting += piece
        self._written += size
        return size

    def taken(self) -> bytes:
        """What was written since it was last taken."""
        data = bytes(self._waiting)
        self._waiting.clear()
        return data
