"""The newest automatic decisions, by predicted class and by what became of them, a page at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from django.db.models import Q
from django.utils.translation import gettext as _

from labeling.catalog.models import ClassDefinition, Project
from labeling.catalog.selectors import active_classes, class_names, current_guideline, photo_urls
from labeling.frontier.decisions.selectors import Outcome, decisions, with_outcome
from labeling.frontier.models import AutomaticDecision
from labeling.refusals import Refused
from labeling.text.typed_numbers import whole

A_PAGE = 24


@dataclass(frozen=True)
class Told:
    """One decision of the list, its photo's thumbnail, and its class's name."""

    decision: AutomaticDecision
    outcome: Outcome
    thumb: str
    name: str


@dataclass(frozen=True)
class Choice:
    """What the list may be narrowed to, with the address's query that does so; ``position``: a class's in the guideline."""

    name: str
    query: str
    chosen: bool
    position: int | None = None


@dataclass(frozen=True)
class DecisionList:
    """A page of decisions, the newest first, and what it was narrowed to.

    Attributes:
        class_key, outcome: what is shown of; empty: of all.
        before: the id from which on it shows older ones; ``None``: from the newest on.
        older: the id to go on from; ``None``: these were the last.
        any: whether there is any decision at all, told or not.
    """

    rows: list[Told]
    definitions: list[ClassDefinition]
    class_key: str
    outcome: str
    before: int | None
    older: int | None
    any: bool

    @property
    def narrowed(self) -> bool:
        return bool(self.class_key or self.outcome or self.before)

    @property
    def outcomes(self) -> list[Choice]:
        all_of_them = Choice(_("All outcomes"), self._query(outcome=""), not self.outcome)
        return [
            all_of_them,
            *(
                Choice(str(each.label), self._query(outcome=each.value), self.outcome == each)
                for each in Outcome
            ),
        ]

    @property
    def classes(self) -> list[Choice]:
        found = [Choice(_("All classes"), self._query(**{"class": ""}), not self.class_key)]
        for position, each in enumerate(self.definitions):
            key = each.label_class.key
            found.append(Choice(each.name, self._query(**{"class": key}), self.class_key == key, position))
        return found

    @property
    def newest_query(self) -> str:
        return self._query()

    @property
    def older_query(self) -> str:
        return self._query(before=self.older)

    @property
    def live_query(self) -> str:
        """By which the list is asked for again, as it is."""
        return self._query(before=self.before, fragment="state")

    def _query(self, **more: object) -> str:
        chosen = {"class": self.class_key, "outcome": self.outcome} | more
        return urlencode({name: value for name, value in chosen.items() if value})


def decision_list(project: Project, asked: Mapping[str, str]) -> DecisionList:
    """``asked``: ``class``, ``outcome`` and ``before`` of an address. Raises :class:`Refused` where one is none of ours."""
    definitions = active_classes(project)
    class_key, outcome = asked.get("class", ""), asked.get("outcome", "")
    if class_key and class_key not in {each.label_class.key for each in definitions}:
        raise Refused.invalid("class", _("This project has no such class. Choose one of the list."))
    if outcome and outcome not in Outcome:
        raise Refused.invalid("outcome", _("One of: %(values)s.") % {"values": ", ".join(Outcome.values)})
    before = whole(asked.get("before", ""), digits=18)
    if before is None and asked.get("before"):
        raise Refused.invalid("before", _("Decisions are counted with whole numbers. Begin at the newest."))
    found = decisions(project).told()
    if class_key:
        found = found.filter(label_class__key=class_key)
    if before is not None:
        found = found.filter(pk__lt=before)
    found = with_outcome(project, found)
    if outcome:
        found = found.filter(Q(("outcome", outcome)))
    page = list(found.order_by("-pk")[: A_PAGE + 1])
    names = class_names(current_guideline(project))
    return DecisionList(
        rows=[
            Told(
                each,
                Outcome(getattr(each, "outcome")),  # noqa: B009 - annotated
                photo_urls(each.item.image)["thumb"],
                names.get(each.label_class_id, each.label_class.key),
            )
            for each in page[:A_PAGE]
        ],
        definitions=definitions,
        class_key=class_key,
        outcome=outcome,
        before=before,
        older=page[A_PAGE - 1].pk if len(page) > A_PAGE else None,
        any=bool(page) or AutomaticDecision.objects.filter(project=project).exists(),
    )
