"""For tests of two transactions at once: go on only when the other one has come as far as it can."""

from __future__ import annotations

import time

from django.db import connection


def wait_until_somebody_waits_for_a_lock() -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with connection.cursor() as cursor:
            # A transaction sees the activity as it was when it first looked: forget that, or who connects later is missed.
            cursor.execute("SELECT pg_stat_clear_snapshot()")
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            if cursor.fetchone()[0]:
                return
        time.sleep(0.02)
    raise AssertionError("nobody came to wait")
