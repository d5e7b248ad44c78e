"""What the home page shows of each project."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import IntegerField, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone

from labeling.catalog.models import Membership, Project, Role
from labeling.catalog.permissions import ALLOWED, Action
from labeling.people.models import User
from labeling.queue.late_counts import late
from labeling.truth.models import Annotation, Origin, Tally


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
    """The person's projects, by name, in four queries."""
    roles = dict(Membership.objects.filter(user=user).values_list("project_id", "role"))
    kept = Tally.objects
    projects = list(
        Project.objects.for_member(user)
        .annotate(
            n_photos=_sum(kept.filter(what="photos")),
            n_settled=_sum(kept.filter(what="truths").exclude(key__2=Origin.GOLD.value)),
        )
        .order_by("name", "pk")
    )
    mine = _own_answers(user, projects)
    return [
        _card(project, Role.ADMIN if user.is_superuser else roles[project.pk], *mine.get(project.pk, (0, 0)))
        for project in projects
    ]


def _own_answers(user: User, projects: Sequence[Project]) -> dict[int, tuple[int, int]]:
    """Project -> one's answers that stand, and those of today."""
    today = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    kept = Tally.objects.filter(project__in=projects, what="labelers", key__0=str(user.pk), key__3="stands")
    lately = Annotation.objects.standing().filter(project__in=projects, labeler=user, created_at__gte=today)
    of_today = Counter(lately.values_list("project", flat=True))
    return {
        row["project"]: (row["total"], of_today[row["project"]])
        for row in kept.order_by().values("project").annotate(total=Sum("n"))
    }


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


def _sum(kept: QuerySet[Tally]) -> Coalesce:
    """What the kept counts of the outer project come to."""
    summed = (
        kept.filter(project=OuterRef("pk")).order_by().values("project").annotate(all=Sum("n")).values("all")
    )
    return Coalesce(Subquery(summed, output_field=IntegerField()), 0)
