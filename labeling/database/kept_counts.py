"""Counts that the database keeps in ``truth_tally``, added up. What is counted there, and how, says the room that counts it:
:mod:`labeling.truth.tallies`, :mod:`labeling.queue.entry_counts`, :mod:`labeling.frontier.decisions.counts`,
:mod:`labeling.catalog.file_counts`. It knows projects by their keys alone.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from labeling.database.read_once import read_once
from labeling.database.rows import rows

if TYPE_CHECKING:
    from labeling.catalog.models import Project


@dataclass(frozen=True, slots=True)
class Counted:
    """``key`` and ``amount`` as the room says that counts it."""

    key: tuple[str, ...]
    n: int
    amount: int


#: What pages show of a whole project, whichever room counts it.
_SHOWN = (
    "answers",
    "decided",
    "disputes",
    "drawn",
    "entries",
    "held",
    "photos",
    "placed",
    "rulings",
    "truths",
)


def counts(project: Project, what: str, *, first: str | None = None) -> list[Counted]:
    """What is counted now; ``first``: with a key that begins so."""
    return [each for each in counts_of(project, what)[what] if first is None or each.key[0] == first]


def totals(project: Project) -> dict[str, list[Counted]]:
    """All of ``_SHOWN``, in one query."""
    return counts_of(project, *_SHOWN)


@read_once
def counts_of(project: Project, *what: str) -> dict[str, list[Counted]]:
    """Several of them, all that there is of each, in one query."""
    found: dict[str, list[Counted]] = {each: [] for each in what}
    for each, key, n, amount in rows(
        """
        SELECT what, key, sum(n), sum(amount) FROM truth_tally WHERE project_id = %s AND what = ANY(%s)
        GROUP BY what, key HAVING sum(n) <> 0 OR sum(amount) <> 0
        """,
        [project.pk, list(what)],
    ):
        found[each].append(Counted(tuple(key), int(n), int(amount)))
    return found


def by_day(project: Project, what: tuple[str, ...], zone: str) -> dict[str, list[tuple[date, Counted]]]:
    """The same by day in the time zone ``zone``, of what is counted by quarters of an hour."""
    found: dict[str, list[tuple[date, Counted]]] = defaultdict(list)
    for each, day, key, n, amount in rows(
        """
        SELECT what, (at AT TIME ZONE %s)::date AS day, key, sum(n), sum(amount) FROM truth_tally
        WHERE project_id = %s AND what = ANY(%s) GROUP BY what, day, key HAVING sum(n) <> 0 OR sum(amount) <> 0
        """,
        [zone, project.pk, list(what)],
    ):
        found[each].append((day, Counted(tuple(key), int(n), int(amount))))
    return found
