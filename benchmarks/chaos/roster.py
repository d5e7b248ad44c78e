"""Who is there, and what each of them does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.chaos import people
from benchmarks.chaos.people import MAJORITY, STRICT, Worker


@dataclass(frozen=True, slots=True)
class Person:
    name: str
    role: str
    project: str
    work: Callable[[Worker], None]


#: What is done, by whom, and by how many of 50. Half of them in each project; sweeps there are in one.
_JOBS: tuple[tuple[str, str, Callable[[Worker], None], int], ...] = (
    ("labeler", "labeler", people.label, 32),
    ("sweeper", "labeler", people.sweep, 4),
    ("reviewer", "reviewer", people.review, 4),
    ("trainer", "admin", people.train_and_promote, 2),
    ("amender", "admin", people.amend, 2),
    ("taker", "admin", people.take_in, 2),
    ("overseer", "admin", people.oversee, 2),
    ("viewer", "viewer", people.look, 2),
)


def roster(share: float = 1.0) -> list[Person]:
    """``share``: of 50 people; of each kind there are two at least."""
    found = []
    for name, role, work, count in _JOBS:
        for number in range(max(2, round(count * share))):
            project = STRICT if name == "sweeper" or number % 2 == 0 else MAJORITY
            found.append(Person(f"{name}{number + 1}", role, project, work))
    return found
