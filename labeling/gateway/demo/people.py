"""Simulated people, who claim, look, answer and rule, and what they think of a solar cell by what the experts said of it."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Protocol

from django.utils import timezone

from labeling.catalog.elpv import elpv_cells
from labeling.catalog.models import Item, Project
from labeling.people.models import User
from labeling.queue.services import claim, submit
from labeling.refusals import Refused
from labeling.truth.models import Dispute, Pause
from labeling.truth.services import Answer, lift_pause, rule

#: Of cells on which the experts did not agree, so many are held.
HOLDS = 0.15
#: Of any answers, so many are slips of the hand.
SLIPS = 0.01
REVIEWER_RIGHT = 0.95
KEYS = ("functional", "defective")


@cache
def _probabilities() -> dict[str, float]:
    return {cell.path.name: cell.probability for cell in elpv_cells()}


def probability(item: Item) -> float:
    """How sure the experts are that the cell is defective. A photo made of another keeps the end of its name."""
    return _probabilities()[item.name[-len("cell0001.png") :]]


class Opinion(Protocol):
    """What people think of a photo; ``dice`` of whoever is asked fall as they may."""

    def is_hard(self, item: Item) -> bool:
        """One looks at it longer."""

    def says(self, item: Item, dice: random.Random) -> Answer:
        """A labeler's answer."""

    def rules(self, item: Item, dice: random.Random) -> str:
        """Key of the class that a reviewer rules it to be."""


class OfCells:
    """By the probability that the experts gave a cell."""

    def is_hard(self, item: Item) -> bool:
        return 0 < probability(item) < 1

    def says(self, item: Item, dice: random.Random) -> Answer:
        sure = probability(item)
        if 0 < sure < 1 and dice.random() < HOLDS:
            return Answer("hold", reason="between", comment="A thin line, or grain?")
        defective = dice.random() < sure
        if dice.random() < SLIPS:
            defective = not defective
        return Answer("class", KEYS[defective])

    def rules(self, item: Item, dice: random.Random) -> str:
        defective = probability(item) > 0.5
        if dice.random() >= REVIEWER_RIGHT:
            defective = not defective
        return KEYS[defective]


@dataclass
class People:
    """Who works in a project. ``think`` lets the seconds pass that somebody looks at a photo."""

    project: Project
    admin: User
    labelers: Sequence[User]
    reviewers: Sequence[User]
    dice: random.Random
    think: Callable[[float], None]
    opinion: Opinion = field(default_factory=OfCells)

    def answer(self, person: User) -> bool:
        """One photo: claim it, look at it, answer. False where there is none for this person."""
        slots = claim(project=self.project, labeler=person, dice=self.dice)
        if not slots:
            return self._go_on(person)
        (slot,) = slots[:1]
        shown_at = timezone.now()
        longer = 2.0 if self.opinion.is_hard(slot.item) else 1.0
        seconds = min(self.dice.lognormvariate(0.9, 0.5) * longer, 60.0)
        self.think(seconds)
        submit(
            project=self.project,
            labeler=person,
            lease=slot.pk,
            key=uuid.uuid4(),
            answer=self.opinion.says(slot.item, self.dice),
            shown_at=shown_at,
            view_ms=round(1000 * seconds),
        )
        return True

    def _go_on(self, person: User) -> bool:
        """Gold answers pause somebody now and then; the admin has talked to them."""
        if not Pause.objects.filter(project=self.project, labeler=person, lifted_at=None).exists():
            return False
        lift_pause(project=self.project, labeler=person, by=self.admin)
        return True

    def rule(self, *, leave: int = 0) -> int:
        """Reviewers rule on what waits, oldest first, but for the newest ``leave``; return on how many."""
        waiting = list(
            Dispute.objects.open().filter(project=self.project).select_related("item").order_by("created_at")
        )
        ruled = 0
        for dispute in waiting[: max(len(waiting) - leave, 0)]:
            self.think(self.dice.uniform(4, 12))
            said = self.opinion.rules(dispute.item, self.dice)
            try:
                rule(
                    project=self.project,
                    dispute_id=dispute.pk,
                    reviewer=self.dice.choice(self.reviewers),
                    outcome="class",
                    class_key=said,
                )
            except Refused:  # somebody else ruled, or an answer was taken back
                continue
            ruled += 1
        return ruled
