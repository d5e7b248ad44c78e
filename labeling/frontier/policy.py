"""What a project wishes proven and what the machine may do: read the policy in force, or append another."""

from __future__ import annotations

from django.db.models import QuerySet

from labeling.catalog.models import Project
from labeling.database.read_once import read_once
from labeling.frontier.models import FrontierPolicy, Mode

#: Share of the decisions; with less, the watch over a machine that decides would see next to nothing.
LEAST_AUDITED = 0.005
#: So many decisions of a class under one certificate, or after something unusual, are audited at this share at least.
FIRST_DECISIONS = 2000
FIRST_SHARE = 0.10
FIELDS = (
    "promise",
    "precision",
    "floor",
    "delta",
    "undecided_are_errors",
    "planned_labels",
    "mode",
    "audit_share",
)


@read_once
def policy_of(project: Project) -> FrontierPolicy:
    """The newest policy; the defaults, not stored, where nobody has set one."""
    return FrontierPolicy.objects.filter(project=project).first() or FrontierPolicy(project=project)


def deciding(project: Project) -> QuerySet[FrontierPolicy]:
    """The policy in force, if it lets the machine decide."""
    newest = FrontierPolicy.objects.filter(project=project).values("pk")[:1]
    return FrontierPolicy.objects.filter(pk__in=newest, mode=Mode.ON)


def first_share(policy: FrontierPolicy) -> float:
    """Share of the first decisions that is audited. A project that audits nothing, as in the shadow, audits none of them."""
    return max(FIRST_SHARE, policy.audit_share) if policy.audit_share else 0.0
