"""What must hold of each photo that a search looks at: SQL over ``i``, a row of ``catalog_item``."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _

from labeling.catalog.models import Project
from labeling.catalog.selectors import class_resolution
from labeling.explorer.search.areas import Area
from labeling.explorer.search.by_words import found_by
from labeling.explorer.search.wanted import Wanted
from labeling.explorer.spaces import MOST, Probe, current_space, nearest, probe_named
from labeling.frontier.told import IS_TOLD, STATUS, telling
from labeling.learning.selectors import champion
from labeling.people.models import User
from labeling.refusals import Refused

#: Photos that one page looks at.
MOST_LOOKED_AT = 10_000
A_PAGE = 60
#: Of photos that look like one so many are found at first: three pages, and the photo that says there is a fourth.
FIRST_ALIKE = 3 * A_PAGE + 1
_LAST = 2**63 - 1

_SCORED = """
LEFT JOIN LATERAL (
    SELECT predicted_id, confidence FROM learning_score
    WHERE model_version_id = %(model)s AND item_id = i.id LIMIT 1) s ON true"""
#: What the photo is called, by people or the machine; of what is told.
CALLED = "CASE WHEN told.settled THEN t.label_class_id ELSE told.decided END"


class Asked:
    """What is wanted, as ``condition`` and what is ``joined`` for it; ``given``: the values that both name.

    ``like``: the photo that others are compared with, if they are; ``ranked``: ids of those that fit it, or the words
    that are looked for, the ones that do so best first; None where photos come in the order of ids.
    ``of_answer``: what must hold of an answer ``a``. ``table``: where the map's places are.
    """

    def __init__(
        self,
        project: Project,
        user: User,
        wanted: Wanted,
        after: int,
        before: int | None,
        limit: int = MOST_LOOKED_AT,
    ) -> None:
        self.wanted = wanted
        self.limit = limit
        self.back = before is not None
        self.given: dict[str, Any] = {
            "project": project.pk,
            "from": min(after if before is None else before, _LAST),
            "most": MOST_LOOKED_AT,
            **telling(project, user),
        }
        self.conditions: list[str] = []
        self.joined = ""
        self.like: Probe | None = None
        self.ranked: list[int] | None = None
        self.of_answer = ""
        keys: dict[str, int] = {}
        if wanted.class_ or wanted.of_scores:
            resolution = class_resolution(project)
            self.given |= {"old": list(resolution.keys()), "new": list(resolution.values())}
            keys = dict(project.label_classes.values_list("key", "pk"))
        self.table = ""
        if wanted.like:
            self._of_likeness(project)
        if wanted.words:
            self.ranked = found_by(project, wanted.words)
        if wanted.area:
            self._of_area(project)
        self._of_names()
        self._of_answers()
        if wanted.leaves_out:
            self.conditions.append(IS_TOLD)
        if wanted.status:
            self._also(f"{STATUS} = %(status)s", status=wanted.status)
        if wanted.class_:
            self._also(f"{_today(CALLED)} = {_today('%(class)s')}", **{"class": keys[wanted.class_]})
        if wanted.of_scores:
            self._of_scores(project, keys)

    @property
    def condition(self) -> str:
        return " AND ".join(self.conditions) or "true"

    def run(self, sql: str, **more: Any) -> list[tuple[Any, ...]]:
        with connection.cursor() as cursor:
            cursor.execute(sql, self.given | more)
            rows: list[tuple[Any, ...]] = cursor.fetchall()
            return rows

    def place(self, item_id: int) -> int:
        """What the next page begins behind, where this one ends with that photo."""
        return item_id if self.ranked is None else self.ranked.index(item_id) + 1

    def _also(self, condition: str, **given: Any) -> None:
        self.conditions.append(condition)
        self.given |= given

    def _of_likeness(self, project: Project) -> None:
        self.like = probe_named(project, self.wanted.like)
        space = current_space(project)
        assert space is not None  # or there was nothing to compare with
        # The first pages of all that are alike need no more, and without pgvector each costs.
        few = not replace(self.wanted, like="") and self.given["from"] + self.limit < FIRST_ALIKE
        self.ranked = nearest(space, self.like, FIRST_ALIKE if few else MOST)

    def _of_area(self, project: Project) -> None:
        area, space = Area.of(self.wanted.area), current_space(project)
        if space is None or space.pk != area.space:
            message = _("The map was laid out anew since this area was drawn. Draw it again.")
            raise Refused.invalid("area", message, short=[message])
        self.table = space.table
        inside = (
            f"SELECT 1 FROM {space.table} p WHERE p.item_id = i.id AND point(p.x, p.y) <@ %(area)s::polygon"
        )
        self._also(f"EXISTS ({inside} OFFSET 0)", area=area.polygon)

    def _of_names(self) -> None:
        for number, word in enumerate(self.wanted.q.split()):
            name = f"word{number}"
            self._also(f"position(lower(%({name})s) IN lower(i.source || '/' || i.name)) > 0", **{name: word})
        if self.wanted.source:
            self._also("i.source = %(source)s", source=self.wanted.source)
        for number, pair in enumerate(self.wanted.pairs):
            said, value = f"m.data ->> %(name{number})s", f"%(value{number})s"
            holds = (
                f"{said} = {value}" if pair.sign == "=" else f"catalog_as_number({said}) {pair.sign} {value}"
            )
            self._also(
                f"EXISTS (SELECT 1 FROM catalog_metadata m WHERE m.item_id = i.id AND {holds} OFFSET 0)",
                **{
                    f"name{number}": pair.name,
                    f"value{number}": pair.value if pair.sign == "=" else pair.number,
                },
            )

    def _of_answers(self) -> None:
        wanted = self.wanted
        if not wanted.of_answers:
            return
        since, until = wanted.answered
        person = User.objects.filter(username=wanted.labeler).values_list("pk", flat=True).first()
        said = ["%(gold)s OR a.draw <> 'gold'"]
        said += ["a.labeler_id = %(labeler)s"] * bool(wanted.labeler)
        said += ["a.reason = %(reason)s"] * bool(wanted.reason)
        said += ["a.created_at >= %(since)s"] * (since is not None)
        said += ["a.created_at < %(until)s"] * (until is not None)
        self.of_answer = " AND ".join(f"({each})" for each in said)
        self._also(
            f"EXISTS (SELECT 1 FROM truth_annotation a WHERE a.item_id = i.id AND {self.of_answer} OFFSET 0)",
            labeler=person,
            reason=wanted.reason,
            since=since,
            until=until,
        )

    def _of_scores(self, project: Project, keys: dict[str, int]) -> None:
        wanted, version = self.wanted, champion(project)
        self.joined = _SCORED
        self.given["model"] = version.pk if version else None
        if wanted.predicted:
            self._also(
                f"{_today('s.predicted_id')} = {_today('%(predicted)s')}", predicted=keys[wanted.predicted]
            )
        if wanted.margin_from is not None:
            self._also("s.confidence >= %(margin_from)s", margin_from=wanted.margin_from)
        if wanted.margin_to is not None:
            self._also("s.confidence <= %(margin_to)s", margin_to=wanted.margin_to)
        if wanted.disagrees:
            self._also(f"told.settled AND {_today('t.label_class_id')} <> {_today('s.predicted_id')}")


def _today(class_id: str) -> str:
    """SQL: the class that it counts as today."""
    return f"(%(new)s::bigint[])[array_position(%(old)s::bigint[], {class_id})]"
