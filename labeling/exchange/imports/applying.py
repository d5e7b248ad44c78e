"""The rows of an import come in: a page of them a transaction, so that what was interrupted goes on where it was."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import groupby, zip_longest

from django.db import DataError, IntegrityError, transaction
from django.utils.translation import gettext_noop

from labeling.database import locks
from labeling.database.locks import Lock
from labeling.exchange.imports.checking import MAY_CHANGE, write
from labeling.exchange.imports.judging import Judge
from labeling.exchange.imports.matching import match
from labeling.exchange.imports.photos_of import by_photo
from labeling.exchange.imports.reasons import REASONS
from labeling.exchange.imports.states import State, states
from labeling.exchange.imports.texts import bring_texts
from labeling.exchange.models import Import, ImportRow, Outcome, Use
from labeling.jobs.progress import Progress
from labeling.people.imported import accounts_of
from labeling.queue import services as queue
from labeling.refusals import Refused
from labeling.truth import services as truth


def apply(of: Import, progress: Progress) -> None:
    """Write what each row that may come in says. Judged again, page by page, under their photos' locks."""
    match(of)
    done, total = 0, of.rows.count()
    for rows in by_photo(of, MAY_CHANGE):
        with transaction.atomic():
            items = sorted({row.item_id or 0 for row in rows})
            hold_photos(of, items)
            how, writer = states(of.project, items), _Writer(of)
            writer.judge.judge(rows, how)
            for wave in _one_of_each(row for row in rows if row.outcome == Outcome.READY):
                writer.write(wave, how)
            write(rows)
        done += len(rows)
        progress.report(done, total, gettext_noop("Bringing the labels in"))
        progress.check()


def hold_photos(of: Import, item_ids: Collection[int]) -> None:
    """Whoever else says something of these photos waits for the transaction."""
    if of.use == Use.TEXT:  # as intakes, which take the ranking after this
        locks.hold(Lock.ITEMS, of.project_id)
        return
    queue.share_ranking(of.project)  # before the photos, as everybody who takes an answer
    truth.lock_photos(item_ids)


def _one_of_each(rows: Iterable[ImportRow]) -> Iterator[list[ImportRow]]:
    """All rows, in lists that name no photo twice: the first of each photo, then the second."""
    by_item = [list(group) for _item, group in groupby(rows, key=lambda row: row.item_id)]
    for wave in zip_longest(*by_item):
        yield [row for row in wave if row is not None]


class _Writer:
    def __init__(self, of: Import) -> None:
        self.of = of
        self.judge = Judge(of)

    def write(self, rows: Sequence[ImportRow], how: dict[int, State]) -> None:
        """All of them together. Where that fails, each half for itself, until the row is found that cannot come in."""
        bring = {
            Use.ANSWER: self._answers,
            Use.TRAIN: self._truths,
            Use.GOLD: self._gold,
            Use.HINT: self._hints,
            Use.TEXT: self._texts,
        }
        try:
            with transaction.atomic():
                made = bring[Use(self.of.use)](rows, how)
        except (Refused, IntegrityError, DataError) as error:
            if len(rows) > 1:
                half = len(rows) // 2
                self.write(rows[:half], how)
                self.write(rows[half:], how)
                return
            rows[0].outcome, rows[0].reason = Outcome.REFUSED, _reason(error)
            return
        for row in rows:
            row.made = made.get(row.item_id or 0)
            # Somebody took the last place between the look and now.
            full = "full" if self.of.use == Use.TEXT else "not_asked"
            row.outcome, row.reason = (Outcome.DONE, "") if row.made else (Outcome.REFUSED, full)

    def _answers(self, rows: Sequence[ImportRow], _how: dict[int, State]) -> dict[int, int]:
        accounts = accounts_of(str(self.of.project_id), self.of.source, {row.annotator for row in rows})
        sources = {row.item_id or 0: accounts[row.annotator] for row in rows}
        return queue.bring_answers(
            project=self.of.project, words=self._words(rows), sources=sources, of=self.of.pk
        )

    def _truths(self, rows: Sequence[ImportRow], how: dict[int, State]) -> dict[int, int]:
        return truth.bring_truths(
            project=self.of.project,
            words=self._words(rows),
            guideline=self.judge.guideline,
            supersedes=_ends(rows, how),
        )

    def _gold(self, rows: Sequence[ImportRow], how: dict[int, State]) -> dict[int, int]:
        return truth.bring_gold(
            project=self.of.project,
            words=self._words(rows),
            guideline=self.judge.guideline,
            supersedes=_ends(rows, how),
            by=self.of.created_by,
        )

    def _hints(self, rows: Sequence[ImportRow], _how: dict[int, State]) -> dict[int, int]:
        said_by = {row.item_id or 0: self.judge.said_by(row) for row in rows}
        return truth.bring_hints(project=self.of.project, words=self._words(rows), said_by=said_by)

    def _texts(self, rows: Sequence[ImportRow], _how: dict[int, State]) -> dict[int, int]:
        return bring_texts(self.of, rows)

    def _words(self, rows: Sequence[ImportRow]) -> list[truth.Word]:
        words = []
        for row in rows:
            what = self.judge.what(row)
            assert what is not None and row.item_id is not None
            words.append(truth.Word(row.item_id, *what))
        return words


def _ends(rows: Sequence[ImportRow], how: dict[int, State]) -> dict[int, int]:
    """Item id -> the end of its chain of ground truths, where it has one."""
    newest = {row.item_id or 0: how[row.item_id or 0].newest for row in rows}
    return {item_id: end for item_id, end in newest.items() if end is not None}


def _reason(error: Exception) -> str:
    return error.code if isinstance(error, Refused) and error.code in REASONS else "not_written"
