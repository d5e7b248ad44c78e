"""An import is taken back as a whole: each label that it brought, but for those on which others have built since."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext_noop

from labeling.exchange.imports.checking import write
from labeling.exchange.imports.photos_of import by_photo
from labeling.exchange.models import Import, ImportRow, Outcome, Use
from labeling.jobs.progress import Progress
from labeling.people.models import User
from labeling.queue import services as queue
from labeling.truth import services as truth
from labeling.truth.models import Annotation, Gold, GroundTruth, Hint


def undo(of: Import, by: User, progress: Progress) -> None:
    """Some photos a transaction. Everything is appended: retractions and withdrawals; gold is retired and stays settled."""
    done, total = 0, of.rows.filter(outcome=Outcome.DONE).count()
    for rows in by_photo(of, (Outcome.DONE,)):
        theirs = [row for row in rows if row.outcome == Outcome.DONE]
        with transaction.atomic():
            queue.share_ranking(of.project)
            truth.lock_photos(sorted({row.item_id or 0 for row in theirs}))
            for row in theirs:
                undone = _take_back(of, row, by)
                row.outcome, row.made = (Outcome.UNDONE, None) if undone else (Outcome.KEPT, row.made)
            write(theirs)
        done += len(theirs)
        progress.report(done, total, gettext_noop("Taking the labels back"))
        progress.check()


def _take_back(of: Import, row: ImportRow, by: User) -> bool:
    made = row.made or 0
    match Use(of.use):
        case Use.ANSWER:
            annotation = Annotation.objects.get(pk=made)
            return queue.take_answer_back(project=of.project, annotation=annotation, by=by)
        case Use.TRAIN:
            return truth.take_truth_back(project=of.project, truth=GroundTruth.objects.get(pk=made))
        case Use.GOLD:
            truth.retire_gold(gold=Gold.objects.get(pk=made), by=by)
            return True
        case Use.HINT:
            return truth.take_hint_back(hint=Hint.objects.get(pk=made))
