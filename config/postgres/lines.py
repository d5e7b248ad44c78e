"""Connections that do not wait for ever: Django's pool is made of the patient ones, probes use brief ones."""

from __future__ import annotations

import select
import time
from collections.abc import Generator
from typing import Any, TypeVar

import psycopg
from django.conf import settings

from config.postgres import pulse

RV = TypeVar("RV")
_INTERVAL_S = 0.1


class PatientConnection(psycopg.Connection[Any]):
    """A query may take as long as it takes, while the database answers others.

    Neither keepalives nor a statement timeout notice a server that is frozen: its kernel answers, and nobody counts.
    """

    def wait(
        self, gen: Generator[Any, Any, RV], interval: float = _INTERVAL_S, timeout: float | None = None
    ) -> RV:
        return super().wait(gen if timeout is not None else self._watched(gen), interval, timeout)

    def _watched(self, gen: Generator[Any, Any, RV]) -> Generator[Any, Any, RV]:
        """``gen``, given up when this line and the pulse have been silent for the patience of this process."""
        try:
            wanted = next(gen)
            heard = time.monotonic()
            while True:
                ready = yield wanted
                now = time.monotonic()
                if ready:
                    heard = now
                elif now - heard >= settings.DATABASE_PATIENCE_S:
                    if not pulse.beats():
                        gen.close()
                        self.close()  # what it was doing is in nobody's hands any more
                        raise psycopg.OperationalError("the database does not answer")
                    heard = time.monotonic()
                wanted = gen.send(ready)
        except StopIteration as end:
            value: RV = end.value
            return value


def has_ended(line: psycopg.Connection[Any]) -> bool:
    """Whether the server hung up while nobody used the line. Asks nobody: an idle line has nothing to say, and an end
    is what there is to be read."""
    if line.closed:
        return True
    poll = select.poll()
    poll.register(line.pgconn.socket, select.POLLIN | select.POLLHUP | select.POLLERR)
    return bool(poll.poll(0))
