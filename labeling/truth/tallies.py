"""Counts of photos, answers and ground truths, kept by the transactions that change them.

The database adds a row to ``truth_tally`` with each answer, retraction, ground truth, dispute, ruling and photo
(``migrations/0007_tallies.py``), so no service can forget to. Whoever reads adds up what is there: as many rows as there are
different keys, and what came since the last fold. Classes are kept by the ids that people named; who reads follows merges
and retirements, so a new guideline changes no row.

``what`` and ``key``:
    answers: "stands" or "undone"; ``amount``: milliseconds, 120 s at most each; by quarter of an hour.
    labelers: labeler, kind, draw, "stands" or "undone"; ``amount`` the same.
    units: band, and the values of two blind answers or more to one photo in one round, sorted; by that of the newest one.
    held: band of a photo and round that somebody held.
    truths: kind, class, origin, guideline of those in force.
    newest: kind, origin of the same, and their block of ids.
    settled: "came" and "went" of photos that people settled; by quarter of an hour.
    compared: labeler, value of an answer, value of the ground truth in force.
    disputes: "waiting", or "held" where no reviewer is asked; open ones only.
    rulings: reviewer; by quarter of an hour. photos: "left" or "drawn" for the audit.

A value is a class id, "hold" or "unusable"; a band is empty where the answers name none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection, transaction

from labeling import locks
from labeling.catalog.models import Project
from labeling.catalog.selectors import class_resolution
from labeling.locks import Lock
from labeling.read_once import read_once
from labeling.truth.models import GroundTruth, Origin, TruthKind

#: What is read besides the folded rows stays below this, as a fold comes each minute.
MOST_FOLDED = 200_000
#: Ids of ground truths that are counted together.
BLOCK = 256
#: Every time zone's days begin with one.
QUARTER = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Counted:
    """``key``: as the module says. ``amount``: 0 but for answers."""

    key: tuple[str, ...]
    n: int
    amount: int


def counts(
    project: Project,
    what: str,
    *,
    since: datetime | None = None,
    first: str | None = None,
    block_after: int | None = None,
) -> list[Counted]:
    """What is counted now; ``since``: of quarters of an hour that begin no earlier; ``first``: with a key that begins so;
    ``block_after``: of later blocks."""
    return [
        Counted(tuple(key), int(n), int(amount))
        for key, n, amount in _rows(
            """
            SELECT key, sum(n), sum(amount) FROM truth_tally
            WHERE project_id = %s AND what = %s AND (%s::timestamptz IS NULL OR at >= %s)
              AND (%s::text IS NULL OR key[1] = %s) AND (%s::bigint IS NULL OR key[3]::bigint > %s)
            GROUP BY key HAVING sum(n) <> 0 OR sum(amount) <> 0
            """,
            [project.pk, what, since, since, first, first, block_after, block_after],
        )
    ]


def photos(project: Project) -> int:
    return sum(each.n for each in counts(project, "photos"))


@dataclass(frozen=True, slots=True)
class TruthCount:
    """Ground truths in force that are alike. ``class_id`` as it was named; ``None`` for hold and unusable."""

    kind: str
    class_id: int | None
    origin: str
    guideline_id: int
    n: int


@read_once
def truths(project: Project) -> list[TruthCount]:
    found = []
    for each in counts(project, "truths"):
        kind, class_id, origin, guideline_id = each.key
        found.append(TruthCount(kind, int(class_id) if class_id else None, origin, int(guideline_id), each.n))
    return found


def truths_after(project: Project, last: int) -> Counter[str]:
    """Origin -> ground truths of a class in force with an id above ``last``, gold left out."""
    found = Counter[str]()
    for each in counts(project, "newest", block_after=last // BLOCK):
        kind, origin, _block = each.key
        if kind == TruthKind.CLASS and origin != Origin.GOLD:
            found[origin] += each.n
    rest = (
        GroundTruth.objects.current()
        .filter(project=project, kind=TruthKind.CLASS, pk__gt=last, pk__lt=(last // BLOCK + 1) * BLOCK)
        .exclude(origin=Origin.GOLD)
    )
    return found + Counter(rest.values_list("origin", flat=True))


@dataclass(frozen=True, slots=True)
class Unit:
    """``n`` photos, each in one round, that were answered alike. ``values`` follow merged classes."""

    band: int | None
    values: Counter[str]
    n: int

    @property
    def answers(self) -> int:
        return self.values.total()

    @property
    def alike(self) -> bool:
        return len(self.values) == 1


def units(project: Project, *, since: datetime | None = None) -> list[Unit]:
    """Photos with two blind answers or more in one round, but for those that one person was asked first for.

    ``since``: those whose newest answer is no older.
    """
    first, rest = _whole_quarters(since)
    found = counts(project, "units", since=rest)
    if first is not None:
        between = _rows(_UNITS_BETWEEN, {"project": project.pk, "since": first, "until": rest})
        found += [Counted(tuple(key), 1, 0) for (key,) in between]
    return as_units(project, found)


def as_units(project: Project, found: Iterable[Counted]) -> list[Unit]:
    """What is counted of ``units``, read under the classes of today."""
    now = {str(old): str(new) for old, new in class_resolution(project).items() if new is not None}
    return [
        Unit(
            int(each.key[0]) if each.key[0] else None,
            Counter(now.get(value, value) for value in each.key[1:]),
            each.n,
        )
        for each in found
    ]


def _whole_quarters(since: datetime | None) -> tuple[datetime | None, datetime | None]:
    """``since`` where it is within a quarter of an hour, and the begin of the first whole one."""
    if since is None:
        return None, None
    within = timedelta(seconds=since.timestamp() % QUARTER.total_seconds())
    return (since, since - within + QUARTER) if within else (None, since)


# As the database's triggers count, but of the answers themselves: a quarter of an hour brings few.
_UNITS_BETWEEN = """
SELECT coalesce(min(CASE WHEN jsonb_typeof(a.context -> 'band') = 'number' THEN (a.context ->> 'band')::int END)::text, '')
       || array_agg(v.value ORDER BY v.value)
