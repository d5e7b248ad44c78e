"""What the home page shows of each project."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from labeling.catalog.models import Item, Membership, Project, Role
from labeling.catalog.permissions import ALLOWED, Action
from labeling.people.models import User
from labeling.queue.late_counts import late
from labeling.truth.models import Annotation, GroundTruth, Origin


@dataclass(frozen=True)
class ProjectCard:
    """``settled``: photos with a ground truth that people made; ``as_of``: when, where it is told late (:mod:`late_counts`).

    ``mine``: one's own answers, now, and ``mine_today``. ``can``: what they may do here.
    """

    project: Project
    role: str
    role_label: str
    pool: int
    settled: int
    as_of: datetime | None
    mine: int
    mine_today: int
    can: frozenset[Action]

    @property
    def share(self) -> int:
        """Percent settled, rounded down, so that 100 means all."""
        return 100 * self.settled // self.pool if self.pool else 0


def project_cards(user: User) -> list[ProjectCard]:
    """The person's projects, by name, in three queries."""
    roles = dict(Membership.objects.filter(user=user).values_list("project_id", "role"))
    truths = GroundTruth.objects.current().exclude(origin=Origin.GOLD)
    projects = (
        Project.objects.for_member(user)
        .annotate(
            n_photos=_count(Item.objects.all()),
            n_settled=_count(truths),
        )
        .order_by("name", "pk")
    )
    mine = _own_answers(user)
    return [
        _card(project, Role.ADMIN if user.is_superuser else roles[project.pk], *mine.get(project.pk, (0, 0)))
        for project in projects
    ]


def _own_answers(user: User) -> dict[int, tuple[int, int]]:
    """Project -> one's answers that stand, and those of today."""
    today = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    rows = (
        Annotation.objects.standing()
        .filter(labeler=user)
        .order_by()
        .values("project")
        .annotate(n=Count("pk"), today=Count("pk", filter=Q(created_at__gte=today)))
    )
    return {row["project"]: (row["n"], row["today"]) for row in rows}


def _card(project: Any, role: str, mine: int, mine_today: int) -> ProjectCard:
    told = None if Action.FIGURES in ALLOWED[role] else late("card", project, lambda: int(project.n_settled))
    return ProjectCard(
        project=project,
        role=role,
        role_label=str(Role(role).label),
        pool=project.n_photos,
        settled=told.value if told else project.n_settled,
        as_of=told.at if told else None,
        mine=mine,
        mine_today=mine_today,
        can=ALLOWED[role],
    )


def _count(rows: QuerySet[Any]) -> Coalesce:
    """How many of ``rows`` belong to the outer project."""
    counted = (
        rows.filter(project=OuterRef("pk")).order_by().values("project").annotate(n=Count("pk")).values("n")
    )
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)
