"""PostgreSQL's advisory locks, all taken here, so that no two uses share a name by accident.

Those of a transaction end with it; nothing has to be given back.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum

from django.db import connection


class Lock(StrEnum):
    """What a transaction may hold for one project or one person. The value is the lock's name in the database."""

    ITEMS = "catalog.items"
    RANKING = "hilltop.ranking"
    RANKING_WRITE = "hilltop.ranking.write"
    PACE = "hilltop.pace"
    SWEEP = "hilltop.sweep"
    TALLY = "hilltop.tally"


#: For a statement that asks other things too: share a lock (its name and key are the parameters) until the transaction ends.
SHARED_SQL = "pg_advisory_xact_lock_shared(hashtext(%s), %s)"


def hold(lock: Lock, key: int) -> None:
    """Wait until no other transaction holds or shares the lock for ``key`` (an id), and hold it until this one ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s), %s)", [lock.value, key % 2**31])


def share(lock: Lock, key: int) -> None:
    """Wait until no other transaction holds the lock for ``key``, and keep others from holding it until this one ends."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {SHARED_SQL}", [lock.value, key % 2**31])


def hold_a_place(name: str, places: int) -> bool:
    """Hold one of so many places of this ``name`` until the transaction ends; whether one was free. Never waits."""
    with connection.cursor() as cursor:
        for place in range(places):
            cursor.execute("SELECT pg_try_advisory_xact_lock(hashtext(%s), %s)", [name, place])
            (mine,) = cursor.fetchone() or (False,)
            if mine:
                return True
    return False


def hold_name(kind: str, name: str) -> None:
    """Wait until no other transaction holds ``name`` among names of this kind, and hold it until this one ends.

    Call it before a service looks whether a name is free and then takes it: the look sees what others have committed.
    Names that differ only in small and capital letters are one. Without it the unique constraint would refuse
    the second request with an error instead of words. It needs PostgreSQL's default isolation (read committed).
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s), hashtext(lower(%s)))", [kind, name])


@contextmanager
def try_to_hold(name: str) -> Iterator[bool]:
    """Whether this database session holds ``name`` until the block ends; never waits."""
    key = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [key])
        (mine,) = cursor.fetchone() or (False,)
    try:
        yield bool(mine)
    finally:
        if mine:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [key])
