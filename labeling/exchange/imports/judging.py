"""What becomes of each row of an import: the one place where it is decided, for the dry run as for the real one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby

from labeling.catalog.metadata.values import Value
from labeling.catalog.models import Project
from labeling.catalog.selectors import active_classes, class_names, class_resolution, current_guideline
from labeling.exchange.imports.states import State, What
from labeling.exchange.imports.texts import known_texts, text_of
from labeling.exchange.models import Import, ImportRow, Outcome, Use
from labeling.people import imported
from labeling.people.models import User
from labeling.truth.current import Given
from labeling.truth.models import AnswerKind
from labeling.truth.settling import consensus_of


@dataclass
class Judge:
    """Judges the rows of one import, photo by photo, by how the photos stand; a row before counts for those behind it."""

    of: Import
    _people: dict[str, int | None] = field(default_factory=dict)
    _texts: dict[int, Value] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.project: Project = self.of.project
        self.guideline = current_guideline(self.project)
        self._names = class_names(self.guideline)
        self._now = class_resolution(self.project, self.guideline)
        classes = {row.label_class.key: row.label_class_id for row in active_classes(self.project)}
        self._means: dict[str, What | None] = {}
        for label, means in self.of.classes.items():
            if means in classes:
                self._means[label] = (AnswerKind.CLASS.value, classes[means])
            elif means in (AnswerKind.HOLD, AnswerKind.UNUSABLE):
                self._means[label] = (means, None)
            elif not means:
                self._means[label] = None

    def judge(self, rows: Sequence[ImportRow], states: dict[int, State]) -> None:
        """Set ``outcome``, ``reason`` and ``about`` of rows in the order of their photos, all rows of each."""
        if self.of.use == Use.TEXT:
            self._texts = known_texts(self.of, states)
        for item_id, group in groupby(rows, key=lambda row: row.item_id):
            state = states.get(item_id or 0)
            wanted = []
            for row in group:
                if row.outcome in (Outcome.DONE, Outcome.KEPT):
                    continue
                if state is None:
                    _refuse(row, "no_photo")
                elif self._is_plain(row):
                    wanted.append(row)
            if state is not None:
                self._judge_photo(wanted, state)

    def what(self, row: ImportRow) -> What | None:
        """The one thing that a row says; ``None`` where all that it says is left out."""
        said = dict.fromkeys(self._means[label] for label in row.labels)
        return next((each for each in said if each is not None), None)

    def named(self, what: What) -> str:
        kind, class_id = what
        return (
            self._names.get(class_id or 0, "?") if kind == AnswerKind.CLASS else str(AnswerKind(kind).label)
        )

    def person(self, annotator: str) -> int | None:
        """Id of the account of an annotator of this source, if there is one."""
        if annotator not in self._people:
            name = imported.name_of(str(self.project.pk), self.of.source, annotator)
            self._people[annotator] = User.objects.filter(username=name).values_list("pk", flat=True).first()
        return self._people[annotator]

    def said_by(self, row: ImportRow) -> str:
        """Who said it, as reviewers read it."""
        return f"{row.annotator} ({self.of.source})" if row.annotator else self.of.source

    def _is_plain(self, row: ImportRow) -> bool:
        """Whether it says one thing that has a meaning here; else it is judged."""
        if self.of.use == Use.TEXT and not row.fault:
            return True
        strange = next((label for label in row.labels if label not in self._means), None)
        if row.fault:
            _refuse(row, row.fault)
        elif strange is not None:
            _refuse(row, "unmapped", strange)
        elif len({self._means[label] for label in row.labels} - {None}) > 1:
            _refuse(row, "several_classes", ", ".join(row.labels)[:200])
        elif self.what(row) is None:
            row.outcome, row.reason, row.about = Outcome.LEFT, "", ""
        else:
            return True
        return False

    def _judge_texts(self, rows: list[ImportRow]) -> None:
        for row in rows:
            first = text_of(rows[0])
            if text_of(row) != first:
                _refuse(row, "several_texts", first)
            elif row is not rows[0] or self._texts.get(row.item_id or 0) == first:
                _same(row)
            else:
                _accept(row)

    def _judge_photo(self, rows: list[ImportRow], state: State) -> None:
        if self.of.use == Use.TEXT:
            self._judge_texts(rows)
            return
        said = [(row, what) for row in rows if (what := self.what(row)) is not None]
        one_word = self.of.use in (Use.TRAIN, Use.GOLD)
        if one_word and len({what for _row, what in said}) > 1:
            names = ", ".join(dict.fromkeys(self.named(what) for _row, what in said))[:200]
            for row in rows:
                _refuse(row, "annotators_differ", names)
            return
        judge = {
            Use.TRAIN: self._train, Use.GOLD: self._gold, Use.ANSWER: self._answer, Use.HINT: self._hint
        }[Use(self.of.use)]  # fmt: skip
        first: dict[str, tuple[ImportRow, What]] = {}
        for row, what in said:
            # Of one word about a photo it does not matter whose it is.
            before, said_before = first.setdefault("" if one_word else row.annotator, (row, what))
            if before is row:
                judge(row, what, state)
            elif said_before != what:
                _refuse(row, "said_twice", self.named(said_before))
            elif before.outcome == Outcome.REFUSED:
                _refuse(row, before.reason, before.about)
            else:
                _same(row)

    def _train(self, row: ImportRow, what: What, state: State) -> None:
        if state.truth == what and not state.disputed:
            _same(row)
        elif reason := self._taken(state) or ("begun" if state.answers else ""):
            _refuse(row, reason, self.named(state.truth) if state.truth else "")
        else:
            _accept(row)

    def _gold(self, row: ImportRow, what: What, state: State) -> None:
        kind, class_id = what
        if kind != AnswerKind.CLASS:
            _refuse(row, "not_a_class")
        elif state.is_gold and state.gold == class_id:
            _same(row)
        elif state.gold is not None and state.gold != class_id:
            _refuse(row, "gold_otherwise", self._names.get(state.gold, "?"))
        elif state.exemplar:
            _refuse(row, "exemplar")
        elif state.gold is not None:  # retired, and known to be this: asked again
            _accept(row)
        elif reason := self._taken(state) or ("begun" if state.begun else ""):
            _refuse(row, reason, self.named(state.truth) if state.truth else "")
        else:
            _accept(row)

    def _answer(self, row: ImportRow, what: What, state: State) -> None:
        person = self.person(row.annotator)
        earlier = next((each for labeler, each in state.answers if labeler == person), None)
        if earlier is not None:
            said = (earlier.kind, self._now.get(earlier.label_class_id or 0))
            if said == what:
                _same(row)
            else:
                _refuse(row, "answered", self.named(said))
        elif reason := self._taken(state) or ("" if state.free else "not_asked"):
            _refuse(row, reason, self.named(state.truth) if state.truth else "")
        else:
            _accept(row)
            state.answers.append((0, Given(what[0], what[1], self.guideline.pk)))
            state.free = (state.free or 0) - 1
            agreed = consensus_of(
                self.project, [each for _who, each in state.answers], self.guideline, state.wanted
            )
            if agreed.state == "agreed":
                state.truth = (agreed.kind, agreed.label_class_id)
            state.disputed = agreed.state == "disputed"

    def _hint(self, row: ImportRow, what: What, state: State) -> None:
        earlier = state.hints.get(self.said_by(row))
        if earlier == what:
            _same(row)
        elif earlier is not None:
            _refuse(row, "answered", self.named(earlier))
        else:
            _accept(row)

    def _taken(self, state: State) -> str:
        """Why no word from elsewhere can be one about this photo, if there is a reason."""
        if state.drawn:
            return "drawn"
        if state.disputed:
            return "in_review"
        if state.truth is not None:
            return "settled"
        return "decided" if state.decided else ""


def _same(row: ImportRow) -> None:
    row.outcome, row.reason, row.about = Outcome.SAME, "", ""


def _accept(row: ImportRow) -> None:
    row.outcome, row.reason, row.about = Outcome.READY, "", ""


def _refuse(row: ImportRow, reason: str, about: str = "") -> None:
    row.outcome, row.reason, row.about = Outcome.REFUSED, reason, about
