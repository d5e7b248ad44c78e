"""How many files of an intake came to what, kept as they are listed, taken in and refused.

The database's triggers keep them (``migrations/0021_file_tallies.py``) as "files", under the batch and the outcome.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.db import connection

from labeling.catalog.models import IntakeBatch, IntakeOutcome, Project
from labeling.database.rows import rows


def files_by_outcome(batches: Sequence[IntakeBatch]) -> dict[UUID, dict[str, int]]:
    """Batch -> outcome -> files; of every batch and every outcome. All are of one project."""
    found = {batch.pk: {str(outcome): 0 for outcome in IntakeOutcome.values} for batch in batches}
    for batch, outcome, n in rows(
        """
        SELECT key[1], key[2], sum(n) FROM truth_tally
        WHERE project_id = ANY(%s) AND what = 'files' AND key[1] = ANY(%s) GROUP BY 1, 2
        """,
        [list({batch.project_id for batch in batches}), [str(pk) for pk in found]],
    ):
        found[UUID(batch)][outcome] = int(n)
    return found


def added_by_source(project: Project) -> dict[int, int]:
    """Watched source, by its id -> photos that came in by it, also those that are erased since."""
    found = rows(
        """
        SELECT b.watched_id, sum(t.n) FROM catalog_intakebatch b
        JOIN truth_tally t ON t.project_id = %s AND t.what = 'files' AND t.key = ARRAY[b.id::text, 'added']
        WHERE b.project_id = %s AND b.watched_id IS NOT NULL GROUP BY 1
        """,
        [project.pk, project.pk],
    )
    return {source: int(n) for source, n in found}


def mend() -> int:
    """Count anew, and return how many counts were wrong."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT catalog_tally_mend()")
        return int(cursor.fetchone()[0])
