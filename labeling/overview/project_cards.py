"""What the home page shows of each project."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from labeling.catalog.models import Item, Membership, Project, Role
from labeling.catalog.permissions import ALLOWED, Action
from labeling.people.models import User
from labeling.queue.late_counts import late
from labeling.truth.models import Dispute, GroundTruth, Origin


@dataclass(frozen=True)
class ProjectCard:
    """``settled``: photos with a ground truth that people made. ``disputes`` is ``None`` where it is not theirs to know."""

    project: Project
    role: str
    role_label: str
    pool: int
    settled: int
    disputes: int | None

    @property
    def share(self) -> int:
        """Percent settled, rounded down, so that 100 means all."""
        return 100 * self.settled // self.pool if self.pool else 0


def project_cards(user: User) -> list[ProjectCard]:
    """The person's projects, by name, in two queries."""
    roles = dict(Membership.objects.filter(user=user).values_list("project_id", "role"))
    truths = GroundTruth.objects.current().exclude(origin=Origin.GOLD)
    projects = (
        Project.objects.for_member(user)
        .annotate(
            n_photos=_count(Item.objects.all()),
            n_settled=_count(truths),
            n_disputes=_count(Dispute.objects.open()),
        )
        .order_by("name", "pk")
    )
    return [_card(project, Role.ADMIN if user.is_superuser else roles[project.pk]) for project in projects]


def _card(project: Any, role: str) -> ProjectCard:
    return ProjectCard(
        project=project,
        role=role,
        role_label=str(Role(role).label),
        pool=project.n_photos,
        settled=late("card", project, lambda: int(project.n_settled))
        if Action.FIGURES not in ALLOWED[role]
        else project.n_settled,
        disputes=project.n_disputes if Action.REVIEW in ALLOWED[role] else None,
    )


def _count(rows: QuerySet[Any]) -> Coalesce:
    """How many of ``rows`` belong to the outer project."""
    counted = (
        rows.filter(project=OuterRef("pk")).order_by().values("project").annotate(n=Count("pk")).values("n")
    )
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)
