"""Where a library writes a file that is sent on as it grows: nothing on a disk, and no more held than was not taken yet."""

from __future__ import annotations

import io
from typing import Any


class Sink(io.RawIOBase):
    """It cannot seek, and knows how much was written."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._written = 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._written

    def write(self, piece: Any) -> int:
        data = bytes(piece)
        self._pieces.append(data)
        self._written += len(data)
        return len(data)

    def taken(self) -> bytes:
        """What was written since it was last taken."""
        data = b"".join(self._pieces)
        self._pieces.clear()
        return data
