"""The dry run: what would become of each row now. It writes nothing but that."""

from __future__ import annotations

from django.db import connection
from django.utils.translation import gettext_noop

from labeling.exchange.imports.judging import Judge
from labeling.exchange.imports.matching import match
from labeling.exchange.imports.photos_of import by_photo
from labeling.exchange.imports.states import states
from labeling.exchange.models import Import, ImportRow, Outcome
from labeling.jobs.progress import Progress

#: Outcomes that may be others when it is looked at again.
MAY_CHANGE = (Outcome.OPEN, Outcome.READY, Outcome.SAME, Outcome.LEFT, Outcome.REFUSED, Outcome.UNDONE)


def check(of: Import, progress: Progress) -> None:
    match(of)
    judge, looked, total = Judge(of), 0, of.rows.count()
    for rows in by_photo(of, MAY_CHANGE):
        judge.judge(rows, states(of.project, [row.item_id or 0 for row in rows]))
        write(rows)
        looked += len(rows)
        progress.report(looked, total, gettext_noop("Looking at what would happen"))


def write(rows: list[ImportRow]) -> None:
    """What became of rows, in one statement; what stays as it is is not written."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE exchange_importrow r SET outcome = n.outcome, reason = n.reason, about = n.about, made = n.made
            FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::bigint[]) n (id, outcome, reason, about, made)
            WHERE r.id = n.id
              AND (r.outcome, r.reason, r.about, r.made) IS DISTINCT FROM (n.outcome, n.reason, n.about, n.made)
            """,
            [
                [row.pk for row in rows],
                [str(row.outcome) for row in rows],
                [row.reason for row in rows],
                [row.about for row in rows],
                [row.made for row in rows],
            ],
        )
