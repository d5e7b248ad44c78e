"""What a project's people and its machine did, day by day, counted from the appended rows.

All of it is kept by quarters of an hour (:mod:`labeling.truth.tallies`, :mod:`labeling.frontier.decisions.counts`). A day is
one in the reader's time zone. A project of years has thousands of days, so what Python folds into weeks or months is small.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from datetime import date, timedelta

from django.utils import timezone

from labeling.catalog.models import Project
from labeling.database.kept_counts import by_day
from labeling.people.own_day import zone_of_queries
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
    """By day, week or month; with neither named, by what keeps the plots readable. One statement.

    ``newest``: so many buckets at most; their sums still begin with the project.
    """
    zone = zone_of_queries()
    days = _kept(project, zone)
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


def _kept(project: Project, zone: str) -> dict[date, Bucket]:
    days: dict[date, Bucket] = {}

    def add(day: date, **figures: float) -> None:
        known = days.get(day, Bucket(day))
        days[day] = replace(known, **{name: getattr(known, name) + n for name, n in figures.items()})

    kept = by_day(project, ("answers", "rulings", "settled", "units", "decisions", "assisted"), zone)
    for day, each in kept["answers"]:
        add(day, answers=each.n if each.key == ("stands",) else 0, answer_s=each.amount / 1000)
    for day, each in kept["rulings"]:
        # The first of a day's work counts as much as one may at most.
        spent = each.amount / 1000 if each.key[1] == "on" else each.n * RULING_CAP_S
        add(day, rulings=each.n, ruling_s=spent)
    for day, each in kept["settled"]:
        add(day, **{"settled" if each.key == ("came",) else "unsettled": each.n})
    for day, each in kept["decisions"]:
        add(day, **dict.fromkeys(_SAYS[each.key], each.n))
    for day, each in kept["assisted"]:
        add(
            day,
            **{"assisted" if each.key == ("came",) else "unassisted": each.n},
            assisted_s=each.amount / 1000,
        )
    units = tallies.as_units(project, [each for _day, each in kept["units"]])
    for (day, _each), unit in zip(kept["units"], units, strict=True):
        add(day, compared=unit.n, agreed=unit.n * unit.alike)
    return days


#: What a change of the machine's decisions counts as.
_SAYS: dict[tuple[str, ...], tuple[str, ...]] = {
    ("came",): ("decided",),
    ("went", "overruled"): ("returned",),
    ("went", "suspended"): ("returned", "suspended"),
    ("went", "settled"): ("returned", "also_settled"),
    ("overruled",): ("overruled",),
}


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
