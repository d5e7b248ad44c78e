"""What a project's people and its machine did, day by day, counted from the appended rows.

Answers, settled photos and agreement are kept by quarters of an hour (:mod:`labeling.truth.tallies`); of rulings and of
what the machine decided, one statement a kind of row adds them up. A day is one in the reader's time zone. A project of
years has thousands of days, so what Python folds into weeks or months is small.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from datetime import date, timedelta
from functools import cache
from typing import Any

from django.db import connection
from django.utils import timezone

from labeling.catalog.models import Project
from labeling.truth import tallies

#: Longest time that one answer and one ruling count for: who leaves the screen does not work.
ANSWER_CAP_S = 120
RULING_CAP_S = 180
#: Up to so many days the buckets are days, up to so many more they are weeks, then months.
DAYS_SHOWN = 62
WEEKS_SHOWN = 92 * 7
BY = ("day", "week", "month")


@dataclass(frozen=True)
class Bucket:
    """A day, week or month that begins with ``start``.

    ``answers`` are those that stand, gold too: it is work like any other. One that was taken back counts in ``answer_s``
    only. ``settled`` and ``decided`` are photos that people settled and that the machine decided; ``unsettled`` and
    ``returned`` what was undone: ground truths withdrawn, and decisions that stand no more. Of the latter, ``suspended``
    went back to people with their certificate, and ``also_settled`` people settled as well; ``overruled`` are all that
    somebody overruled then, those too that had stood no more before, as the frontier counts them. ``assisted``: of
    ``settled``, what one answer settled that agreed with the machine; ``unassisted``: what of it was withdrawn or settled
    anew since; ``assisted_s``: time of the answers behind it. ``compared``: photos whose last blind answer came then and
    that have two at least, ``agreed`` of them alike.
    """

    start: date
    answers: int = 0
    answer_s: float = 0.0
    rulings: int = 0
    ruling_s: float = 0.0
    settled: int = 0
    unsettled: int = 0
    decided: int = 0
    returned: int = 0
    overruled: int = 0
    suspended: int = 0
    also_settled: int = 0
    assisted: int = 0
    unassisted: int = 0
    assisted_s: float = 0.0
    compared: int = 0
    agreed: int = 0

    @property
    def human(self) -> int:
        """Human decisions: answers and rulings."""
        return self.answers + self.rulings

    @property
    def seconds(self) -> float:
        return self.answer_s + self.ruling_s

    @property
    def by_people(self) -> int:
        return self.settled - self.unsettled

    @property
    def by_one_answer(self) -> int:
        """Of those by people, what one answer settled that agreed with the machine."""
        return self.assisted - self.unassisted

    @property
    def strict(self) -> int:
        """Photos that people settled without the machine."""
        return self.by_people - self.by_one_answer

    @property
    def strict_human(self) -> int:
        """Human decisions without those answers: each such label took one."""
        return self.human - self.by_one_answer

    @property
    def strict_seconds(self) -> float:
        return self.seconds - self.assisted_s

    @property
    def helped(self) -> int:
        """Photos that the machine decided, or was second reader of."""
        return self.by_machine + self.by_one_answer

    @property
    def by_machine(self) -> int:
        return self.decided - self.returned

    @property
    def images(self) -> int:
        """Photos decided on balance, by whomever."""
        return self.by_people + self.by_machine

    @property
    def per_decision(self) -> float | None:
        """Images for each human decision."""
        return self.images / self.human if self.human else None

    @property
    def strict_per_decision(self) -> float | None:
        """The same where people settled them without the machine."""
        return self.strict / self.strict_human if self.strict > 0 and self.strict_human > 0 else None

    @property
    def all_human_hours(self) -> float | None:
        """Every image at what one cost that people settled without the machine."""
        return self.strict_seconds / 3600 * self.images / self.strict if self.strict > 0 else None

    def plus(self, other: Bucket) -> Bucket:
        return replace(self, **{name: getattr(self, name) + getattr(other, name) for name in _COUNTED})


_COUNTED = tuple(each.name for each in fields(Bucket) if each.name != "start")


@dataclass(frozen=True)
class History:
    """``buckets`` without a gap until today, ``sums`` from the project's first day up to the end of each."""

    by: str
    zone: str
    buckets: list[Bucket]
    sums: list[Bucket]

    @property
    def total(self) -> Bucket:
        return self.sums[-1] if self.sums else Bucket(timezone.localdate())


