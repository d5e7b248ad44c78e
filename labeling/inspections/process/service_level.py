"""The time within which a protocol wants its held inspections settled, and those that are held longer.

It runs from when the photographer was done, as all minutes to the verdict do. One that was settled and is held again, as an
answer was taken back, is late from then on: whoever waits for it has waited since.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from functools import reduce
from operator import or_

from django.db.models import Count, Q
from django.utils import timezone

from labeling.inspections.models import Inspection, Outcome, Protocol


def due_at(inspection: Inspection, protocol: Protocol) -> datetime | None:
    """Until when a held one is to be settled; ``None`` where nothing is asked of it."""
    hours = protocol.settle_within_hours
    if hours is None or inspection.outcome != Outcome.HELD or inspection.submitted_at is None:
        return None
    return inspection.submitted_at + timedelta(hours=hours)


def is_overdue(protocol: Protocol) -> Q:
    """Of its inspections: held beyond their time. None is, where the protocol has no service level."""
    if protocol.settle_within_hours is None:
        return Q(pk__in=[])
    due = timezone.now() - timedelta(hours=protocol.settle_within_hours)
    return Q(protocol=protocol, outcome=Outcome.HELD, submitted_at__lt=due)


def overdue(protocols: Collection[Protocol]) -> dict[int, int]:
    """Protocol's id -> how many are overdue, where any is."""
    asked = [each for each in protocols if each.settle_within_hours is not None]
    if not asked:
        return {}
    late = Inspection.objects.filter(reduce(or_, map(is_overdue, asked))).order_by()
    return dict(late.values("protocol").annotate(n=Count("pk")).values_list("protocol", "n"))