FROM truth_annotation a
CROSS JOIN LATERAL (SELECT CASE WHEN a.kind = 'class' THEN a.label_class_id::text ELSE a.kind END AS value) v
WHERE a.item_id IN (SELECT l.item_id FROM truth_annotation l
                    WHERE l.project_id = %(project)s AND l.created_at >= %(since)s AND l.created_at < %(until)s)
  AND a.draw NOT IN ('gold', 'sweep')
  AND NOT EXISTS (SELECT 1 FROM truth_retraction undone WHERE undone.annotation_id = a.id)
GROUP BY a.item_id, a.round
HAVING count(*) >= 2 AND NOT bool_or(a.context @> '{"wanted": 1}')
   AND max(a.created_at) >= %(since)s AND max(a.created_at) < %(until)s
"""


def by_day(project: Project, what: str, zone: str) -> list[tuple[date, Counted]]:
    """The same by day in the time zone ``zone``, of what is counted by quarters of an hour."""
    return [
        (day, Counted(tuple(key), int(n), int(amount)))
        for day, key, n, amount in _rows(
            """
            SELECT (at AT TIME ZONE %s)::date AS day, key, sum(n), sum(amount) FROM truth_tally
            WHERE project_id = %s AND what = %s GROUP BY day, key HAVING sum(n) <> 0 OR sum(amount) <> 0
            """,
            [zone, project.pk, what],
        )
    ]


@transaction.atomic
def fold(most: int = MOST_FOLDED) -> int:
    """Put appended rows together, one a count; return how many there were. Whoever counts meanwhile counts right."""
    locks.hold(Lock.TALLY, 0)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH taken AS (
                DELETE FROM truth_tally WHERE id IN (SELECT id FROM truth_tally WHERE NOT folded ORDER BY id LIMIT %s)
                RETURNING project_id, what, at, key, n, amount
            ), put AS (
                INSERT INTO truth_tally (project_id, what, at, key, n, amount, folded)
                SELECT project_id, what, at, key, sum(n), sum(amount), true FROM taken GROUP BY project_id, what, at, key
                HAVING sum(n) <> 0 OR sum(amount) <> 0
                ON CONFLICT (project_id, what, at, key) WHERE folded
                DO UPDATE SET n = truth_tally.n + excluded.n, amount = truth_tally.amount + excluded.amount
            )
            SELECT count(*) FROM taken
            """,
            [most],
        )
        return int(cursor.fetchone()[0])


def mend(project: Project | None = None) -> int:
    """Count everything anew, append what the kept counts lack or have too much, and return how many were wrong."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT truth_tally_mend(%s) + truth_open_disputes_mend()", [project.pk if project else None]
        )
        return int(cursor.fetchone()[0])


def _rows(sql: str, parameters: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return list(cursor.fetchall())
