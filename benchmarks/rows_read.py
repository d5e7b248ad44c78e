"""Rows that the running transaction has read of the tables that grow with photos and answers, by PostgreSQL's own counters.

What parallel workers read is counted elsewhere: switch them off before.
"""

from __future__ import annotations

from typing import NamedTuple

from django.db import connection

GROWING = (
    "catalog_image",
    "catalog_item",
    "catalog_metadata",
    "catalog_metadatanumber",
    "catalog_intakefile",
    "frontier_automaticdecision",
    "learning_score",
    "notify_delivery",
    "notify_event",
    "queue_entry",
    "queue_slot",
    "truth_annotation",
    "truth_dispute",
    "truth_groundtruth",
    "truth_ruling",
)
#: More of one table than this is more than a page shows.
MOST_ROWS = 500


class Read(NamedTuple):
    """``rows``: of the table, or entries of its indexes. ``sequentially``: rows that were read without an index."""

    rows: int
    sequentially: int

    def since(self, before: Read) -> Read:
        return Read(self.rows - before.rows, self.sequentially - before.sequentially)


def rows_read() -> dict[str, Read]:
    """Table -> what was read of it until now, partitions included."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH parts AS (
                SELECT name, name::regclass AS id FROM unnest(%s::text[]) AS name
                UNION
                SELECT name, relid FROM unnest(%s::text[]) AS name, pg_partition_tree(name::regclass)
            )
            SELECT name, sum(pg_stat_get_xact_tuples_returned(read.id)),
                   sum(pg_stat_get_xact_tuples_returned(read.id)) FILTER (WHERE read.id = parts.id)
            FROM parts, LATERAL (
                SELECT parts.id UNION ALL SELECT indexrelid FROM pg_index WHERE indrelid = parts.id) AS read (id)
            GROUP BY name
            """,
            [list(GROWING)] * 2,
        )
        return {name: Read(int(rows), int(sequentially)) for name, rows, sequentially in cursor.fetchall()}