def history(project: Project, by: str = "", *, newest: int | None = None) -> History:
    """By day, week or month; with neither named, by what keeps the plots readable. Six statements.

    ``newest``: so many buckets at most; their sums still begin with the project.
    """
    zone = _known_to_the_database(timezone.get_current_timezone_name())
    days: dict[date, Bucket] = {}
    arguments: dict[str, Any] = {
        "project": project.pk,
        "zone": zone,
        "answer_cap": 1000 * ANSWER_CAP_S,
        "ruling_cap": RULING_CAP_S,
    }
    with connection.cursor() as cursor:
        for names, statement in _STATEMENTS:
            cursor.execute(statement, arguments)
            for day, *figures in cursor.fetchall():
                known = days.get(day, Bucket(day))
                days[day] = replace(known, **dict(zip(names, figures, strict=True)))
    _add_kept(project, zone, days)
    if not days:
        return History(by or "day", zone, [], [])
    today = timezone.localdate()
    first, last = min(days), max(*days, today)
    chosen = by or _readable((last - first).days + 1)
    buckets = _dense(days.values(), chosen, first, last)
    sums: list[Bucket] = []
    for bucket in buckets:
        sums.append(replace(sums[-1].plus(bucket), start=bucket.start) if sums else bucket)
    start = max(len(buckets) - newest, 0) if newest else 0
    return History(chosen, zone, buckets[start:], sums[start:])


def _add_kept(project: Project, zone: str, days: dict[date, Bucket]) -> None:
    """What is counted by quarters of an hour already: answers, photos that people settled, and how many answers agree."""

    def add(day: date, **figures: float) -> None:
        known = days.get(day, Bucket(day))
        days[day] = replace(known, **{name: getattr(known, name) + n for name, n in figures.items()})

    for day, each in tallies.by_day(project, "answers", zone):
        add(day, answers=each.n if each.key == ("stands",) else 0, answer_s=each.amount / 1000)
    for day, each in tallies.by_day(project, "settled", zone):
        add(day, **{"settled" if each.key == ("came",) else "unsettled": each.n})
    agreed = tallies.by_day(project, "units", zone)
    units = tallies.as_units(project, [each for _day, each in agreed])
    for (day, _each), unit in zip(agreed, units, strict=True):
        add(day, compared=unit.n, agreed=unit.n * unit.alike)


@cache
def _known_to_the_database(zone: str) -> str:
    """``zone``, or UTC where the database's list of zones is older or newer than ours."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT 1 FROM pg_timezone_names WHERE name = %s)", [zone])
        return zone if cursor.fetchone()[0] else "UTC"


def _readable(days: int) -> str:
    return "day" if days <= DAYS_SHOWN else "week" if days <= WEEKS_SHOWN else "month"


def start_of(day: date, by: str) -> date:
    """The first day of its bucket; weeks begin on Monday."""
    if by == "week":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if by == "month" else day


def next_start(start: date, by: str) -> date:
    """The first day of the bucket after the one that begins with ``start``."""
    if by == "month":
        return (start + timedelta(days=31)).replace(day=1)
    return start + timedelta(days=7 if by == "week" else 1)


def _dense(days: Iterable[Bucket], by: str, first: date, last: date) -> list[Bucket]:
    found: dict[date, Bucket] = {}
    for each in days:
        start = start_of(each.start, by)
        found[start] = found.get(start, Bucket(start)).plus(each)
    buckets, start = [], start_of(first, by)
    while start <= last:
        buckets.append(found.get(start, Bucket(start)))
        start = next_start(start, by)
    return buckets


# The time since the same person's ruling before; the first of a day's work counts as much as one may at most.
_RULINGS = """
SELECT (created_at AT TIME ZONE %(zone)s)::date AS day, count(*),
       sum(least(coalesce(gap, %(ruling_cap)s), %(ruling_cap)s))::float8
