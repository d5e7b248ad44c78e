"""Statements planned so that a wrong guess at a table's size costs a factor and not a power.

PostgreSQL plans by statistics, and those of a table that has just grown may say "one row". It then nests loops, which for
a pool is the product of its tables' sizes: minutes for a thousand photos. Hashing is at most a little slower than the best
plan.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction
from django.db.models import Exists


class LookedUp(Exists):
    """Looked up row by row, by an index, whatever the statistics say: PostgreSQL makes no join of what has an offset.

    Where they said "no rows", it nested loops over all ground truths, twice, for each decision of a pool: ten minutes. And
    to look up a page of a hundred it read all ground truths into a hash: a second, where there are a million.
    """

    template = "EXISTS(%(subquery)s OFFSET 0)"


@contextmanager
def without_nested_loops() -> Iterator[None]:
    """In the block, and in a transaction of its own, joins are hashed or merged wherever the statement allows."""
    with transaction.atomic():
        before = _set("off")
        yield
        # After an error there is nothing to put back: the rollback does it.
        _set(before)


def _set(value: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('enable_nestloop')")
        (before,) = cursor.fetchone()
        cursor.execute("SELECT set_config('enable_nestloop', %s, true)", [value])
    return str(before)
