"""The four figures that lead, each beside what it is held against: efficiency, hours and cost, proof, the queue's age."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime

from labeling.catalog.models import ClassState, Project
from labeling.catalog.selectors import class_names, current_guideline, schema_of
from labeling.frontier.certificates import in_force
from labeling.frontier.models import Certificate
from labeling.monitors.readings.queue import days_since, oldest_waiting
from labeling.monitors.scales import DAYS
from labeling.monitors.services import thresholds_of
from labeling.overview.dashboard.history import Bucket
from labeling.overview.dashboard.panel import rounded
from labeling.text.percentage import with_sign


@dataclass(frozen=True)
class Efficiency:
    """``people``: what people alone reach. ``target``: the project's own; none where nobody has set one."""

    per_decision: float | None
    people: float | None
    target: float | None

    @property
    def met(self) -> bool | None:
        """None where there is nothing to compare."""
        if self.per_decision is None or self.target is None:
            return None
        return self.per_decision >= self.target


@dataclass(frozen=True)
class Hours:
    """``all_by_people``: an estimate of what all images would have taken people, at what theirs took.

    ``at_target``: what the images would have taken at the project's target of images per human decision.
    ``rate``: what an hour costs, in ``currency``; none where nobody has said.
    """

    spent: float
    all_by_people: float | None
    at_target: float | None
    rate: float | None
    currency: str

    @property
    def saved(self) -> float | None:
        return None if self.all_by_people is None else self.all_by_people - self.spent

    @property
    def saved_at_target(self) -> float | None:
        if self.all_by_people is None or self.at_target is None:
            return None
        return self.all_by_people - self.at_target

    @property
    def met(self) -> bool | None:
        return None if self.at_target is None or self.saved is None else self.spent <= self.at_target

    @property
    def cost_spent(self) -> str:
        return self.cost(self.spent)

    @property
    def cost_saved(self) -> str:
        return "" if self.saved is None else self.cost(self.saved)

    def cost(self, hours: float) -> str:
        """Empty where no cost of an hour is known."""
        if self.rate is None:
            return ""
        amount = hours * self.rate
        return f"{rounded(amount, 0 if abs(amount) >= 100 else 2)} {self.currency}".strip()


@dataclass(frozen=True)
class Proof:
    """The weakest of the certificates in force, and how many there are; ``promised``: what was wished for, stated of it.

    ``classes``: those in use. A class without a certificate (suspended, say) is not on target, whatever the others are.
    """

    certificate: Certificate | None
    name: str
    of: int
    promised: float
    classes: int

    @property
    def bound(self) -> str:
        return percent_exactly(self.certificate.bound) if self.certificate else ""

    @property
    def wish(self) -> str:
        return percent_exactly(self.promised)

    @property
    def met(self) -> bool | None:
        if self.certificate is None or self.of < self.classes:
            return None
        return self.certificate.bound >= self.promised


@dataclass(frozen=True)
class Waiting:
    """``since``: when the photo came that has waited for people the longest; none where none waits."""

    since: datetime | None
    target_days: float

    @property
    def days(self) -> float:
        return days_since(self.since) if self.since else 0.0

    @property
    def text(self) -> str:
        return DAYS.text(self.days)

    @property
    def target(self) -> str:
        return DAYS.text(self.target_days)

    @property
    def met(self) -> bool:
        return self.days <= self.target_days


@dataclass(frozen=True)
class Lead:
    efficiency: Efficiency
    hours: Hours
    proof: Proof
    queue: Waiting


def percent_exactly(share: float) -> str:
    """98.14 %, rounded down: a bound never says more than was proven."""
    return with_sign(f"{math.floor(10_000 * share + 1e-6) / 100:g}")


def lead(project: Project, total: Bucket, wished: float) -> Lead:
    """``total``: what was done from the first day on; ``wished``: the precision that the policy asks for."""
    oldest = oldest_waiting(project, shown=1)
    return Lead(
        efficiency=Efficiency(total.per_decision, total.strict_per_decision, project.target_per_decision),
        hours=hours(project, total),
        proof=proof(project, wished),
        queue=Waiting(oldest[0][1] if oldest else None, thresholds_of(project).queue_days),
    )


def hours(project: Project, done: Bucket) -> Hours:
    """Of all that was done, or of a week of it."""
    target = project.target_per_decision
    return Hours(
        spent=done.seconds / 3600,
        all_by_people=done.all_human_hours,
        at_target=done.images / target * done.seconds / 3600 / done.human
        if target and done.human and done.images > 0
        else None,
        rate=project.hourly_cost,
        currency=project.currency,
    )


def proof(project: Project, wished: float) -> Proof:
    standing = in_force(project)
    guideline = current_guideline(project)
    classes = sum(each.state == ClassState.ACTIVE for each in schema_of(guideline.pk))
    if not standing:
        return Proof(None, "", 0, wished, classes)
    weakest = min(standing, key=lambda each: each.bound - each.precision)
    name = class_names(guideline).get(weakest.label_class_id, "")
    return Proof(weakest, name, len(standing), weakest.precision, classes)
