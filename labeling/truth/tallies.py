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
    disputed: cause, of those that were not withdrawn; by quarter of an hour.
    rulings: reviewer, "on" within 180 s after their last one, else "first"; ``amount``: milliseconds since then, of the
        former; by quarter of an hour. photos: "left" or "drawn" for the audit. drawn: of these, "settled" by people;
        "truths": how many ground truths they ever got.

A value is a class id, "hold" or "unusable"; a band is empty where the answers name none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import connection, transaction

from labeling.catalog.models import Project
from labeling.catalog.selectors import class_resolution
from labeling.database import locks
from labeling.database.kept_counts import Counted, totals
from labeling.database.locks import Lock
from labeling.database.read_once import read_once
from labeling.database.rows import rows
from labeling.truth.models import Origin

#: What is read besides the folded rows stays below this, as a fold comes each minute.
MOST_FOLDED = 200_000
#: Ids of ground truths that are counted together.
BLOCK = 256
#: Every time zone's days begin with one.
QUARTER = timedelta(minutes=15)
_ANY_QUARTER = datetime(2000, 1, 1, tzinfo=UTC)


def human_decisions(project: Project) -> tuple[int, int]:
    """Answers that stand, and rulings."""
    kept = totals(project)
    stand = (each for each in kept["answers"] if each.key == ("stands",))
    return sum(each.n for each in stand), sum(each.n for each in kept["rulings"])


def photos(project: Project) -> int:
    return sum(each.n for each in totals(project)["photos"])


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
    for each in totals(project)["truths"]:
        kind, class_id, origin, guideline_id = each.key
        found.append(TruthCount(kind, int(class_id) if class_id else None, origin, int(guideline_id), each.n))
    return found


_TRUTHS_AFTER = """
SELECT origin, sum(n) AS n FROM (
    SELECT key[2] AS origin, n FROM truth_tally
    WHERE project_id = %(project)s AND what = 'newest' AND key[1] = 'class' AND key[3]::bigint > %(block)s
    UNION ALL
    SELECT t.origin, 1 FROM truth_groundtruth t
    WHERE t.id > %(last)s AND t.id < %(next)s AND t.project_id = %(project)s AND t.kind = 'class'
      AND NOT EXISTS (SELECT 1 FROM truth_groundtruth newer WHERE newer.supersedes_id = t.id)) each
WHERE origin <> 'gold' GROUP BY origin HAVING sum(n) <> 0
"""
_DISPUTED = """
SELECT NULL AS origin, coalesce(sum(n), 0) AS n FROM (
    SELECT n FROM truth_tally
    WHERE project_id = %(project)s AND what = 'disputed' AND key[1] IN ('disagreement', 'hold')
      AND (%(until)s::timestamptz IS NULL OR at >= %(until)s)
    UNION ALL
    SELECT 1 FROM truth_dispute d
    WHERE d.project_id = %(project)s AND d.created_at >= %(since)s AND d.created_at < %(until)s
      AND d.cause IN ('disagreement', 'hold')
      AND NOT EXISTS (SELECT 1 FROM truth_ruling r WHERE r.dispute_id = d.id AND r.outcome = 'withdrawn')) each
"""


def truths_after(project: Project, last: int) -> Counter[str]:
    """Origin -> ground truths of a class in force with an id above ``last``, gold left out."""
    return Counter({origin: int(n) for origin, n in rows(_TRUTHS_AFTER, _after(project, last))})


def finished(project: Project, last: int, since: datetime | None) -> tuple[Counter[str], int]:
    """:func:`truths_after`, and the disputes that people's answers made since then and that no undo has withdrawn."""
    found = rows(
        f"{_TRUTHS_AFTER} UNION ALL {_DISPUTED}",
        _after(project, last) | {"since": since, "until": _next_quarter(since)},
    )
    by_origin = {origin: int(n) for origin, n in found}
    return Counter({origin: n for origin, n in by_origin.items() if origin is not None}), by_origin[None]


def _after(project: Project, last: int) -> dict[str, object]:
    block = last // BLOCK
    return {"project": project.pk, "last": last, "block": block, "next": (block + 1) * BLOCK}


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


@read_once
def units(project: Project, *, since: datetime | None = None) -> list[Unit]:
    """Photos with two blind answers or more in one round, but for those that one person was asked first for.

    ``since``: those whose newest answer is no older.
    """
    found = rows(
        f"""
        SELECT key, sum(n) FROM (
            SELECT key, n FROM truth_tally
            WHERE project_id = %(project)s AND what = 'units' AND (%(until)s::timestamptz IS NULL OR at >= %(until)s)
            UNION ALL {_UNITS_BETWEEN}) each
        GROUP BY key HAVING sum(n) <> 0
        """,  # noqa: S608
        {"project": project.pk, "since": since, "until": _next_quarter(since)},
    )
    return as_units(project, [Counted(tuple(key), int(n), 0) for key, n in found])


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


def _next_quarter(moment: datetime | None) -> datetime | None:
    """The begin of the first quarter of an hour that is whole from then on."""
    return moment and moment + (_ANY_QUARTER - moment) % QUARTER


# As the database's triggers count, but of the answers themselves: a quarter of an hour brings few.
_UNITS_BETWEEN = """
SELECT coalesce(min(CASE WHEN jsonb_typeof(a.context -> 'band') = 'number' THEN (a.context ->> 'band')::int END)::text, '')
       || array_agg(v.value ORDER BY v.value), 1
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


def settled_count(project: Project) -> int:
    """Photos that people settled, in whatever way; gold was known beforehand and does not count."""
    return sum(each.n for each in truths(project) if each.origin != Origin.GOLD)