FROM (SELECT r.created_at, extract(epoch FROM r.created_at - lag(r.created_at)
                                   OVER (PARTITION BY r.reviewer_id ORDER BY r.created_at, r.id)) AS gap
      FROM truth_ruling r JOIN truth_dispute d ON d.id = r.dispute_id
      WHERE d.project_id = %(project)s AND r.reviewer_id IS NOT NULL) each
GROUP BY day
"""
# A decision stands until it is overruled, its certificate is suspended, or people settle the photo as well.
_DECIDED = """
WITH settled AS (
    SELECT a.id, min(t.created_at) AS at FROM frontier_automaticdecision a
    JOIN truth_groundtruth t ON t.item_id = a.item_id AND t.created_at >= a.created_at
    WHERE a.project_id = %(project)s AND a.mode = 'on' AND t.project_id = %(project)s
      AND t.kind <> 'withdrawn' AND t.origin <> 'gold'
    GROUP BY a.id
), stands AS (
    SELECT a.created_at AS since, o.created_at AS overruled, e.created_at AS suspended, s.at AS settled,
           least(o.created_at, e.created_at, s.at) AS until
    FROM frontier_automaticdecision a
    LEFT JOIN frontier_decisionoverruled o ON o.decision_id = a.id
    LEFT JOIN frontier_certificateend e ON e.certificate_id = a.certificate_id AND e.kind = 'suspended'
    LEFT JOIN settled s ON s.id = a.id
    WHERE a.project_id = %(project)s AND a.mode = 'on'
), moments AS (
    SELECT since AS at, 'came' AS what, false AS suspended, false AS settled FROM stands
    UNION ALL
    SELECT until, 'went', overruled IS DISTINCT FROM until AND suspended IS NOT DISTINCT FROM until,
           overruled IS DISTINCT FROM until AND suspended IS DISTINCT FROM until FROM stands WHERE until IS NOT NULL
    UNION ALL
    SELECT overruled, 'overruled', false, false FROM stands WHERE overruled IS NOT NULL
)
SELECT (at AT TIME ZONE %(zone)s)::date AS day, count(*) FILTER (WHERE what = 'came'),
       count(*) FILTER (WHERE what = 'went'), count(*) FILTER (WHERE what = 'overruled'),
       count(*) FILTER (WHERE suspended), count(*) FILTER (WHERE settled)
FROM moments GROUP BY day
"""
# From the answer that settled a photo until another word, or none, takes its place.
_ASSISTED = """
WITH label AS (
    SELECT t.created_at AS since, n.created_at AS until, coalesce(answer.view_ms, 0)::float8 / 1000 AS seconds
    FROM truth_groundtruth t LEFT JOIN truth_groundtruth n ON n.supersedes_id = t.id
    LEFT JOIN LATERAL (
        SELECT least(a.view_ms, %(answer_cap)s) AS view_ms
        FROM frontier_assistedlabel l JOIN truth_annotation a ON a.id = l.annotation_id
        WHERE l.item_id = t.item_id AND l.created_at <= t.created_at ORDER BY l.id DESC LIMIT 1) answer ON true
    WHERE t.project_id = %(project)s AND t.origin = 'assisted'
)
SELECT day, sum(came)::int, sum(went)::int, sum(seconds)::float8
FROM (SELECT (since AT TIME ZONE %(zone)s)::date AS day, 1 AS came, 0 AS went, seconds FROM label
      UNION ALL
      SELECT (until AT TIME ZONE %(zone)s)::date, 0, 1, -seconds FROM label WHERE until IS NOT NULL) each
GROUP BY day
"""
_STATEMENTS: tuple[tuple[tuple[str, ...], str], ...] = (
    (("rulings", "ruling_s"), _RULINGS),
    (("decided", "returned", "overruled", "suspended", "also_settled"), _DECIDED),
    (("assisted", "unassisted", "assisted_s"), _ASSISTED),
)
