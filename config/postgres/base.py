"""Django's PostgreSQL backend and pool, which here get along with a database that goes away and comes back.

A pooled line that the server ended meanwhile (a restart) is found out before it is given to a request, and another one
takes its place. A pool that has none to give is told from a database that is away: the first is waited for, the second is
not. Who was in the midst of a query when the server froze is freed (``lines``).
"""

from __future__ import annotations

import time
from typing import Any

from django.conf import settings
from django.db.backends.postgresql import base
from psycopg_pool import PoolTimeout

from config.postgres import pulse
from config.postgres.lines import has_ended

#: Longest that a request waits for a line while the database is well and all lines are in use.
LONGEST_WAIT_S = 20.0


class DatabaseWrapper(base.DatabaseWrapper):
    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        began = time.monotonic()
        while True:
            try:
                line = super().get_new_connection(conn_params)
            except PoolTimeout:
                waited = time.monotonic() - began
                if waited > LONGEST_WAIT_S or (waited >= settings.DATABASE_PATIENCE_S and not pulse.beats()):
                    raise
                continue
            if not has_ended(line):
                return line
            line.close()
            line._pool.putconn(line)
