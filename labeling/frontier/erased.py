"""What the frontier's records say of photos that were erased: certificates stand, and say that they rest on some."""

from __future__ import annotations

from collections.abc import Collection

from labeling.catalog.models import Item, Project
from labeling.database.append_only import erasing
from labeling.database.read_once import read_once
from labeling.frontier.models import (
    AutomaticDecision,
    Certificate,
    CertificationRun,
    DecisionExplanation,
    DecisionOverruled,
)


@read_once
def erased_of(run: CertificationRun) -> int:
    """How many photos of a look's sample were erased, or are about to be. What was proven with them was proven."""
    return Item.objects.filter(pk__in=run.item_ids, project__isnull=True).count()


def certificates_that_rest(project: Project, item_ids: Collection[int]) -> list[Certificate]:
    """Those of whose sample some of these photos are a part, oldest first."""
    rows = Certificate.objects.filter(project=project, run__item_ids__overlap=list(item_ids))
    return list(rows.select_related("label_class").order_by("pk"))


def forget(item_ids: Collection[int]) -> list[int]:
    """Heat maps and what people wrote of decisions on these photos go; returns the decisions' ids."""
    decisions = list(AutomaticDecision.objects.filter(item__in=item_ids).values_list("pk", flat=True))
    DecisionExplanation.objects.filter(decision__in=decisions).delete()
    with erasing():
        DecisionOverruled.objects.filter(decision__in=decisions).exclude(reason="").update(reason="")
    return decisions
