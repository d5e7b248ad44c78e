"""Statements planned so that a wrong guess at a table's size costs a factor and not a power.

PostgreSQL plans by statistics, and those of a table that has just grown may say "one row". It then nests loops, which for
a pool is the product of its tables' sizes: minutes for a thousand photos. Hashing is at most a little slower than the best
plan.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from django.db import connection, transaction
from django.db.models import Exists


class LookedUp(Exists):
    """Looked up row by row, by an index, whatever the statistics say: PostgreSQL makes no join of what has an offset.

    Where they said "no rows", it nested loops over all ground truths, twice, for each decision of a pool: ten minutes. And
    to look up a page of a hundred it read all ground truths into a hash: a second, where there are a million.
    """

    template = "EXISTS(%(subquery)s OFFSET 0)"


@contextmanager
def settings(**wanted: str) -> Iterator[None]:
    """In the block, and in a transaction of its own, PostgreSQL's settings are these; afterwards they are as before."""
    with transaction.atomic(), connection.cursor() as cursor:
        names = list(wanted)
        cursor.execute(
            "SELECT current_setting(name) FROM unnest(%s::text[]) WITH ORDINALITY s (name, n) ORDER BY n",
            [names],
        )
        before = [row[0] for row in cursor.fetchall()]
        cursor.execute(_SET, [names, list(wanted.values())])
        yield
        # After an error there is nothing to put back: the rollback does it.
        cursor.execute(_SET, [names, before])


_SET = "SELECT set_config(name, value, true) FROM unnest(%s::text[], %s::text[]) s (name, value)"


def without_nested_loops() -> AbstractContextManager[None]:
    """In the block, and in a transaction of its own, joins are hashed or merged wherever the statement allows."""
    return settings(enable_nestloop="off")


def by_one_process() -> AbstractContextManager[None]:
    """In the block, and in a transaction of its own, queries are not shared out: what several such add up and pass on costs
    as much again, and where others are at work beside them no processor is idle."""
    return settings(max_parallel_workers_per_gather="0")
