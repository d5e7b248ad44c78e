"""Photos that arrive after a plan was written: whether the machine may decide them under its certificates.

A certificate speaks of a cohort. Arrivals are decided under it as long as nothing tells them apart from the pool that it was
written for: before a batch is decided it is held against that pool (``compute.arriving``), and one that differs waits for
people or for the next plan. A few photos cannot be told apart from anything; they are decided, and are part of the next
look.

Where the version may have learned elsewhere, from photos of that very pool too, it can be right of these by heart, and
nothing that is compared would show that it is worse of others: then no arrival is decided before the next plan takes it in
(docs/decisions/0075-what-learned-elsewhere-vouches-for.md).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Count, OuterRef, QuerySet, Subquery, Sum

from labeling.catalog.models import Item, Project
from labeling.frontier import events
from labeling.frontier.models import ArrivalCheck, Certificate, CertificationRun, PlanCohort
from labeling.queue import machine_first

#: So many arrivals are looked at together, or more.
LEAST = 50

#: SQL over ``catalog_item i``: it came after the plan, and is not told apart from the pool. Parameters: ``arrivals_now``.
LIKE_THE_POOL = """
(%(arrivals)s AND i.id > %(pool_to)s AND (
    (i.id > %(checked_to)s AND %(few)s)
    OR EXISTS (SELECT 1 FROM frontier_arrivalcheck k
               WHERE k.plan_id = %(arrivals_of)s AND k.usual AND i.id BETWEEN k.first AND k.last)))
"""


@dataclass(frozen=True)
class Unusual:
    """Arrivals of the newest plan that are told apart and still wait: how many came, in how many batches."""

    photos: int
    batches: int


def with_unusual_arrivals(runs: QuerySet[CertificationRun]) -> QuerySet[CertificationRun]:
    """Beside each look, what :func:`unusual_arrivals` says of its plan."""
    unlike = ArrivalCheck.objects.filter(plan=OuterRef("plan"), usual=False).order_by().values("plan")
    return runs.annotate(
        unusual_batches=Subquery(unlike.annotate(n=Count("pk")).values("n")),
        unusual_photos=Subquery(unlike.annotate(n=Sum("photos")).values("n")),
    )


def unusual_arrivals(look: Any) -> Unusual | None:
    """None where all that came since its plan is like its pool."""
    return Unusual(look.unusual_photos, look.unusual_batches) if look.unusual_batches else None


def why_unlike(
    certificate: Certificate, project: Project, item_ids: Collection[int]
) -> dict[int | None, str]:
    """Photo -> ``only_the_pool``, ``unlike_the_pool``, ``not_looked_at``, or nothing, where the certificate speaks of it.

    Under ``None`` a photo that is not in the project: it is as the newest arrivals are, where any were looked at.
    """
    now, plan_id = arrivals_now(certificate, project), certificate.run.plan_id
    last = ArrivalCheck.objects.filter(plan=plan_id).values_list("usual", flat=True).first()
    unseen = "" if now["few"] else "not_looked_at"
    looks = ArrivalCheck.objects.filter(plan=plan_id, first__lte=OuterRef("pk"), last__gte=OuterRef("pk"))
    looked_at = Item.objects.filter(pk__in=item_ids).annotate(usual=Subquery(looks.values("usual")[:1]))
    usual = dict(looked_at.values_list("pk", "usual"))

    def why(item_id: int) -> str:
        if item_id <= now["pool_to"]:
            return ""
        if not now["arrivals"]:
            return "only_the_pool"
        if item_id > now["checked_to"]:
            return unseen
        return "" if usual.get(item_id) else "unlike_the_pool"

    newest = {None: "not_looked_at", False: "unlike_the_pool", True: unseen}[last]
    return {None: newest if now["arrivals"] else "only_the_pool"} | {
        item_id: why(item_id) for item_id in item_ids
    }


def arrivals_now(certificate: Certificate, project: Project) -> dict[str, Any]:
    """What ``LIKE_THE_POOL`` asks: whether ``arrivals`` may be decided, up to which photo they were looked at, and whether
    the others are few and unsuspicious. Certificates of one plan say the same."""
    plan_id = certificate.run.plan_id
    pool_to = PlanCohort.objects.filter(plan=plan_id).values_list("pool_to", flat=True).first()
    last = ArrivalCheck.objects.filter(plan=plan_id).first()
    checked_to = last.last if last is not None else pool_to or 0
    waiting = Item.objects.filter(project=project, pk__gt=checked_to).order_by("pk")[:LEAST]
    few = (last is None or last.usual) and waiting.count() < LEAST
    return {
        "arrivals": not certificate.model_version.learned_elsewhere,
        "arrivals_of": plan_id,
        "pool_to": 2**62 if pool_to is None else pool_to,
        "checked_to": checked_to,
        "few": few,
    }


@transaction.atomic
def leave_rest_to_people(*, project: Project) -> None:
    """The machine has looked at the arrivals that are ranked: people are asked for those that it did not decide."""
    left = machine_first.give_back(project=project)
    if left:
        events.left_to_people.send(sender=Item, project=project, item_ids=left)
