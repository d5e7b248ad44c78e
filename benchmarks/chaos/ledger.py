"""What Hilltop has acknowledged, written down by those to whom it did: all that the checker believes beside exports."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Answer:
    """Told 2xx. ``class_``: empty where it is none."""

    project: str
    key: str
    person: str
    sha256: str
    kind: str
    class_: str


@dataclass(frozen=True, slots=True)
class HandIn:
    """A grid that was taken whole; ``kept``: photos that were left as its class."""

    project: str
    key: str
    person: str
    class_: str
    kept: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ruling:
    project: str
    dispute: str
    person: str
    outcome: str
    class_: str


@dataclass(frozen=True, slots=True)
class Intake:
    """``files``: how many were sent."""

    project: str
    batch: str
    files: int


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer of 500 and above: when it came (``time.monotonic``, and behind which fault), and what it said."""

    at: float
    status: int
    asked: str
    said: str
    when: str = ""


@dataclass
class Ledger:
    """Filled by many threads: lists and sets are only added to, one element at a time."""

    answers: list[Answer] = field(default_factory=list)
    undone: set[str] = field(default_factory=set)
    #: Asked to be taken back, and nobody knows: the line broke, and when it was there again the answer was another.
    perhaps_undone: set[str] = field(default_factory=set)
    hand_ins: list[HandIn] = field(default_factory=list)
    rulings: list[Ruling] = field(default_factory=list)
    intakes: list[Intake] = field(default_factory=list)
    #: (project, number) of guideline versions, and of promoted model versions in their order.
    versions: list[tuple[str, int]] = field(default_factory=list)
    promotions: list[tuple[str, int]] = field(default_factory=list)
    #: (project, person, photo) that were shown again to who had answered them.
    shown_again: list[tuple[str, str, str]] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    unexpected: list[str] = field(default_factory=list)
    broken_off: int = 0
    #: The newest fault, and when it began.
    newest: tuple[str, float] = ("the start", 0.0)
    outages: list[tuple[float, float]] = field(default_factory=list)

    @property
    def acknowledged(self) -> int:
        """Everything that was told to be stored."""
        return sum(
            len(each)
            for each in (
                self.answers, self.undone, self.hand_ins, self.rulings, self.intakes, self.versions, self.promotions
            )
        )  # fmt: skip

    def refused(self, status: int, asked: str, said: str) -> None:
        """An answer of 500 and above."""
        fault, began = self.newest
        now = time.monotonic()
        self.refusals.append(Refusal(now, status, asked, said, f"{now - began:.1f} s after {fault} began"))

    @contextmanager
    def outage(self, patience_s: float = 2.0) -> Iterator[None]:
        """In this time, and ``patience_s`` longer, Hilltop may say that it cannot; never that something broke (500)."""
        began = time.monotonic()
        try:
            yield
        finally:
            self.outages.append((began, time.monotonic() + patience_s))

    def outside_outages(self) -> list[Refusal]:
        """Server errors that no fault excuses."""
        return [
            refusal
            for refusal in self.refusals
            if refusal.status == 500 or not any(began <= refusal.at <= ended for began, ended in self.outages)
        ]
