"""How much memory photos may take while they are decoded, all threads and jobs of a process together. Knows no pixels."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Room:
    """So many bytes, lent and given back. Whoever needs more than there are gets all of them, alone."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._lent = 0
        self._given_back = threading.Condition()

    @contextmanager
    def of(self, need: int) -> Iterator[None]:
        """Waits until there is room. Not to be asked for again by a thread that has some."""
        need = min(need, self.most)
        with self._given_back:
            self._given_back.wait_for(lambda: self._lent + need <= self.most)
            self._lent += need
        try:
            yield
        finally:
            with self._given_back:
                self._lent -= need
                self._given_back.notify_all()


#: This process's.
room = Room(int(os.environ.get("HILLTOP_PHOTO_MEMORY", 2 * 2**30)))
