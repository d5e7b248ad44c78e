"""An import is taken back as a whole: each label that it brought, but for those on which others have built since."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext_noop

from labeling.exchange.imports.applying import hold_photos
from labeling.exchange.imports.checking import write
from labeling.exchange.imports.photos_of import by_photo
from labeling.exchange.imports.texts import take_texts_back
from labeling.exchange.models import Import, Outcome, Use
from labeling.jobs.progress import Progress
from labeling.people.models import User
from labeling.queue import services as queue
from labeling.truth import services as truth
from labeling.truth.models import Gold


def undo(of: Import, by: User, progress: Progress) -> None:
    """A page of rows a transaction. All is appended: retractions, withdrawals; gold is retired and stays settled."""
    done, total = 0, of.rows.filter(outcome=Outcome.DONE).count()
    for rows in by_photo(of, (Outcome.DONE,)):
        with transaction.atomic():
            hold_photos(of, {row.item_id or 0 for row in rows})
            back = _take_back(of, {row.made or 0 for row in rows}, by)
            for row in rows:
                row.outcome, row.made = (
                    (Outcome.UNDONE, None) if row.made in back else (Outcome.KEPT, row.made)
                )
            write(rows)
        done += len(rows)
        progress.report(done, total, gettext_noop("Taking the labels back"))
        progress.check()


def _take_back(of: Import, made: set[int], by: User) -> set[int]:
    """Those of what rows made (ids) that stand no more."""
    match Use(of.use):
        case Use.ANSWER:
            return queue.take_answers_back(project=of.project, ids=made, by=by)
        case Use.TRAIN:
            return truth.take_truths_back(project=of.project, ids=made)
        case Use.GOLD:
            truth.retire_golds(project=of.project, golds=list(Gold.objects.filter(pk__in=made)), by=by)
            return made
        case Use.HINT:
            return truth.take_hints_back(ids=made)
        case Use.TEXT:
            return take_texts_back(of, made, by)
