"""The rows of an import come in: some photos a transaction, so that what was interrupted goes on where it was."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction
from django.utils.translation import gettext_noop

from labeling.catalog.selectors import class_keys
from labeling.exchange.imports.checking import MAY_CHANGE, write
from labeling.exchange.imports.judging import Judge
from labeling.exchange.imports.matching import match
from labeling.exchange.imports.photos_of import by_photo
from labeling.exchange.imports.states import State, states
from labeling.exchange.models import Import, ImportRow, Outcome, Use
from labeling.jobs.progress import Progress
from labeling.people.imported import account_of
from labeling.queue import services as queue
from labeling.refusals import Refused
from labeling.truth import services as truth

#: What a service may say no to that the judge had let pass, as somebody was faster: its code -> ours.
_FASTER = {"drawn": "drawn", "already_answered": "begun", "conflict": "gold_otherwise", "invalid": "exemplar"}


def apply(of: Import, progress: Progress) -> None:
    """Write what each row that may come in says. Judged again, photo by photo, under their locks."""
    match(of)
    done, total = 0, of.rows.count()
    for rows in by_photo(of, MAY_CHANGE):
        with transaction.atomic():
            items = sorted({row.item_id or 0 for row in rows})
            queue.share_ranking(of.project)  # before the photos, as everybody who takes an answer
            truth.lock_photos(items)
            how, writer = states(of.project, items), _Writer(of)
            writer.judge.judge(rows, how)
            writer.write([row for row in rows if row.outcome == Outcome.READY], how)
            write(rows)
        done += len(rows)
        progress.report(done, total, gettext_noop("Bringing the labels in"))
        progress.check()


class _Writer:
    def __init__(self, of: Import) -> None:
        self.of = of
        self.judge = Judge(of)
        self.keys = class_keys(of.project)

    def write(self, rows: Sequence[ImportRow], how: dict[int, State]) -> None:
        if self.of.use == Use.TRAIN:
            supersedes = {item: state.newest for item, state in how.items() if state.newest is not None}
            made = truth.bring_truths(
                project=self.of.project,
                words=[self._word(row) for row in rows],
                guideline=self.judge.guideline,
                supersedes=supersedes,
            )
            for row in rows:
                row.outcome, row.made = Outcome.DONE, made[row.item_id or 0]
            return
        bring = {Use.ANSWER: self._answer, Use.GOLD: self._gold, Use.HINT: self._hint}[Use(self.of.use)]
        for row in rows:
            try:
                with transaction.atomic():
                    made_id = bring(row)
            except Refused as refused:
                row.outcome, row.reason = Outcome.REFUSED, _FASTER.get(refused.code, "not_asked")
            else:
                row.made = made_id
                row.outcome, row.reason = (
                    (Outcome.DONE, "") if made_id is not None else (Outcome.REFUSED, "not_asked")
                )

    def _answer(self, row: ImportRow) -> int | None:
        source = account_of(str(self.of.project_id), self.of.source, row.annotator)
        made = queue.bring_answer(project=self.of.project, source=source, word=self._word(row), of=self.of.pk)
        return made.pk if made else None

    def _gold(self, row: ImportRow) -> int:
        word = self._word(row)
        return truth.add_gold(
            project=self.of.project,
            item=self.of.project.items.get(pk=word.item_id),
            class_key=self.keys[word.label_class_id or 0],
            by=self.of.created_by,
        ).pk

    def _hint(self, row: ImportRow) -> int:
        said_by = self.judge.said_by(row)
        return truth.bring_hint(project=self.of.project, word=self._word(row), said_by=said_by).pk

    def _word(self, row: ImportRow) -> truth.Word:
        what = self.judge.what(row)
        assert what is not None and row.item_id is not None
        return truth.Word(row.item_id, *what)
