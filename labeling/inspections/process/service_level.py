"""The time within which a protocol wants its held inspections settled, and those that are held longer.

It runs from when the photographer was done, as all minutes to the verdict do. One that was settled and is held again, as an
answer was taken back, is late from then on: whoever waits for it has waited since. Of a protocol that was put away none is.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from functools import reduce
from operator import or_

from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from labeling.inspections.models import Inspection, Outcome, OverdueInspection, Protocol

#: So many are written down in one go; the rest with the next hour.
AT_ONCE = 5000


def due_at(inspection: Inspection, protocol: Protocol) -> datetime | None:
    """Until when a held one is to be settled; ``None`` where nothing is asked of it."""
    hours = _hours(protocol)
    if hours is None or inspection.outcome != Outcome.HELD or inspection.submitted_at is None:
        return None
    return inspection.submitted_at + timedelta(hours=hours)


def is_overdue(protocol: Protocol) -> Q:
    """Of its inspections: held beyond their time. None is, where the protocol has no service level."""
    hours = _hours(protocol)
    if hours is None:
        return Q(pk__in=[])
    due = timezone.now() - timedelta(hours=hours)
    return Q(protocol=protocol, outcome=Outcome.HELD, submitted_at__lt=due)


def overdue(protocols: Collection[Protocol]) -> dict[int, int]:
    """Protocol's id -> how many are overdue, where any is."""
    late = _late(protocols)
    return dict(late.values("protocol").annotate(n=Count("pk")).values_list("protocol", "n"))


def write_down_overdue(protocols: Collection[Protocol]) -> int:
    """Those that became overdue since this was called last; return how many. Each is written down once."""
    of = {each.pk: each for each in protocols}
    new = _late(protocols).filter(overdue__isnull=True).order_by("submitted_at", "pk")
    rows = [
        OverdueInspection(inspection=each, due_at=due)
        for each in new[:AT_ONCE]
        if (due := due_at(each, of[each.protocol_id]))
    ]
    # Two workers may look in the same hour.
    OverdueInspection.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)


def _late(protocols: Collection[Protocol]) -> QuerySet[Inspection]:
    asked = [is_overdue(each) for each in protocols if _hours(each) is not None]
    late = Inspection.objects.filter(reduce(or_, asked)) if asked else Inspection.objects.none()
    return late.order_by()


def _hours(protocol: Protocol) -> int | None:
    return None if protocol.archived_at else protocol.settle_within_hours
