"""Photos that are wanted, a page at a time, in the order that they came in, or of how much they look like a given one.

Whatever is asked, a page looks at :data:`MOST_LOOKED_AT` photos and no more: those that an index names, where one knows
what is wanted (parts of a name, metadata, a folder, a reason, a few answers, a few disputes), else the next ones of the
project. What else is asked is looked up of these, one by one. So a page of a million photos costs what one of ten thousand
does. A page that looked at so many and found too few says how far it came, and the next goes on from there: nothing is left
out (docs/decisions/0046-a-search-that-stays-bounded.md).
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _

from labeling.catalog.models import Item, Project
from labeling.catalog.name_parts import BLOCK_BITS
from labeling.catalog.selectors import class_resolution
from labeling.explorer.areas import Area
from labeling.explorer.pairs import Pair
from labeling.explorer.spaces import MOST, Probe, current_space, nearest, probe_named
from labeling.explorer.wanted import Wanted
from labeling.frontier.told import IS_TOLD, STATUS, TOLD, Status, telling
from labeling.learning.selectors import champion
from labeling.people.models import User
from labeling.refusals import Refused

MOST_LOOKED_AT = 10_000
#: So many ids an index may name at once, to be sorted; of more a walk finds enough.
FEW = 5_000
A_PAGE = 60
#: Of photos that look like one so many are found at first: three pages, and the photo that says there is a fourth.
FIRST_ALIKE = 3 * A_PAGE + 1
_LAST = 2**63 - 1


@dataclass(frozen=True)
class Found:
    """``class_id``: what it is called, where that is told."""

    item: Item
    status: Status
    class_id: int | None


@dataclass(frozen=True)
class FoundPage:
    """Oldest first, or the most alike. ``next``: the id behind which the following page begins, or the place among those
    that are alike; ``previous``: in front of which the one before ends; ``None`` at an end. ``stopped``: more photos were to
    be looked at than a page looks at, so it is not full. ``like``: with what they are compared.
    """

    rows: list[Found]
    next: int | None
    previous: int | None
    stopped: bool
    like: Probe | None = None


# Each is read no further than the page needs, in the order of ids: {beyond} is ">" or "<", {order} "ASC" or "DESC".
_NEXT_ONES = """
    SELECT * FROM catalog_item WHERE project_id = %(project)s AND id {beyond} %(from)s {also}
    ORDER BY id {order} LIMIT %(most)s"""
# The blocks come in order, and each one's photos are sorted, so the loop over them is in order.
_BLOCKS = """(
        SELECT (SELECT id FROM catalog_item WHERE project_id = %(project)s ORDER BY id LIMIT 1) AS first,
               (SELECT id FROM catalog_item WHERE project_id = %(project)s ORDER BY id DESC LIMIT 1) AS last) ends
    CROSS JOIN LATERAL generate_series({blocks}) block"""
_NAMED = f"""
    SELECT named.* FROM {_BLOCKS}
    CROSS JOIN LATERAL (SELECT catalog_text_parts(%(project)s, block, %(q)s) AS parts OFFSET 0) wanted
    CROSS JOIN LATERAL (
        SELECT i.* FROM catalog_item i
        WHERE catalog_name_parts(i.project_id, i.source, i.name, i.id) @> wanted.parts
          AND i.project_id = %(project)s AND i.id {{beyond}} %(from)s ORDER BY i.id {{order}}) named
    LIMIT %(most)s"""
_KNOWN = f"""
    SELECT i.* FROM {_BLOCKS}
    CROSS JOIN LATERAL (
        SELECT catalog_metadata_parts(%(project)s, %(metadata)s::jsonb, block << {BLOCK_BITS}) AS parts OFFSET 0) wanted
    CROSS JOIN LATERAL (
        SELECT m.item_id FROM catalog_metadata m
        WHERE catalog_metadata_parts(m.project_id, m.data, m.item_id) @> wanted.parts
          AND m.project_id = %(project)s AND m.item_id {{beyond}} %(from)s ORDER BY m.item_id {{order}}) known
    CROSS JOIN LATERAL (SELECT * FROM catalog_item WHERE id = known.item_id LIMIT 1) i
    LIMIT %(most)s"""
_BETWEEN = f"""
    SELECT i.* FROM {_BLOCKS}
    CROSS JOIN LATERAL (
        SELECT n.item_id FROM catalog_metadatanumber n
        WHERE n.project_id = %(project)s AND n.name = %(named)s AND n.item_id >> {BLOCK_BITS} = block
          AND n.number BETWEEN %(least)s AND %(greatest)s AND n.item_id {{beyond}} %(from)s
        ORDER BY n.item_id {{order}}) known
    CROSS JOIN LATERAL (SELECT * FROM catalog_item WHERE id = known.item_id LIMIT 1) i
    LIMIT %(most)s"""
_ONWARDS = f"GREATEST(%(from)s::bigint, ends.first) >> {BLOCK_BITS}, ends.last >> {BLOCK_BITS}"
_BACKWARDS = f"LEAST(%(from)s::bigint, ends.last) >> {BLOCK_BITS}, ends.first >> {BLOCK_BITS}, -1"
_REASONED = """
    SELECT i.* FROM (
        SELECT DISTINCT item_id FROM truth_annotation
        WHERE project_id = %(project)s AND reason = %(reason)s AND reason <> '' AND item_id {beyond} %(from)s
        ORDER BY item_id {order} LIMIT %(most)s) said
    CROSS JOIN LATERAL (SELECT * FROM catalog_item WHERE id = said.item_id LIMIT 1) i"""
_LISTED = """
    SELECT i.* FROM unnest(%(ids)s::bigint[]) AS listed (id)
    CROSS JOIN LATERAL (SELECT * FROM catalog_item WHERE id = listed.id AND project_id = %(project)s LIMIT 1) i"""
_WITHIN = """
    SELECT i.* FROM (
        SELECT item_id FROM {table} WHERE point(x, y) <@ %(area)s::polygon AND item_id {beyond} %(from)s
        ORDER BY item_id {order} LIMIT %(most)s) here
    CROSS JOIN LATERAL (SELECT * FROM catalog_item WHERE id = here.item_id AND project_id = %(project)s LIMIT 1) i"""
_SCORED = """
LEFT JOIN LATERAL (
    SELECT predicted_id, confidence FROM learning_score
    WHERE model_version_id = %(model)s AND item_id = i.id LIMIT 1) s ON true"""
_CALLED = "CASE WHEN told.settled THEN t.label_class_id ELSE told.decided END"


def search(
    project: Project,
    user: User,
    wanted: Wanted,
    *,
    after: int = 0,
    before: int | None = None,
    limit: int = A_PAGE,
) -> FoundPage:
    """The wanted photos behind the id ``after``, or those in front of ``before``; of similar ones, places from 1 on.

    Raises what :func:`~labeling.explorer.spaces.probe_named` does.
    """
    asked = _Asked(project, user, wanted, after, before, limit)
    rows = asked.run(
        f"""
        SELECT i.id, {STATUS}, {_CALLED} FROM ({asked.candidates}) i
        {TOLD} {asked.joined} WHERE {asked.condition} LIMIT %(limit)s""",
        limit=limit + 1,
    )
    more, rows = len(rows) > limit, rows[:limit]
    further = asked.place(rows[-1][0]) if more else None
    if not more and wanted and asked.like is None:
        ((looked, reached),) = asked.run(
            f"SELECT count(*), {'min' if asked.back else 'max'}(id) FROM ({asked.candidates}) i"
        )
        further = reached if looked == MOST_LOOKED_AT else None
    items = Item.objects.select_related("image", "metadata").in_bulk([row[0] for row in rows])
    found = [Found(items[pk], Status(status), class_id) for pk, status, class_id in rows]
    # There is something on the side from where one came, as far as anybody can know without looking.
    came_from = (before - 1 if before else after + 1) if asked.back or after else None
    return FoundPage(
        rows=found[::-1] if asked.back else found,
        next=came_from if asked.back else further,
        previous=further if asked.back else came_from,
        stopped=further is not None and not more,
        like=asked.like,
    )


class _Asked:
    """The SQL of what is wanted: where the photos to look at come from, and what must hold of each."""

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
        self._alike: list[int] = []
        keys: dict[str, int] = {}
        if wanted.class_ or wanted.of_scores:
            resolution = class_resolution(project)
            self.given |= {"old": list(resolution.keys()), "new": list(resolution.values())}
            keys = dict(project.label_classes.values_list("key", "pk"))
        self.table = ""
        if wanted.like:
            self._of_likeness(project)
        if wanted.area:
            self._of_area(project)
        self._of_names()
        self._of_answers()
        if wanted.leaves_out:
            self.conditions.append(IS_TOLD)
        if wanted.status:
            self._also(f"{STATUS} = %(status)s", status=wanted.status)
        if wanted.class_:
            self._also(f"{_today(_CALLED)} = {_today('%(class)s')}", **{"class": keys[wanted.class_]})
        if wanted.of_scores:
            self._of_scores(project, keys)
        self.candidates = self._candidates().format(
            beyond="<" if self.back else ">",
            order="DESC" if self.back else "ASC",
            blocks=_BACKWARDS if self.back else _ONWARDS,
            table=self.table,
            also="AND source = %(source)s" if wanted.source else "",
        )

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
        return self._alike.index(item_id) + 1 if self.like else item_id

    def _also(self, condition: str, **given: Any) -> None:
        self.conditions.append(condition)
        self.given |= given

    def _of_likeness(self, project: Project) -> None:
        self.like = probe_named(project, self.wanted.like)
        space = current_space(project)
        assert space is not None  # or there was nothing to compare with
        # The first pages of all that are alike need no more, and without pgvector each costs.
        few = not replace(self.wanted, like="") and self.given["from"] + self.limit < FIRST_ALIKE
        self._alike = nearest(space, self.like, FIRST_ALIKE if few else MOST)

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

    def _candidates(self) -> str:
        """The surest index first: it names the fewest."""
        wanted = self.wanted
        if self.like is not None:
            start = self.given["from"]
            self.given["ids"] = self._alike[: max(0, start - 1)][::-1] if self.back else self._alike[start:]
            return _LISTED
        if any(len(word) > 1 for word in wanted.q.split()):
            self.given["q"] = wanted.q
            return _NAMED
        if any(pair.sign == "=" for pair in wanted.pairs):
            self.given["metadata"] = json.dumps(
                {each.name: each.value for each in wanted.pairs if each.sign == "="}
            )
            return _KNOWN
        if wanted.pairs:
            self._between(wanted.pairs)
            return _BETWEEN
        if wanted.reason:
            return _REASONED
        few = self._few()
        if few is not None:
            self.given["ids"] = few
            return _LISTED
        if wanted.area:
            return _WITHIN
        return _NEXT_ONES

    def _between(self, pairs: list[Pair]) -> None:
        """All that is wanted of the first name: the index is by one."""
        ends = {">=": [-math.inf], "<=": [math.inf]}
        for pair in pairs:
            if pair.name == pairs[0].name and pair.number is not None:
                ends[pair.sign].append(pair.number)
        self.given |= {"named": pairs[0].name, "least": max(ends[">="]), "greatest": min(ends["<="])}

    def _few(self) -> list[int] | None:
        """Ids that all wanted photos are among, where they are few, from where the page begins."""
        if self.wanted.of_answers:
            # Named one by one, for the index is by labeler and time; not by membership, for people leave.
            among = f"""
                SELECT a.item_id FROM truth_annotation a
                WHERE a.project_id = %(project)s AND a.labeler_id = ANY(ARRAY(SELECT id FROM people_user))
                  AND {self.of_answer}"""
        elif self.wanted.status == Status.DISPUTED:
            among = """
                SELECT d.item_id FROM truth_opendispute o JOIN truth_dispute d ON d.id = o.dispute_id
                WHERE o.project_id = %(project)s"""
        else:
            return None
        ids = [row[0] for row in self.run(f"{among} LIMIT %(few)s", few=FEW + 1)]
        if len(ids) > FEW:
            return None
        here = {
            each for each in ids if (each < self.given["from"] if self.back else each > self.given["from"])
        }
        return sorted(here, reverse=self.back)


def _today(class_id: str) -> str:
    """SQL: the class that it counts as today."""
    return f"(%(new)s::bigint[])[array_position(%(old)s::bigint[], {class_id})]"
