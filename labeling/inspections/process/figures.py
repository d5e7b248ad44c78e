"""What inspections of the last days came to, counted when it is asked for: at most the :data:`MOST` newest, by the index
of their time, so that it costs the same in a large protocol. The page says so where there were more."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

from labeling.inspections.models import Protocol
from labeling.people.own_day import zone_of_queries

#: Inspections that are counted of one protocol, and of each of several side by side.
MOST, MOST_EACH = 5_000, 1_000
#: Days that can be asked for.
SPANS = (7, 28, 90)
#: Sites, and photographers, that are listed: those with most inspections.
LISTED = 30
#: From when the photographer was done to the first verdict that was none of held. Minutes.
_NEWEST = """
WITH looked_at AS MATERIALIZED (
    SELECT n.* FROM unnest(%(protocols)s::bigint[]) protocol (id) CROSS JOIN LATERAL (
        SELECT id, protocol_id, version_id, happened_at, site, photographer, outcome, verdict_id, submitted_at, held_for
        FROM inspections_inspection
        WHERE protocol_id = protocol.id AND happened_at >= %(since)s AND happened_at < %(until)s
        ORDER BY happened_at DESC, id DESC LIMIT %(most)s) n),
newest AS MATERIALIZED (SELECT * FROM looked_at WHERE submitted_at IS NOT NULL)
"""
_COUNTED = f"""{_NEWEST},
timed AS (
    SELECT n.*, CASE WHEN decided.at > n.submitted_at THEN extract(epoch FROM decided.at - n.submitted_at)::float8 / 60
                     WHEN decided.at IS NOT NULL THEN 0 END AS minutes
    FROM newest n CROSS JOIN LATERAL (
        SELECT min(created_at) AS at FROM inspections_verdict
        WHERE inspection_id = n.id AND outcome <> 'held') decided),
each AS MATERIALIZED (
    SELECT n.*, (n.happened_at AT TIME ZONE %(zone)s)::date AS day,
           n.minutes <= 60 * level.hours AS within,
           n.minutes > 60 * level.hours
               OR n.minutes IS NULL AND n.submitted_at < now() - level.hours * interval '1 hour' AS late,
           n.outcome IN ('passed', 'failed') AND v.by_id IS NULL
               AND NOT jsonb_path_exists(v.told, '$.parts[*].by ? (@ != "machine" && @ != "imported")') AS straight,
           photos.tries, photos.retakes, photos.refused
    FROM timed n LEFT JOIN inspections_verdict v ON v.id = n.verdict_id
    JOIN (SELECT id, settle_within_hours AS hours FROM inspections_protocol) level ON level.id = n.protocol_id
    CROSS JOIN LATERAL (
        SELECT count(*) AS tries, count(*) FILTER (WHERE number > 1) AS retakes,
               count(*) FILTER (WHERE cardinality(faults) > 0) AS refused
        FROM inspections_inspectionphoto WHERE inspection_id = n.id) photos)
SELECT CASE 0 WHEN GROUPING(day) THEN 'day' WHEN GROUPING(site) THEN 'site' WHEN GROUPING(photographer) THEN 'photographer'
            WHEN GROUPING(version_id) THEN 'version' WHEN GROUPING(protocol_id) THEN 'protocol' ELSE 'all' END,
       CASE 0 WHEN GROUPING(site) THEN site WHEN GROUPING(photographer) THEN photographer END,
       CASE 0 WHEN GROUPING(version_id) THEN version_id WHEN GROUPING(protocol_id) THEN protocol_id END, day,
       count(*), count(*) FILTER (WHERE outcome = 'passed'), count(*) FILTER (WHERE outcome = 'held'),
       count(*) FILTER (WHERE outcome = 'failed'), count(*) FILTER (WHERE straight),
       percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY minutes),
       sum(tries)::bigint, sum(retakes)::bigint, sum(refused)::bigint,
       count(*) FILTER (WHERE within), count(*) FILTER (WHERE late)
FROM each GROUP BY GROUPING SETS ((), (day), (site), (photographer), (version_id), (protocol_id))
"""  # noqa: S608
_HELD = f"""{_NEWEST},
held AS (SELECT id, held_for FROM newest WHERE outcome = 'held')
SELECT why->>0, why->>1, why->>2, count(DISTINCT held.id)
FROM held, jsonb_array_elements(held.held_for) why GROUP BY 1, 2, 3
ORDER BY 4 DESC, 1, 2, 3
"""  # noqa: S608
_FAULTS = f"""{_NEWEST}
SELECT s.key, fault, count(*) FROM newest n
JOIN inspections_inspectionphoto p ON p.inspection_id = n.id CROSS JOIN LATERAL unnest(p.faults) fault
JOIN inspections_shot s ON s.id = p.shot_id
GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2
"""  # noqa: S608
_WINDOW = """
SELECT count(*), min(happened_at), count(*) FILTER (WHERE submitted_at IS NULL) FROM (
    SELECT happened_at, submitted_at FROM inspections_inspection
    WHERE protocol_id = ANY(%(protocols)s) AND happened_at >= %(since)s AND happened_at < %(until)s
    ORDER BY happened_at DESC, id DESC LIMIT %(most)s) looked_at
