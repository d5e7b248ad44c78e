"""A clock that is set back, for the one process that writes a history: each service then dates what it does by it.

Hilltop asks ``django.utils.timezone.now`` for the time, everywhere. Only that is replaced, only in this process and only
within the block; no row is changed afterwards, and the clocks of the database and of all other processes stay as they are.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from unittest.mock import patch

from django.utils import timezone


class Clock:
    """Goes on by itself from where it was set, as fast as any clock, and never beyond the present."""

    def __init__(self) -> None:
        self._real = timezone.now
        self._moment = self._real()
        self._since = time.monotonic()

    def now(self) -> datetime:
        """The time on this clock."""
        return min(self._moment + timedelta(seconds=time.monotonic() - self._since), self._real())

    def go_to(self, moment: datetime) -> None:
        """Set it. A clock that is further on stays: nothing happens before what happened before it."""
        if moment > self.now():
            self._moment, self._since = moment, time.monotonic()

    def wait(self, seconds: float) -> None:
        """Let so much time pass at once."""
        self.go_to(self.now() + timedelta(seconds=seconds))


@contextmanager
def set_back(to: datetime) -> Iterator[Clock]:
    """Within, this process lives from ``to`` on."""
    clock = Clock()
    clock._moment = to
    with patch("django.utils.timezone.now", clock.now):
        yield clock
