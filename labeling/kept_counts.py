"""Counts that the database keeps in ``truth_tally``, added up. What is counted there, and how, says the room that counts it:
:mod:`labeling.truth.tallies`, :mod:`labeling.queue.entry_counts`, :mod:`labeling.frontier.decision_counts`,
:mod:`labeling.catalog.file_counts`. It knows projects by their keys alone.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from django.db import connection

from labeling.read_once import read_once

if TYPE_CHECKING:
    from labeling.catalog.models import Project


@dataclass(frozen=True, slots=True)
class Counted:
    """``key`` and ``amount`` as the room says that counts it."""

    key: tuple[str, ...]
    n: int
    amount: int


@read_once
def counts(
    project: Project,
    what: str,
    *,
    since: datetime | None = None,
    first: str | None = None,
    block_after: int | None = None,
) -> list[Counted]:
    """What is counted now; ``since``: of quarters of an hour that begin no earlier; ``first``: with a key that begins so;
    ``block_after``: of later blocks."""
    return [
        Counted(tuple(key), int(n), int(amount))
        for key, n, amount in rows(
            """
            SELECT key, sum(n), sum(amount) FROM truth_tally
            WHERE project_id = %s AND what = %s AND (%s::timestamptz IS NULL OR at >= %s)
              AND (%s::text IS NULL OR key[1] = %s) AND (%s::bigint IS NULL OR key[3]::bigint > %s)
            GROUP BY key HAVING sum(n) <> 0 OR sum(amount) <> 0
            """,
            [project.pk, what, since, since, first, first, block_after, block_after],
        )
    ]


@read_once
def counts_of(project: Project, *what: str) -> dict[str, list[Counted]]:
    """Several of them, all that there is of each, in one query."""
    found: dict[str, list[Counted]] = defaultdict(list)
    for each, key, n, amount in rows(
        """
        SELECT what, key, sum(n), sum(amount) FROM truth_tally WHERE project_id = %s AND what = ANY(%s)
        GROUP BY what, key HAVING sum(n) <> 0 OR sum(amount) <> 0
        """,
        [project.pk, list(what)],
    ):
        found[each].append(Counted(tuple(key), int(n), int(amount)))
    return found


def by_day(project: Project, what: tuple[str, ...], zone: str) -> dict[str, list[tuple[date, Counted]]]:
    """The same by day in the time zone ``zone``, of what is counted by quarters of an hour."""
    found: dict[str, list[tuple[date, Counted]]] = defaultdict(list)
    for each, day, key, n, amount in rows(
        """
        SELECT what, (at AT TIME ZONE %s)::date AS day, key, sum(n), sum(amount) FROM truth_tally
        WHERE project_id = %s AND what = ANY(%s) GROUP BY what, day, key HAVING sum(n) <> 0 OR sum(amount) <> 0
        """,
        [zone, project.pk, list(what)],
    ):
        found[each].append((day, Counted(tuple(key), int(n), int(amount))))
    return found


def rows(sql: str, parameters: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return list(cursor.fetchall())
