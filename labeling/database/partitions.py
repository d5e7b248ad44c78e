"""Rows that are made as a whole and dropped as a whole: each set is one partition of a list-partitioned table.

A partition is a table of its own until it is attached, so it is filled without disturbing anybody: no index and no
other transaction is in the way, and it is dropped in no time, where a million ``DELETE`` would leave a million dead
rows. Rows without a partition of their own go to the parent's default partition.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from django.db import OperationalError, connection, transaction

from labeling.database.planner import settings

#: How long a drop may wait for readers. Whoever comes after it waits too, so: not long. It is tried again later.
_PATIENCE_MS = 200
#: While indexes are built. Sorted by one process: sharing it out costs a half more, and the other processors are not idle
#: where several sets are made at a time. A million keys take 60 MB. Of a set that was just made, 3,000 rows say what a plan
#: has to know of it; autovacuum looks at more of them within minutes.
_BUILDING = {
    "max_parallel_maintenance_workers": "0",
    "maintenance_work_mem": "256MB",
    "default_statistics_target": "10",
}


@dataclass(frozen=True, slots=True)
class Partition:
    """The rows of ``parent`` whose ``column`` is ``key``. All methods use Django's connection."""

    parent: str
    column: str
    key: int

    @property
    def name(self) -> str:
        return f"{self.parent}_{int(self.key)}"

    def exists(self) -> bool:
        with connection.cursor() as cursor:
            cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [self.name])
            return bool(cursor.fetchone()[0])

    def create(self, **defaults: int | str | bool) -> None:
        """An empty table like the parent, without indexes. ``defaults`` are what a bulk load may leave out."""
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE TABLE {self.name} (LIKE {self.parent} INCLUDING CONSTRAINTS)")
            changes = [
                f"ALTER {name} SET DEFAULT {_literal(value)}"
                for name, value in {self.column: int(self.key), **defaults}.items()
            ]
            # With this constraint in place, attaching need not read the rows.
            changes.append(
                f"ADD CONSTRAINT {self.name}_only CHECK ({self.column} = {int(self.key)} AND {self.column} IS NOT NULL)"
            )
            cursor.execute(f"ALTER TABLE {self.name} {', '.join(changes)}")

    def build_indexes(self, *, only: Collection[str] = (), but: Collection[str] = ()) -> None:
        """The parent's indexes (names) over what is there: several times faster than row by row.

        ``only``: such as will stay empty, before the rows come; ``but``: all the others, when they have come.
        """
        with settings(**_BUILDING), connection.cursor() as cursor:
            cursor.execute(
                """
                SELECT indisprimary, pg_get_indexdef(indexrelid) FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
                WHERE indrelid = %s::regclass AND (%s OR relname = ANY(%s)) AND NOT relname = ANY(%s)
                """,
                [self.parent, not only, list(only), list(but)],
            )
            for primary, definition in cursor.fetchall():
                rest = definition.split(" USING ", 1)[1]
                if primary:
                    cursor.execute(f"ALTER TABLE {self.name} ADD PRIMARY KEY {rest.removeprefix('btree ')}")
                else:
                    cursor.execute(f"CREATE INDEX ON {self.name} USING {rest}")
            if not only:
                cursor.execute(f"ANALYZE {self.name}")

    def attach(self) -> None:
        """From the commit on, queries of the parent see the rows. Readers and writers of the parent go on meanwhile."""
        with connection.cursor() as cursor:
            cursor.execute(
                f"ALTER TABLE {self.parent} ATTACH PARTITION {self.name} FOR VALUES IN ({int(self.key)})"
            )
            cursor.execute(f"ALTER TABLE {self.name} DROP CONSTRAINT {self.name}_only")

    def drop(self) -> bool:
        """Remove the rows; false when readers were in the way for too long, and it is to be tried again later."""
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(f"SET LOCAL lock_timeout = {_PATIENCE_MS}")
                cursor.execute(f"DROP TABLE IF EXISTS {self.name}")
                cursor.execute(f"DELETE FROM {self.parent}_default WHERE {self.column} = %s", [self.key])
                cursor.execute("SET LOCAL lock_timeout = 0")
        except OperationalError:
            return False
        return True


def _literal(value: int | str | bool) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    return "'" + value.replace("'", "''") + "'"
