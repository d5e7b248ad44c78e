"""How many photos the machine decided and second-read, kept as decisions come and go.

The database's triggers keep them (``migrations/0012_decision_tallies.py``). ``what`` and ``key``:
    decided: "open" or "settled" (people settled it as well), and the certificates by which a photo stands decided, rising.
    decisions: "came"; "went" and why ("overruled", "suspended", "settled"); "overruled", also of what had gone before; by
        quarter of an hour.
    assisted: "came" and "went" of ground truths that one answer made with the machine; ``amount``: milliseconds of that
        answer, 120 s at most, less those of what went; by quarter of an hour.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection

from labeling.catalog.models import Project
from labeling.database.kept_counts import totals
from labeling.database.rows import rows


@dataclass(frozen=True, slots=True)
class Decided:
    """``n`` photos that stand decided by the same ``certificates``; ``settled``: that people settled as well."""

    project_id: int
    settled: bool
    certificates: frozenset[int]
    n: int


def decided_now(projects: Sequence[Project]) -> list[Decided]:
    """Photos that stand as the machine decided them."""
    if len(projects) == 1:  # whose page has asked for all its counts
        (project,) = projects
        return [
            Decided(project.pk, settled == "settled", frozenset(map(int, certificates)), each.n)
            for each in totals(project)["decided"]
            for settled, *certificates in [each.key]
        ]
    found = rows(
        """
        SELECT project_id, key[1] = 'settled', key[2:], sum(n) FROM truth_tally
        WHERE project_id = ANY(%s) AND what = 'decided' GROUP BY 1, 2, 3 HAVING sum(n) <> 0
        """,
        [[each.pk for each in projects]],
    )
    return [
        Decided(project, settled, frozenset(map(int, certificates)), int(n))
        for project, settled, certificates, n in found
    ]


def mend() -> int:
    """Count anew, and return how many counts were wrong.

    Where somebody settles a photo in the moment in which it is decided, neither of the two knows of the other.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT frontier_tally_mend()")
        return int(cursor.fetchone()[0])
