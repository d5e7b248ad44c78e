"""How much memory photos may take while they are decoded, all threads and jobs of a process together. Knows no pixels."""

from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

#: Whoever had more has it given back to the system: glibc keeps what a thread freed for that thread, and there are many.
_LARGE = 64 << 20
_give_back = getattr(ctypes.CDLL(None), "malloc_trim", lambda _keep: 0)


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
            if need >= _LARGE:
                _give_back(0)
            with self._given_back:
                self._lent -= need
                self._given_back.notify_all()


#: This process's.
room = Room(int(os.environ.get("HILLTOP_PHOTO_MEMORY", 2 * 2**30)))