"""


@dataclass(frozen=True)
class Counted:
    """``straight``: passed or failed by the rules, and no person answered a part of it. ``median`` and ``p95``: minutes to
    the verdict, of those that have one. ``tries``: photos that were sent; ``retakes``: further ones of a shot; ``refused``:
    those that were not taken for their shot. ``within`` and ``late``: of those of which it is known, whether their verdict
    came within the protocol's service level."""

    n: int = 0
    passed: int = 0
    held: int = 0
    failed: int = 0
    straight: int = 0
    median: float | None = None
    p95: float | None = None
    tries: int = 0
    retakes: int = 0
    refused: int = 0
    within: int = 0
    late: int = 0

    @property
    def within_share(self) -> float | None:
        known = self.within + self.late
        return self.within / known if known else None

    @property
    def undecided(self) -> int:
        """Without any verdict yet."""
        return self.n - self.passed - self.held - self.failed

    @property
    def straight_share(self) -> float | None:
        return self.straight / self.n if self.n else None

    @property
    def retakes_each(self) -> float | None:
        return self.retakes / self.n if self.n else None


@dataclass(frozen=True)
class Figures:
    """``since``: from when on they are counted. ``cut``: there were more than :data:`MOST`, so ``since`` is not as long ago
    as was asked for, and its day is not whole. ``unfinished``: not handed in by their photographer, and in no other figure.

    ``by_site`` and ``by_photographer``: most inspections first; ``by_version``: by id of the protocol's version.
    ``held_for``: (key of a shot, slug of the project that asks, why, inspections); without a project its photo is missing,
    without a shot all is known, and no rule decides (``no_rule``) or a person held it (``overruled``).
    ``faults``: (key of a shot, fault, photos).
    """

    days: int
    since: datetime
    cut: bool
    unfinished: int
    total: Counted
    by_day: list[tuple[date, Counted]]
    by_site: list[tuple[str, Counted]]
    by_photographer: list[tuple[str, Counted]]
    by_version: list[tuple[int, Counted]]
    held_for: list[tuple[str, str, str, int]]
    faults: list[tuple[str, str, int]]


def figures(protocol: Protocol, days: int, *, most: int = MOST) -> Figures:
    """Of the last ``days``, today included, in the reader's time zone."""
    asked = _asked([protocol], days, most)
    n, first, unfinished = _read(_WINDOW, asked)[0]
    cut = n == most
    by = _counted(asked)
    by_day = sorted(by["day"])
    return Figures(
        days=days,
        since=timezone.localtime(first) if cut else asked["since"],
        cut=cut,
        unfinished=unfinished,
        total=by["all"][0][1] if by["all"] else Counted(),
        by_day=by_day[1:] if cut else by_day,
        by_site=_most(by["site"]),
        by_photographer=_most([each for each in by["photographer"] if each[0]]),
        by_version=sorted(by["version"], key=lambda pair: -pair[0]),
        held_for=_read(_HELD, asked),
        faults=_read(_FAULTS, asked),
    )


def side_by_side(protocols: Sequence[Protocol], days: int) -> dict[int, Counted]:
    """Protocol's id -> what its newest :data:`MOST_EACH` inspections of the last ``days`` came to."""
    return dict(_counted(_asked(protocols, days, MOST_EACH))["protocol"])


def _asked(protocols: Sequence[Protocol], days: int, most: int) -> dict[str, Any]:
    today = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    return {
        "protocols": [each.pk for each in protocols],
        "since": today - timedelta(days=days - 1),
        "until": today + timedelta(days=1),
        "most": most,
        "zone": zone_of_queries(),
    }


def _counted(asked: dict[str, Any]) -> dict[str, list[tuple[Any, Counted]]]:
    """By what is counted -> (its text, id or day, the counts)."""
    by: dict[str, list[tuple[Any, Counted]]] = defaultdict(list)
    for kind, text, number, day, n, passed, held, failed, straight, took, *sums in _read(_COUNTED, asked):
        median, p95 = took or (None, None)
        counted = Counted(n, passed, held, failed, straight, median, p95, *(each or 0 for each in sums))
        by[kind].append(({"day": day, "version": number, "protocol": number}.get(kind, text), counted))
    return by


def _most(each: Sequence[tuple[str, Counted]]) -> list[tuple[str, Counted]]:
    return sorted(each, key=lambda pair: (-pair[1].n, pair[0]))[:LISTED]


def _read(sql: str, asked: dict[str, Any]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, asked)
        return list(cursor.fetchall())
