"""Which of the open disputes a reviewer wants to see: of one cause, or between the same classes.

By what a reviewer may know before ruling: why the photo came to review, and what was answered. Not by who answered, nor by
what the audit or the machine has to do with it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from labeling.catalog.models import LabelClass, Project
from labeling.catalog.selectors import active_classes, class_resolution
from labeling.people.models import User
from labeling.refusals import Refused
from labeling.truth.models import Dispute, DisputeCause
from labeling.truth.selectors import Alike, counted_alike, open_disputes, rulable_disputes

#: Pairs of classes that are offered, those with the most disputes first.
MOST_PAIRS = 12
#: So many classes may be named at once: a photo has no more answers.
MOST_BETWEEN = 12


@dataclass(frozen=True)
class Wanted:
    """``cause``: of :class:`DisputeCause`; ``between``: keys of all classes that were answered. Empty: any.

    ``held``: of those that are held at the boundary, which no ruling is asked for, instead of those that wait for one.
    """

    cause: str = ""
    between: tuple[str, ...] = ()
    held: bool = False

    @classmethod
    def of(cls, given: Mapping[str, str]) -> Wanted:
        """What an address asks for. Raises :class:`Refused` ``invalid`` (422) for a cause that there is not, and for too
        many classes."""
        cause = given.get("cause", "")
        if cause and cause not in DisputeCause.values:
            raise Refused.invalid(
                "cause",
                _("A dispute has one of these causes: %(causes)s. Leave “cause” out to see them all.")
                % {"causes": ", ".join(DisputeCause.values)},
            )
        between = tuple(dict.fromkeys(filter(None, given.get("between", "").split(","))))
        if len(between) > MOST_BETWEEN:
            raise Refused.invalid(
                "between", _("Name at most %(most)d classes at once.") % {"most": MOST_BETWEEN}
            )
        return cls(cause, between, bool(given.get("held")))

    def __bool__(self) -> bool:
        return bool(self.cause or self.between or self.held)

    @property
    def query(self) -> str:
        """As part of an address, with its question mark; empty for all."""
        asked = {"cause": self.cause, "between": ",".join(self.between), "held": "1" if self.held else ""}
        return f"?{urlencode({name: value for name, value in asked.items() if value})}" if self else ""

    def of_open(self, project: Project, reviewer: User) -> QuerySet[Dispute]:
        """The open disputes that are wanted. Own ones are not told by what others answered."""
        if self.between:
            return self.rulable(project, reviewer)
        return self._among(open_disputes(project, held=self.held), project)

    def rulable(self, project: Project, reviewer: User) -> QuerySet[Dispute]:
        return self._among(rulable_disputes(project, reviewer, held=self.held), project)

    def _among(self, disputes: QuerySet[Dispute], project: Project) -> QuerySet[Dispute]:
        if self.cause:
            disputes = disputes.filter(waits__cause=self.cause)
        if self.between:
            counted = _counted_as(project)
            named = [counted.get(key, []) for key in self.between]
            for ids in named:
                disputes = disputes.filter(waits__classes__overlap=ids)
            disputes = disputes.filter(waits__classes__contained_by=list(chain(*named)))
        return disputes


@dataclass(frozen=True)
class Choice:
    """One thing to filter by: its name, how many disputes it leaves, the address, and whether it is chosen."""

    name: str
    count: int
    query: str
    chosen: bool


def choices(project: Project, reviewer: User, wanted: Wanted) -> list[Choice]:
    """What the open disputes can be filtered by: causes in their order, then classes between which people differ."""
    open_now = counted_alike(project, reviewer)
    causes = Counter[str]()
    for each in open_now:
        causes[each.cause] += 0 if each.held else each.n
    found = [
        Choice(str(cause.label), causes[cause], Wanted(cause=cause).query, wanted == Wanted(cause=cause))
        for cause in DisputeCause
        if causes[cause]
    ]
    pairs = _pairs(project, reviewer, open_now)
    found += [
        Choice(" / ".join(names), count, Wanted(between=keys).query, wanted == Wanted(between=keys))
        for keys, names, count in pairs
        if len(pairs) > 1 or wanted == Wanted(between=keys)
    ]
    if n_held := sum(each.n for each in open_now if each.held):
        found.append(Choice(_("Held at the boundary"), n_held, Wanted(held=True).query, wanted.held))
    return found


def _pairs(
    project: Project, reviewer: User, open_now: Iterable[Alike]
) -> list[tuple[tuple[str, ...], list[str], int]]:
    """Classes, as they count today, between which people differ: keys, names, and disputes to be ruled on."""
    resolution = class_resolution(project)
    counted = Counter[tuple[int, ...]]()
    for each in open_now:
        if not each.held and (project.reviewer_may_rule_own or not each.own):
            now = {new for old in each.classes if (new := resolution.get(old)) is not None}
            counted[tuple(sorted(now))] += each.n
    most = sorted(
        (pair for pair in counted.items() if len(pair[0]) > 1), key=lambda pair: (-pair[1], pair[0])
    )
    of = {each.label_class_id: each for each in active_classes(project)}
    return [
        (tuple(of[each].label_class.key for each in classes), [of[each].name for each in classes], count)
        for classes, count in most[:MOST_PAIRS]
    ]


def _counted_as(project: Project) -> dict[str, list[int]]:
    """By the key of a class in use: ids of the classes whose answers count as it today."""
    keys = dict(LabelClass.objects.filter(project=project).values_list("pk", "key"))
    found: dict[str, list[int]] = {}
    for old, new in class_resolution(project).items():
        if new is not None:
            found.setdefault(keys[new], []).append(old)
    return found
