"""Whether the database answers, found out on a line of its own.

Silence on one line says little: the query may be long. Silence there, and no answer on a fresh line either, is a server
that is gone, frozen or cut off.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, TypeVar

import psycopg
from django.conf import settings
from django.db import connection

from config.postgres.asking import Asking

RV = TypeVar("RV")
#: How long a probe may take: to connect (PostgreSQL's library takes nothing less), and for each statement.
LONGEST_S = 2
#: SQLSTATE class with which a server says that it lives, and has no room for one more.
_NO_ROOM = "53"


class BriefConnection(psycopg.Connection[Any]):
    """For one question: every statement has :data:`LONGEST_S`."""

    def wait(
        self, gen: Generator[Any, Any, RV], interval: float = 0.1, timeout: float | None = LONGEST_S
    ) -> RV:
        return super().wait(gen, interval, timeout or LONGEST_S)


def fresh_line() -> BriefConnection:
    """A connection beside the pool. Raises :class:`psycopg.Error` when there is none in time."""
    where = connection.get_connection_params()
    return BriefConnection.connect(**where | {"connect_timeout": LONGEST_S, "autocommit": True})


def _ask() -> str:
    try:
        with fresh_line() as line:
            line.execute("SELECT 1")
    except psycopg.Error as error:
        if not (error.sqlstate or "").startswith(_NO_ROOM):
            raise
    return ""


_pulse = Asking(_ask, keep_s=0.5)


def beats() -> bool:
    """Whether the database answers within the patience of this process."""
    return _pulse.ask(patience_s=settings.DATABASE_PATIENCE_S) == ""
