"""Which of the open disputes a reviewer wants to see: of one cause, or between the same classes.

By what a reviewer may know before ruling: why the photo came to review, and what was answered. Not by who answered, nor by
what the audit or the machine has to do with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from urllib.parse import urlencode

from django.db import connection
from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext as _

from labeling.catalog.models import LabelClass, Project
from labeling.catalog.selectors import active_classes, class_resolution
from labeling.people.models import User
from labeling.refusals import Refused
from labeling.truth.models import Annotation, AnswerKind, Dispute, DisputeCause
from labeling.truth.selectors import open_counts, open_disputes, rulable_disputes

#: Pairs of classes that are offered, those with the most disputes first.
MOST_PAIRS = 12
#: So many classes may be named at once. Each is a question of its own to the database, and a photo has no more answers.
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
            disputes = disputes.filter(cause=self.cause)
        if self.between:
            answers = Annotation.objects.for_agreement().filter(
                item=OuterRef("item"), round=OuterRef("round"), kind=AnswerKind.CLASS
            )
            counted = _counted_as(project)
            named = [counted.get(key, []) for key in self.between]
            for ids in named:
                disputes = disputes.filter(Exists(answers.filter(label_class__in=ids)))
            disputes = disputes.exclude(Exists(answers.exclude(label_class__in=list(chain(*named)))))
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
    counted = open_counts(project)
    causes = {cause: n for (cause, held), n in counted.items() if not held}
    found = [
        Choice(str(cause.label), causes[cause], Wanted(cause=cause).query, wanted == Wanted(cause=cause))
        for cause in DisputeCause
        if cause in causes
    ]
    pairs = _pairs(project, reviewer)
    found += [
        Choice(" / ".join(names), count, Wanted(between=keys).query, wanted == Wanted(between=keys))
        for keys, names, count in pairs
        if len(pairs) > 1 or wanted == Wanted(between=keys)
    ]
    if n_held := sum(n for (_cause, held), n in counted.items() if held):
        found.append(Choice(_("Held at the boundary"), n_held, Wanted(held=True).query, wanted.held))
    return found


# What each open dispute's standing answers count as today, and how many disputes are between the same classes.
_PAIRS = """
WITH resolution AS (
    SELECT * FROM unnest(%(old)s::bigint[], %(new)s::bigint[]) AS r (old_id, new_id)
), answered AS (
    SELECT d.id, array_agg(DISTINCT r.new_id ORDER BY r.new_id) AS classes
    FROM truth_opendispute o
    JOIN truth_dispute d ON d.id = o.dispute_id
    JOIN truth_annotation a ON a.item_id = d.item_id AND a.round = d.round AND a.kind = 'class' AND a.draw <> 'gold'
    JOIN resolution r ON r.old_id = a.label_class_id
    WHERE o.project_id = %(project)s AND NOT o.held
      AND NOT EXISTS (SELECT 1 FROM truth_retraction x WHERE x.annotation_id = a.id)
      AND (%(own)s OR NOT EXISTS (
          SELECT 1 FROM truth_annotation m WHERE m.item_id = d.item_id AND m.labeler_id = %(reviewer)s
            AND NOT EXISTS (SELECT 1 FROM truth_retraction x WHERE x.annotation_id = m.id)))
    GROUP BY d.id HAVING count(DISTINCT r.new_id) > 1
)
SELECT classes, count(*) FROM answered GROUP BY classes ORDER BY count(*) DESC, classes LIMIT %(most)s
"""


def _pairs(project: Project, reviewer: User) -> list[tuple[tuple[str, ...], list[str], int]]:
    resolution = {old: new for old, new in class_resolution(project).items() if new is not None}
    with connection.cursor() as cursor:
        cursor.execute(
            _PAIRS,
            {
                "old": list(resolution),
                "new": list(resolution.values()),
                "project": project.pk,
                "own": project.reviewer_may_rule_own,
                "reviewer": reviewer.pk,
                "most": MOST_PAIRS,
            },
        )
        rows = cursor.fetchall()
    of = {each.label_class_id: each for each in active_classes(project)}
    return [
        (
            tuple(of[each].label_class.key for each in classes),
            [of[each].name for each in classes],
            count,
        )
        for classes, count in rows
    ]


def _counted_as(project: Project) -> dict[str, list[int]]:
    """By the key of a class in use: ids of the classes whose answers count as it today."""
    keys = dict(LabelClass.objects.filter(project=project).values_list("pk", "key"))
    found: dict[str, list[int]] = {}
    for old, new in class_resolution(project).items():
        if new is not None:
            found.setdefault(keys[new], []).append(old)
    return found
