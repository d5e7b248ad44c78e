"""The dry run: what would become of each row now. It writes nothing but that."""

from __future__ import annotations

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
    ImportRow.objects.bulk_update(rows, ["outcome", "reason", "about", "made"], batch_size=500)
