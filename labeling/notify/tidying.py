"""Events are kept for some days, with all that became of them; then they go, a piece at a time. So do removed endpoints."""

from __future__ import annotations

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from labeling.notify.models import Delivery, Endpoint, Event, SlackMessage
from labeling.truth.models import OpenDispute

CHUNK = 5000


def remove_old() -> int:
    """Remove events older than ``settings.EVENTS_KEPT``, delivered or not; return how many."""
    old, removed = Event.objects.filter(at__lt=timezone.now() - settings.EVENTS_KEPT), 0
    while some := list(old.order_by("at").values_list("pk", flat=True)[:CHUNK]):
        Event.objects.filter(pk__in=some).delete()
        removed += len(some)
    # With them go the threads of Slack; a message that still has buttons is to lose them one day.
    messages = SlackMessage.objects.filter(at__lt=timezone.now() - settings.EVENTS_KEPT)
    messages.exclude(dispute__in=OpenDispute.objects.values("pk")).delete()
    return removed


def end_removed() -> int:
    """Delete removed endpoints after their deliveries; return how many endpoints. One for which somebody is writing events
    just now stays for the next time."""
    ended = 0
    for key in Endpoint.with_removed.exclude(removed_at=None).values_list("pk", flat=True):
        deliveries = Delivery.objects.filter(endpoint=key)
        while some := list(deliveries.order_by("pk").values_list("pk", flat=True)[:CHUNK]):
            Delivery.objects.filter(pk__in=some).delete()
        with transaction.atomic():
            free = Endpoint.with_removed.select_for_update(skip_locked=True).filter(pk=key).first()
            if free is not None:
                free.delete()
                ended += 1
    return ended
