"""Events are kept for some days, with all that became of them; then they go, a piece at a time."""

from __future__ import annotations

from django.conf import settings
from django.utils import timezone

from labeling.notify.models import Event

CHUNK = 5000


def remove_old() -> int:
    """Remove events older than ``settings.EVENTS_KEPT``, delivered or not; return how many."""
    old, removed = Event.objects.filter(at__lt=timezone.now() - settings.EVENTS_KEPT), 0
    while some := list(old.order_by("at").values_list("pk", flat=True)[:CHUNK]):
        Event.objects.filter(pk__in=some).delete()
        removed += len(some)
    return removed
