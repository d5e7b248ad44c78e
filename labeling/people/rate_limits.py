"""How often something was done in a window of time, counted once for all web processes on all machines.

A fixed window a key: the first event opens it, and when it ends the count starts anew. One statement counts, so two
processes at the same moment cannot both see the last free place. The rows live in an unlogged table: they cost no
write-ahead log, and a database that crashes forgets them, which is no loss.

Only dear or dangerous requests are counted (sign-in, export, upload, training). The labeling loop never comes here.
"""

from __future__ import annotations

import hashlib
import random

from django.db import connection

#: One count in so many also sweeps what has ended, so that the table stays as small as what is going on.
SWEEP_EVERY = 100

_COUNT = """
INSERT INTO people_ratelimit AS counter (key, count, ends_at)
VALUES (%(key)s, 1, clock_timestamp() + %(seconds)s * interval '1 second')
ON CONFLICT (key) DO UPDATE SET
    count = CASE WHEN counter.ends_at <= clock_timestamp() THEN 1 ELSE counter.count + 1 END,
    ends_at = CASE WHEN counter.ends_at <= clock_timestamp() THEN excluded.ends_at ELSE counter.ends_at END
RETURNING count, extract(epoch FROM ends_at - clock_timestamp())
"""


def key_of(*parts: str) -> str:
    """A key for what is counted. Hashed: user input may be of any length, and names do not belong in a table of counts."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def count(key: str, *, seconds: int) -> tuple[int, float]:
    """Count one event; return how many there were in the window, this one included, and the seconds until it ends."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, {"key": key, "seconds": seconds})
        number, left = cursor.fetchone()
        if random.randrange(SWEEP_EVERY) == 0:
            cursor.execute("DELETE FROM people_ratelimit WHERE ends_at <= clock_timestamp()")
    return int(number), max(0.0, float(left))


def counted(key: str) -> int:
    """How many events the running window holds."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count FROM people_ratelimit WHERE key = %s AND ends_at > clock_timestamp()", [key]
        )
        row = cursor.fetchone()
    return int(row[0]) if row else 0


def forget(key: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM people_ratelimit WHERE key = %s", [key])
